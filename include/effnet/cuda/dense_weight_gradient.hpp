#pragma once

#include <algorithm>

#include <effnet/cuda/dense_windows.hpp>
#include <effnet/cuda/product_tile.hpp>

namespace effnet::cuda {

/// The gradient of a dense convolution's weights over parts of the pixels: (taps, channels) x
/// pixels by pixels x output channels, in fp32.
struct dense_weight_gradient {
  static constexpr const char* name = "dense_weight_gradient";
  static constexpr unsigned most_threads = product_tile::threads;

  forward_windows windows;
  global_span<const float> src, diff_dst;
  global_span<float> partial;  ///< [parts][taps][channels of src][channels of dst]
  unsigned parts;

  struct registers {
    product_tile::sums sums;
  };

  /// Enough parts to fill a large device, each of some hundred pixels at least.
  static unsigned parts_for(const conv_problem& p) {
    constexpr unsigned wanted = 512, most = 64;
    constexpr std::size_t least_pixels = 256;
    const unsigned tiles = parts_of(rows(p), product_tile::rows) *
                           parts_of(static_cast<std::size_t>(p.out), product_tile::columns);
    return std::clamp(std::min(wanted / tiles, parts_of(pixels(p), least_pixels)), 1u, most);
  }
  launch_shape shape() const {
    return {.grid = {parts_of(rows(windows.problem), product_tile::rows),
                     parts_of(static_cast<std::size_t>(windows.problem.out), product_tile::columns),
                     parts},
            .block = {product_tile::threads},
            .shared_bytes = product_tile::floats * sizeof(float)};
  }
  /// Parts differ by a pixel at most; all make as many steps as the longest.
  EFFNET_HD int phases() const {
    const std::size_t part = (pixels(windows.problem) + parts - 1) / parts;
    return 2 * static_cast<int>((part + product_tile::depth - 1) / product_tile::depth);
  }

  EFFNET_HD void run(int phase, const thread_place& at, registers& own,
                     const shared_memory& shared) const {
    if (phase % 2 == 0) {
      load(static_cast<std::size_t>(phase / 2) * product_tile::depth, at, shared);
      return;
    }
    product_tile::multiply(at, shared, own.sums);
    if (phase + 1 == phases()) store(at, own.sums);
  }

 private:
  EFFNET_HD static constexpr std::size_t rows(const conv_problem& p) {
    return static_cast<std::size_t>(p.kernel) * static_cast<std::size_t>(p.kernel) *
           static_cast<std::size_t>(p.src.c);
  }
  EFFNET_HD static constexpr std::size_t pixels(const conv_problem& p) {
    return p.dst().elements() / static_cast<std::size_t>(p.out);
  }
  EFFNET_HD void load(std::size_t step, const thread_place& at, const shared_memory& shared) const {
    constexpr int at_once = static_cast<int>(product_tile::threads) / product_tile::rows;
    const conv_problem& p = windows.problem;
    const shape4 d = p.dst();
    const std::size_t all = pixels(p), part = at.in_grid.z;
    const std::size_t last = all * (part + 1) / parts;
    const int column = static_cast<int>(at.in_block.x) % product_tile::rows;
    const std::size_t row =
        std::size_t{at.in_grid.x} * product_tile::rows + static_cast<std::size_t>(column);
    const std::size_t out =
        std::size_t{at.in_grid.y} * product_tile::columns + static_cast<std::size_t>(column);
    const auto channels = static_cast<std::size_t>(p.src.c);
    for (int k = static_cast<int>(at.in_block.x) / product_tile::rows; k < product_tile::depth;
         k += at_once) {
      const std::size_t pixel = all * part / parts + step + static_cast<std::size_t>(k);
      float left = 0, right = 0;
      if (pixel < last && row < rows(p)) {
        const auto width = static_cast<std::size_t>(d.w), height = static_cast<std::size_t>(d.h);
        int y = 0, x = 0;
        if (windows.find(static_cast<int>(pixel / width % height), static_cast<int>(pixel % width),
                         static_cast<int>(row / channels), y, x))
          left = src.load(element(p.src, static_cast<int>(pixel / width / height), y, x) +
                          row % channels);
      }
      if (pixel < last && out < static_cast<std::size_t>(p.out))
        right = diff_dst.load(pixel * static_cast<std::size_t>(p.out) + out);
      shared.store(product_tile::left_at(k, column), left);
      shared.store(product_tile::right_at(k, column), right);
    }
  }

  EFFNET_HD void store(const thread_place& at, const product_tile::sums& sums) const {
    const std::size_t all = rows(windows.problem),
                      outs = static_cast<std::size_t>(windows.problem.out);
    for (int i = 0; i < product_tile::side; ++i) {
      const std::size_t row = std::size_t{at.in_grid.x} * product_tile::rows +
                              static_cast<std::size_t>(product_tile::row_of(at) + i);
      if (row >= all) return;
      for (int j = 0; j < product_tile::side; ++j) {
        const std::size_t out = std::size_t{at.in_grid.y} * product_tile::columns +
                                static_cast<std::size_t>(product_tile::column_of(at) + j);
        if (out < outs) partial.store((at.in_grid.z * all + row) * outs + out, sums.of[i][j]);
      }
    }
  }
};

}  // namespace effnet::cuda
