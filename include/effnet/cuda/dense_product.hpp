#pragma once

#include <effnet/cuda/dense_windows.hpp>
#include <effnet/cuda/product_tile.hpp>
#include <effnet/math/activation.hpp>

namespace effnet::cuda {

/// A dense convolution, or the gradient of its source, as a matrix product whose left side is never
/// stored: pixels x (taps, channels) by (taps, channels) x output channels, in fp32.
template <class Windows>
struct dense_product {
  static constexpr const char* name = "dense_product";
  static constexpr unsigned most_threads = product_tile::threads;

  Windows windows;
  epilogue then;
  global_span<const float> src, weights;  ///< weights: [taps][channels of src][channels of dst]
  global_span<const float> bias;          ///< empty: 0
  global_span<float> dst;

  struct registers {
    product_tile::sums sums;
  };

  launch_shape shape() const {
    return {.grid = {parts_of(pixels(), product_tile::rows),
                     parts_of(static_cast<std::size_t>(windows.to().c), product_tile::columns)},
            .block = {product_tile::threads},
            .shared_bytes = product_tile::floats * sizeof(float)};
  }
  EFFNET_HD int phases() const { return 2 * depth_tiles(); }

  EFFNET_HD void run(int phase, const thread_place& at, registers& own,
                     const shared_memory& shared) const {
    if (phase % 2 == 0) {
      load_left(phase / 2 * product_tile::depth, at, shared);
      load_right(phase / 2 * product_tile::depth, at, shared);
      return;
    }
    product_tile::multiply(at, shared, own.sums);
    if (phase + 1 == phases()) store(at, own.sums);
  }

 private:
  EFFNET_HD std::size_t pixels() const {
    const shape4 to = windows.to();
    return to.elements() / static_cast<std::size_t>(to.c);
  }
  EFFNET_HD int depth() const {
    return windows.problem.kernel * windows.problem.kernel * windows.from().c;
  }
  EFFNET_HD int depth_tiles() const {
    return (depth() + product_tile::depth - 1) / product_tile::depth;
  }

  /// A thread takes one of a pixel's numbers at a time; its neighbours take the next ones.
  EFFNET_HD void load_left(int first, const thread_place& at, const shared_memory& shared) const {
    constexpr int rows_at_once = static_cast<int>(product_tile::threads) / product_tile::depth;
    const int k = static_cast<int>(at.in_block.x) % product_tile::depth, deep = first + k;
    const int channels = windows.from().c, tap = deep / channels, channel = deep % channels;
    for (int row = static_cast<int>(at.in_block.x) / product_tile::depth; row < product_tile::rows;
         row += rows_at_once) {
      const std::size_t pixel =
          std::size_t{at.in_grid.x} * product_tile::rows + static_cast<std::size_t>(row);
      float value = 0;
      if (deep < depth() && pixel < pixels()) value = gathered(pixel, tap, channel);
      shared.store(product_tile::left_at(k, row), value);
    }
  }
  EFFNET_HD float gathered(std::size_t pixel, int tap, int channel) const {
    const shape4 to = windows.to();
    const auto width = static_cast<std::size_t>(to.w), height = static_cast<std::size_t>(to.h);
    int y = 0, x = 0;
    if (!windows.find(static_cast<int>(pixel / width % height), static_cast<int>(pixel % width),
                      tap, y, x))
      return 0;
    return src.load(element(windows.from(), static_cast<int>(pixel / width / height), y, x) +
                    static_cast<std::size_t>(channel));
  }

  EFFNET_HD void load_right(int first, const thread_place& at, const shared_memory& shared) const {
    constexpr int rows_at_once = static_cast<int>(product_tile::threads) / product_tile::columns;
    const int column = static_cast<int>(at.in_block.x) % product_tile::columns;
    const int out = static_cast<int>(at.in_grid.y) * product_tile::columns + column;
    for (int k = static_cast<int>(at.in_block.x) / product_tile::columns; k < product_tile::depth;
         k += rows_at_once) {
      float value = 0;
      if (first + k < depth() && out < windows.to().c)
        value = weights.load(static_cast<std::size_t>(first + k) *
                                 static_cast<std::size_t>(windows.to().c) +
                             static_cast<std::size_t>(out));
      shared.store(product_tile::right_at(k, column), value);
    }
  }

  EFFNET_HD void store(const thread_place& at, const product_tile::sums& sums) const {
    const auto channels = static_cast<std::size_t>(windows.to().c);
    for (int i = 0; i < product_tile::side; ++i) {
      const std::size_t pixel = std::size_t{at.in_grid.x} * product_tile::rows +
                                static_cast<std::size_t>(product_tile::row_of(at) + i);
      if (pixel >= pixels()) return;
      for (int j = 0; j < product_tile::side; ++j) {
        const std::size_t channel = std::size_t{at.in_grid.y} * product_tile::columns +
                                    static_cast<std::size_t>(product_tile::column_of(at) + j);
        if (channel >= channels) break;
        float value = sums.of[i][j];
        if (!bias.empty()) value += bias.load(channel);
        value = math::apply(then.before, value);
        if (then.add_dst) value += dst.load(pixel * channels + channel);
        dst.store(pixel * channels + channel, math::apply(then.after, value));
      }
    }
  }
};

}  // namespace effnet::cuda
