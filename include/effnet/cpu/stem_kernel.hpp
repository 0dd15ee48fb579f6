#pragma once

#include <algorithm>
#include <cstddef>

#include <effnet/backend/problems.hpp>
#include <effnet/cpu/register_tile.hpp>
#include <effnet/cpu/vector_math.hpp>

namespace effnet::cpu::detail {

/// One row of results of a dense convolution, for channels of one block.
struct stem_row {
  const float* src;        ///< the first of the kernel's rows, padded: [kernel][source_row]
  std::size_t source_row;  ///< floats of a padded row
  std::size_t pixel;       ///< floats between the windows of neighbouring results
  std::size_t window;      ///< floats of a window's row: kernel * in
  std::size_t kernel;      ///< rows of a window
  const float* weights;    ///< [kernel][window][channels of the block]
  const float* bias;
  float* dst;         ///< the row's first pixel, from the block's first channel on
  std::size_t width;  ///< pixels
  std::size_t out;    ///< channels of a pixel
  std::size_t block;  ///< channels of this block that exist
};

/// `Rows` neighbouring pixels, then the rest of the row with fewer at a time.
template <class Floats, std::size_t Rows, std::size_t Registers>
EFFNET_KERNEL_BODY void stem_pixels(const stem_row& row, const epilogue& then, std::size_t x) {
  constexpr std::size_t lanes = lanes_of<Floats>;
  for (; x + Rows <= row.width; x += Rows) {
    Floats sums[Rows][Registers] = {};
    for (std::size_t y = 0; y < row.kernel; ++y)
      add_products(row.src + y * row.source_row + x * row.pixel, row.pixel,
                   row.weights + y * row.window * Registers * lanes, row.window, sums);
    for (std::size_t r = 0; r < Registers; ++r) {
      const std::size_t part = std::min(lanes, row.block - r * lanes);
      Floats bias;
      load_part(row.bias + r * lanes, part, bias);
#pragma GCC unroll 16
      for (std::size_t i = 0; i < Rows; ++i) {
        float* to = row.dst + (x + i) * row.out + r * lanes;
        Floats value;
        apply(then.before, sums[i][r] + bias, value);
        if (then.add_dst) {
          Floats residual;
          load_part(to, part, residual);
          value += residual;
        }
        apply(then.after, value, value);
        store_part(value, part, to);
      }
    }
  }
  if constexpr (Rows > 1)
    if (x < row.width) stem_pixels<Floats, Rows / 2, Registers>(row, then, x);
}

template <class Floats>
EFFNET_KERNEL_BODY void stem_body(const stem_row& row, const epilogue& then) {
  if (row.block > lanes_of<Floats>)
    stem_pixels<Floats, tile_rows<Floats>, 2>(row, then, 0);
  else
    stem_pixels<Floats, tile_rows<Floats>, 1>(row, then, 0);
}
inline void stem_portable(const stem_row& row, const epilogue& then) {
  stem_body<floats4>(row, then);
}
EFFNET_TARGET_AVX2 inline void stem_avx2(const stem_row& row, const epilogue& then) {
  stem_body<floats8>(row, then);
}
EFFNET_TARGET_AVX512 inline void stem_avx512(const stem_row& row, const epilogue& then) {
  stem_body<floats16>(row, then);
}

}  // namespace effnet::cpu::detail
