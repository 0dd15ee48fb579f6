#pragma once

#include <algorithm>
#include <cstddef>

#include <effnet/backend/problems.hpp>
#include <effnet/cpu/register_tile.hpp>
#include <effnet/cpu/vector_math.hpp>
#include <effnet/cpu/winograd_transforms.hpp>

namespace effnet::cpu::detail {

/// What the kernel needs to know of a 3x3 convolution of stride 1: its tiles, numbered through the
/// images row by row, and the strides of its scratch memory, in floats.
struct winograd_shape {
  int height, width, top, left;  ///< of the source, and its padding
  int out_height, out_width;
  std::size_t in, out;                     ///< channels
  std::size_t rows, columns, tiles;        ///< tiles of an image down and across, and of all images
  std::size_t chunk;                       ///< tiles worked on at a time, at most
  std::size_t source_row, source_point;    ///< V[point][tile][in]
  std::size_t product_row, product_point;  ///< M[point][tile][output channels of a block]
};

/// Output channels whose products are made at a time: two registers.
template <class Floats>
inline constexpr std::size_t winograd_block = 2 * lanes_of<Floats>;

/// V = B^T d B of `count` tiles from tile `first` on.
template <class Floats>
EFFNET_KERNEL_BODY void transform_sources(const winograd_shape& w, const float* src,
                                          std::size_t first, std::size_t count, float* v) {
  constexpr std::size_t lanes = lanes_of<Floats>;
  const std::size_t per_image = w.rows * w.columns;
  const auto row_step = static_cast<std::size_t>(w.width) * w.in;
  for (std::size_t t = 0; t < count; ++t) {
    const std::size_t image = (first + t) / per_image, place = (first + t) % per_image;
    const int y0 = static_cast<int>(place / w.columns * tile_out) - w.top;
    const int x0 = static_cast<int>(place % w.columns * tile_out) - w.left;
    // What lies outside the image is zero; only its edges ask pixel by pixel.
    const int rows_from = std::max(0, -y0), rows_to = std::min<int>(tile_src, w.height - y0);
    const int columns_from = std::max(0, -x0), columns_to = std::min<int>(tile_src, w.width - x0);
    const bool inside =
        rows_from == 0 && columns_from == 0 && rows_to == tile_src && columns_to == tile_src;
    const float* corner =
        src + static_cast<std::ptrdiff_t>(image * row_step) * w.height +
        (static_cast<std::ptrdiff_t>(y0) * w.width + x0) * static_cast<std::ptrdiff_t>(w.in);
    for (std::size_t c = 0; c < w.in; c += lanes) {
      const std::size_t part = std::min(lanes, w.in - c);
      Floats columns[tile_src][tile_src];  // [row][column], transformed down
#pragma GCC unroll 6
      for (std::size_t x = 0; x < tile_src; ++x) {
        Floats d[tile_src], down[tile_src];
        const float* at = corner + static_cast<std::ptrdiff_t>(x * w.in + c);
        if (inside && part == lanes) {
#pragma GCC unroll 6
          for (std::size_t y = 0; y < tile_src; ++y) load(at + y * row_step, d[y]);
        } else {
          const bool column_inside =
              static_cast<int>(x) >= columns_from && static_cast<int>(x) < columns_to;
#pragma GCC unroll 6
          for (std::size_t y = 0; y < tile_src; ++y) {
            d[y] = Floats{};
            if (column_inside && static_cast<int>(y) >= rows_from && static_cast<int>(y) < rows_to)
              load_part(at + y * row_step, part, d[y]);
          }
        }
        source_transform(d, down);
#pragma GCC unroll 6
        for (std::size_t y = 0; y < tile_src; ++y) columns[y][x] = down[y];
      }
      float* to = v + t * w.source_row + c;
#pragma GCC unroll 6
      for (std::size_t y = 0; y < tile_src; ++y) {
        Floats across[tile_src];
        source_transform(columns[y], across);
#pragma GCC unroll 6
        for (std::size_t x = 0; x < tile_src; ++x)
          store(across[x], to + (y * tile_src + x) * w.source_point);
      }
    }
  }
}

/// M[row][:] = sum over `depth` of V[row][k] U[k][:], for `Rows` tiles of one point.
template <class Floats, std::size_t Rows, std::size_t Registers>
EFFNET_KERNEL_BODY void multiply_tiles(const winograd_shape& w, const float* v, const float* u,
                                       float* m) {
  constexpr std::size_t lanes = lanes_of<Floats>;
  Floats sums[Rows][Registers] = {};
  add_products(v, w.source_row, u, w.in, sums);
#pragma GCC unroll 16
  for (std::size_t row = 0; row < Rows; ++row)
#pragma GCC unroll 2
    for (std::size_t r = 0; r < Registers; ++r)
      store(sums[row][r], m + row * w.product_row + r * lanes);
}

/// All tiles of one point: as many rows at a time as there are registers for, then fewer.
template <class Floats, std::size_t Rows, std::size_t Registers>
EFFNET_KERNEL_BODY void multiply_point(const winograd_shape& w, const float* v, const float* u,
                                       float* m, std::size_t count) {
  std::size_t t = 0;
  for (; t + Rows <= count; t += Rows)
    multiply_tiles<Floats, Rows, Registers>(w, v + t * w.source_row, u, m + t * w.product_row);
  if constexpr (Rows > 1) {
    if (t < count)
      multiply_point<Floats, Rows / 2, Registers>(w, v + t * w.source_row, u, m + t * w.product_row,
                                                  count - t);
  }
}

/// dst = epilogue(A^T M A) of `count` tiles, for the channels from `channel` on that a block has.
template <class Floats, std::size_t Registers>
EFFNET_KERNEL_BODY void transform_products(const winograd_shape& w, const epilogue& then,
                                           const float* m, const float* bias, std::size_t channel,
                                           std::size_t first, std::size_t count, float* dst) {
  constexpr std::size_t lanes = lanes_of<Floats>;
  const std::size_t per_image = w.rows * w.columns;
  const auto width = static_cast<std::size_t>(w.out_width);
  for (std::size_t t = 0; t < count; ++t) {
    const std::size_t image = (first + t) / per_image, place = (first + t) % per_image;
    const std::size_t y0 = place / w.columns * tile_out, x0 = place % w.columns * tile_out;
    const std::size_t high = std::min(tile_out, static_cast<std::size_t>(w.out_height) - y0);
    const std::size_t wide = std::min(tile_out, width - x0);
    float* corner =
        dst + ((image * static_cast<std::size_t>(w.out_height) + y0) * width + x0) * w.out;
    for (std::size_t r = 0; r < Registers; ++r) {
      const std::size_t c = channel + r * lanes;
      const std::size_t part = std::min(lanes, w.out - c);
      const float* from = m + t * w.product_row + r * lanes;
      Floats down[tile_out][tile_src], constants;
      load_part(bias + c, part, constants);
#pragma GCC unroll 6
      for (std::size_t x = 0; x < tile_src; ++x) {
        Floats column[tile_src], sums[tile_out];
#pragma GCC unroll 6
        for (std::size_t y = 0; y < tile_src; ++y)
          load(from + (y * tile_src + x) * w.product_point, column[y]);
        output_transform(column, sums);
#pragma GCC unroll 4
        for (std::size_t y = 0; y < tile_out; ++y) down[y][x] = sums[y];
      }
      for (std::size_t y = 0; y < high; ++y) {
        Floats sums[tile_out];
        output_transform(down[y], sums);
        float* to = corner + y * width * w.out + c;
        for (std::size_t x = 0; x < wide; ++x, to += w.out) {
          Floats value;
          apply(then.before, sums[x] + constants, value);
          if (then.add_dst) {
            Floats residual;
            load_part(to, part, residual);
            value += residual;
          }
          apply(then.after, value, value);
          if (part == lanes)
            store(value, to);
          else
            store_part(value, part, to);
        }
      }
    }
  }
}

/// `count` tiles from tile `first` on, all output channels. `u` is [block][point][in][channels of
/// the block]; `v` and `m` are scratch.
template <class Floats>
EFFNET_KERNEL_BODY void winograd_body(const winograd_shape& w, const epilogue& then,
                                      const float* src, const float* u, const float* bias,
                                      float* dst, float* v, float* m, std::size_t first,
                                      std::size_t count) {
  constexpr std::size_t lanes = lanes_of<Floats>, block = winograd_block<Floats>;
  transform_sources<Floats>(w, src, first, count, v);
  for (std::size_t channel = 0; channel < w.out; channel += block) {
    const bool both = w.out - channel > lanes;
    const std::size_t step = w.in * (both ? block : lanes);
    for (std::size_t point = 0; point < tile_points; ++point, u += step) {
      const float* sources = v + point * w.source_point;
      float* products = m + point * w.product_point;
      if (both)
        multiply_point<Floats, tile_rows<Floats>, 2>(w, sources, u, products, count);
      else
        multiply_point<Floats, tile_rows<Floats>, 1>(w, sources, u, products, count);
    }
    if (both)
      transform_products<Floats, 2>(w, then, m, bias, channel, first, count, dst);
    else
      transform_products<Floats, 1>(w, then, m, bias, channel, first, count, dst);
  }
}

using winograd_kernel = void (*)(const winograd_shape&, const epilogue&, const float*, const float*,
                                 const float*, float*, float*, float*, std::size_t, std::size_t);

inline void winograd_portable(const winograd_shape& w, const epilogue& then, const float* src,
                              const float* u, const float* bias, float* dst, float* v, float* m,
                              std::size_t first, std::size_t count) {
  winograd_body<floats4>(w, then, src, u, bias, dst, v, m, first, count);
}
EFFNET_TARGET_AVX2 inline void winograd_avx2(const winograd_shape& w, const epilogue& then,
                                             const float* src, const float* u, const float* bias,
                                             float* dst, float* v, float* m, std::size_t first,
                                             std::size_t count) {
  winograd_body<floats8>(w, then, src, u, bias, dst, v, m, first, count);
}
EFFNET_TARGET_AVX512 inline void winograd_avx512(const winograd_shape& w, const epilogue& then,
                                                 const float* src, const float* u,
                                                 const float* bias, float* dst, float* v, float* m,
                                                 std::size_t first, std::size_t count) {
  winograd_body<floats16>(w, then, src, u, bias, dst, v, m, first, count);
}

}  // namespace effnet::cpu::detail
