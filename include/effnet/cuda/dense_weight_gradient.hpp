#pragma once

#include <algorithm>

#include <effnet/cuda/dense_windows.hpp>
#include <effnet/cuda/product_tile.hpp>
#include <effnet/cuda/tensor_tile.hpp>

namespace effnet::cuda {

/// The gradient of a dense convolution's weights over parts of the pixels: (taps, channels) x
/// pixels by pixels x output channels. `Tile` is the fp32 `product_tile` or a `tensor_tile`, `T`
/// the type of both sources.
template <class Tile, class T>
struct dense_weight_gradient {
  static constexpr const char* name = Tile::of == products::bf16   ? "dense_weight_gradient_bf16"
                                      : Tile::of == products::tf32 ? "dense_weight_gradient_tf32"
                                                                   : "dense_weight_gradient";
  static constexpr unsigned most_threads = Tile::threads;
  using registers = typename Tile::registers;

  forward_windows windows;
  global_span<const T> src, diff_dst;
  global_span<float> partial;  ///< [parts][taps][channels of src][channels of dst]
  unsigned parts;

  /// Enough parts to fill a large device, each of some hundred pixels at least.
  static unsigned parts_for(const conv_problem& p) {
    constexpr unsigned wanted = 512, most = 64;
    constexpr std::size_t least_pixels = 256;
    const unsigned tiles =
        parts_of(rows(p), Tile::rows) * parts_of(static_cast<std::size_t>(p.out), Tile::columns);
    return std::clamp(std::min(wanted / tiles, parts_of(pixels(p), least_pixels)), 1u, most);
  }
  launch_shape shape() const {
    return {.grid = {parts_of(rows(windows.problem), Tile::rows),
                     parts_of(static_cast<std::size_t>(windows.problem.out), Tile::columns), parts},
            .block = {Tile::threads},
            .shared_bytes = Tile::memory::floats * sizeof(float)};
  }
  /// Parts differ by a pixel at most; all make as many steps as the longest.
  EFFNET_HD int phases() const { return Tile::memory::phases(steps()); }

  EFFNET_HD void run(int phase, const thread_place& at, registers&,
                     const shared_memory& shared) const {
    Tile::memory::run(
        phase, steps(), at, shared, [&](int step) { load(step, at, shared); },
        [&](int row, int column, float sum) { store(at, row, column, sum); });
  }
  template <class Warp>
  EFFNET_HD void run_warp(int phase, const Warp& together, const shared_memory& shared) const {
    Tile::memory::template run_warp<Tile>(phase, steps(), together, shared);
  }

 private:
  static constexpr std::size_t pixels_at_once =
      static_cast<std::size_t>(Tile::depth) * Tile::numbers;

  EFFNET_HD int steps() const {
    const std::size_t part = (pixels(windows.problem) + parts - 1) / parts;
    return static_cast<int>((part + pixels_at_once - 1) / pixels_at_once);
  }
  EFFNET_HD static constexpr std::size_t rows(const conv_problem& p) {
    return static_cast<std::size_t>(p.kernel) * static_cast<std::size_t>(p.kernel) *
           static_cast<std::size_t>(p.src.c);
  }
  EFFNET_HD static constexpr std::size_t pixels(const conv_problem& p) {
    return p.dst().elements() / static_cast<std::size_t>(p.out);
  }
  EFFNET_HD void load(int step, const thread_place& at, const shared_memory& shared) const {
    constexpr int at_once = static_cast<int>(Tile::threads) / Tile::rows;
    const conv_problem& p = windows.problem;
    const std::size_t all = pixels(p), part = at.in_grid.z;
    const std::size_t last = all * (part + 1) / parts;
    const int column = static_cast<int>(at.in_block.x) % Tile::rows;
    const std::size_t row =
        std::size_t{at.in_grid.x} * Tile::rows + static_cast<std::size_t>(column);
    const std::size_t out =
        std::size_t{at.in_grid.y} * Tile::columns + static_cast<std::size_t>(column);
    const auto channels = static_cast<std::size_t>(p.src.c);
    for (int k = static_cast<int>(at.in_block.x) / Tile::rows; k < Tile::depth; k += at_once) {
      float left[Tile::numbers] = {}, right[Tile::numbers] = {};
      for (int n = 0; n < Tile::numbers; ++n) {
        const std::size_t pixel = all * part / parts +
                                  static_cast<std::size_t>(step) * pixels_at_once +
                                  static_cast<std::size_t>(k * Tile::numbers + n);
        if (pixel >= last) continue;
        if (row < rows(p))
          left[n] = gathered(pixel, static_cast<int>(row / channels), row % channels);
        if (out < static_cast<std::size_t>(p.out))
          right[n] = diff_dst.load(pixel * static_cast<std::size_t>(p.out) + out);
      }
      shared.store(Tile::memory::left_at(step, k, column), Tile::cell(left));
      shared.store(Tile::memory::right_at(step, k, column), Tile::cell(right));
    }
  }
  EFFNET_HD float gathered(std::size_t pixel, int tap, std::size_t channel) const {
    const conv_problem& p = windows.problem;
    const shape4 d = p.dst();
    const auto width = static_cast<std::size_t>(d.w), height = static_cast<std::size_t>(d.h);
    int y = 0, x = 0;
    if (!windows.find(static_cast<int>(pixel / width % height), static_cast<int>(pixel % width),
                      tap, y, x))
      return 0;
    return src.load(element(p.src, static_cast<int>(pixel / width / height), y, x) + channel);
  }

  EFFNET_HD void store(const thread_place& at, int tile_row, int tile_column, float sum) const {
    const std::size_t all = rows(windows.problem),
                      outs = static_cast<std::size_t>(windows.problem.out);
    const std::size_t row =
        std::size_t{at.in_grid.x} * Tile::rows + static_cast<std::size_t>(tile_row);
    const std::size_t out =
        std::size_t{at.in_grid.y} * Tile::columns + static_cast<std::size_t>(tile_column);
    if (row < all && out < outs) partial.store((at.in_grid.z * all + row) * outs + out, sum);
  }
};

}  // namespace effnet::cuda
