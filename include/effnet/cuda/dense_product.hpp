#pragma once

#include <effnet/cuda/dense_windows.hpp>
#include <effnet/cuda/product_tile.hpp>
#include <effnet/cuda/tensor_tile.hpp>
#include <effnet/math/activation.hpp>

namespace effnet::cuda {

/// A dense convolution, or the gradient of its source, as a matrix product whose left side is never
/// stored: pixels x (taps, channels) by (taps, channels) x output channels. `Tile` is the fp32
/// `product_tile` or a `tensor_tile`, `T` the type of source and result.
template <class Windows, class Tile, class T>
struct dense_product {
  static constexpr const char* name = Tile::of == products::fp16   ? "dense_product_fp16"
                                      : Tile::of == products::bf16 ? "dense_product_bf16"
                                      : Tile::of == products::tf32 ? "dense_product_tf32"
                                                                   : "dense_product";
  static constexpr unsigned most_threads = Tile::threads;
  using registers = typename Tile::registers;

  Windows windows;
  epilogue then;
  global_span<const T> src;
  global_span<const float> weights;  ///< [taps][channels of src][channels of dst]
  global_span<const float> bias;     ///< empty: 0
  global_span<T> dst;
  global_span<const float> gate = {};  ///< [n][channels of src], times src; or empty

  launch_shape shape() const {
    return {.grid = {parts_of(pixels(), Tile::rows),
                     parts_of(static_cast<std::size_t>(windows.to().c), Tile::columns)},
            .block = {Tile::threads},
            .shared_bytes = Tile::memory::floats * sizeof(float)};
  }
  EFFNET_HD int phases() const { return Tile::memory::phases(depth_tiles()); }

  EFFNET_HD void run(int phase, const thread_place& at, registers&,
                     const shared_memory& shared) const {
    Tile::memory::run(
        phase, depth_tiles(), at, shared,
        [&](int part) {
          load_left(part, at, shared);
          load_right(part, at, shared);
        },
        [&](int row, int column, float sum) { store(at, row, column, sum); });
  }
  template <class Warp>
  EFFNET_HD void run_warp(int phase, const Warp& together, const shared_memory& shared) const {
    Tile::memory::template run_warp<Tile>(phase, depth_tiles(), together, shared);
  }

 private:
  static constexpr int numbers_at_once = Tile::depth * Tile::numbers;

  EFFNET_HD std::size_t pixels() const {
    const shape4 to = windows.to();
    return to.elements() / static_cast<std::size_t>(to.c);
  }
  EFFNET_HD int depth() const {
    return windows.problem.kernel * windows.problem.kernel * windows.from().c;
  }
  EFFNET_HD int depth_tiles() const { return (depth() + numbers_at_once - 1) / numbers_at_once; }

  /// A thread takes one of a pixel's cells at a time; its neighbours take the next ones.
  EFFNET_HD void load_left(int part, const thread_place& at, const shared_memory& shared) const {
    constexpr int rows_at_once = static_cast<int>(Tile::threads) / Tile::depth;
    const int k = static_cast<int>(at.in_block.x) % Tile::depth;
    const int deep = part * numbers_at_once + k * Tile::numbers, channels = windows.from().c;
    // Numbers of a cell that stand next to each other are moved together.
    const bool together = channels % Tile::numbers == 0;
    for (int row = static_cast<int>(at.in_block.x) / Tile::depth; row < Tile::rows;
         row += rows_at_once) {
      const std::size_t pixel =
          std::size_t{at.in_grid.x} * Tile::rows + static_cast<std::size_t>(row);
      floats_of<Tile::numbers> some = {};
      if (together) {
        some = gathered<Tile::numbers>(pixel, deep);
      } else {
        for (int n = 0; n < Tile::numbers; ++n) some[n] = gathered<1>(pixel, deep + n)[0];
      }
      shared.store(Tile::memory::left_at(part, k, row), Tile::cell(some.at));
    }
  }
  /// Zeros behind the last.
  template <int Width>
  EFFNET_HD floats_of<Width> gathered(std::size_t pixel, int deep) const {
    const shape4 from = windows.from(), to = windows.to();
    const auto width = static_cast<std::size_t>(to.w), height = static_cast<std::size_t>(to.h);
    int y = 0, x = 0;
    if (deep >= depth() || pixel >= pixels() ||
        !windows.find(static_cast<int>(pixel / width % height), static_cast<int>(pixel % width),
                      deep / from.c, y, x))
      return {};
    const auto channel = static_cast<std::size_t>(deep % from.c);
    const std::size_t image = pixel / width / height;
    auto some = src.template load<Width>(element(from, static_cast<int>(image), y, x) + channel);
    if (!gate.empty()) {
      const auto by = gate.template load<Width>(image * static_cast<std::size_t>(from.c) + channel);
      for (int v = 0; v < Width; ++v) some[v] *= by[v];
    }
    return some;
  }

  EFFNET_HD void load_right(int part, const thread_place& at, const shared_memory& shared) const {
    constexpr int cells_at_once = static_cast<int>(Tile::threads) / Tile::columns;
    const int column = static_cast<int>(at.in_block.x) % Tile::columns;
    const int out = static_cast<int>(at.in_grid.y) * Tile::columns + column;
    for (int k = static_cast<int>(at.in_block.x) / Tile::columns; k < Tile::depth;
         k += cells_at_once) {
      float some[Tile::numbers] = {};
      for (int n = 0; n < Tile::numbers; ++n) {
        const int deep = part * numbers_at_once + k * Tile::numbers + n;
        if (deep < depth() && out < windows.to().c)
          some[n] = weights.load(static_cast<std::size_t>(deep) *
                                     static_cast<std::size_t>(windows.to().c) +
                                 static_cast<std::size_t>(out));
      }
      shared.store(Tile::memory::right_at(part, k, column), Tile::cell(some));
    }
  }

  EFFNET_HD void store(const thread_place& at, int row, int column, float value) const {
    const auto channels = static_cast<std::size_t>(windows.to().c);
    const std::size_t pixel =
        std::size_t{at.in_grid.x} * Tile::rows + static_cast<std::size_t>(row);
    const std::size_t channel =
        std::size_t{at.in_grid.y} * Tile::columns + static_cast<std::size_t>(column);
    if (pixel >= pixels() || channel >= channels) return;
    if (!bias.empty()) value += bias.load(channel);
    value = math::apply(then.before, value);
    if (then.add_dst) value += dst.load(pixel * channels + channel);
    dst.store(pixel * channels + channel, math::apply(then.after, value));
  }
};

}  // namespace effnet::cuda
