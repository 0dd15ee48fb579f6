#pragma once

#include <algorithm>
#include <cstddef>

#include <effnet/backend/problems.hpp>
#include <effnet/core/rounded_up.hpp>
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
  std::size_t product_row, product_point;  ///< M[point][tile][columns of a panel]
};

/// The problem's part of it; how many tiles pass at a time is left to whoever runs them.
inline winograd_shape winograd_shape_of(const conv_problem& p) {
  const shape4 d = p.dst();
  winograd_shape w{};
  w.height = p.src.h, w.width = p.src.w, w.top = p.pad.top, w.left = p.pad.left;
  w.out_height = d.h, w.out_width = d.w;
  w.in = static_cast<std::size_t>(p.src.c), w.out = static_cast<std::size_t>(d.c);
  const auto tiles_of = [](int size) {
    return rounded_up(static_cast<std::size_t>(size), tile_out) / tile_out;
  };
  w.rows = tiles_of(d.h), w.columns = tiles_of(d.w);
  w.tiles = static_cast<std::size_t>(p.src.n) * w.rows * w.columns;
  return w;
}

/// V = B^T d B of `count` tiles from tile `first` on.
template <class Floats>
EFFNET_KERNEL_BODY void transform_sources(const winograd_shape& w, const float* src,
                                          std::size_t first, std::size_t count, float* v) {
  constexpr std::size_t lanes = lanes_of<Floats>;
  const std::size_t per_image = w.rows * w.columns;
  const auto row_step = static_cast<std::size_t>(w.width) * w.in;
  float edge[tile_points * lanes];
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
      const float* at = corner + c;
      std::size_t down = row_step, across = w.in;
      if (!inside || part < lanes) {  // copied between zeros
        for (int y = 0; y < static_cast<int>(tile_src); ++y)
          for (int x = 0; x < static_cast<int>(tile_src); ++x) {
            Floats value = {};
            if (y >= rows_from && y < rows_to && x >= columns_from && x < columns_to)
              load_part(at + static_cast<std::ptrdiff_t>(y) * static_cast<std::ptrdiff_t>(down) +
                            x * static_cast<std::ptrdiff_t>(across),
                        part, value);
            store(value,
                  edge + static_cast<std::size_t>(y * static_cast<int>(tile_src) + x) * lanes);
          }
        at = edge, down = tile_src * lanes, across = lanes;
      }
      Floats columns[tile_src][tile_src];  // [row][column], transformed down
#pragma GCC unroll 6
      for (std::size_t x = 0; x < tile_src; ++x) {
        Floats d[tile_src], lines[tile_src];
#pragma GCC unroll 6
        for (std::size_t y = 0; y < tile_src; ++y) load(at + y * down + x * across, d[y]);
        source_transform(d, lines);
#pragma GCC unroll 6
        for (std::size_t y = 0; y < tile_src; ++y) columns[y][x] = lines[y];
      }
      float* to = v + t * w.source_row + c;
#pragma GCC unroll 6
      for (std::size_t y = 0; y < tile_src; ++y) {
        Floats points[tile_src];
        source_transform(columns[y], points);
#pragma GCC unroll 6
        for (std::size_t x = 0; x < tile_src; ++x)
          store(points[x], to + (y * tile_src + x) * w.source_point);
      }
    }
  }
}

/// Where the results of a tile stand, in floats from the batch's first, and how many rows and
/// columns of them its image has.
struct result_tile {
  std::size_t first, high, wide;
};
EFFNET_KERNEL_BODY result_tile result_tile_of(const winograd_shape& w, std::size_t t) {
  const auto height = static_cast<std::size_t>(w.out_height);
  const auto width = static_cast<std::size_t>(w.out_width);
  const std::size_t image = t / (w.rows * w.columns), place = t % (w.rows * w.columns);
  const std::size_t y = place / w.columns * tile_out, x = place % w.columns * tile_out;
  return {((image * height + y) * width + x) * w.out, std::min(tile_out, height - y),
          std::min(tile_out, width - x)};
}

/// Fetches what tile `t` stores, `channels` from `dst` on: rows of tiles are too scattered for the
/// hardware to see.
inline void fetch_results(const winograd_shape& w, const float* dst, std::size_t t,
                          std::size_t channels) {
  const result_tile tile = result_tile_of(w, t);
  const float* row = dst + tile.first;
  for (std::size_t y = 0; y < tile.high; ++y, row += static_cast<std::size_t>(w.out_width) * w.out)
    for (std::size_t x = 0; x < tile.wide; ++x)
      for (std::size_t c = 0; c < channels; c += channel_block)
        fetch_for_store(row + x * w.out + c);
}

/// What the products of one panel become: dst = epilogue(A^T M A) of `count` tiles from tile
/// `first` on, for the `channels` that the panel has, `dst` and `bias` from the first of them on.
struct winograd_results {
  epilogue then;
  const float* products;
  const float* bias;
  std::size_t channels;
  std::size_t first, count;
  float* dst;
};

/// Stores a register of channels of one tile's results, which lie at `values` before bias.
template <class Floats, class Act>
EFFNET_KERNEL_BODY void store_tile(const winograd_shape& w, const winograd_results& of, Act before,
                                   const result_tile& tile, const float* values, std::size_t c) {
  constexpr std::size_t lanes = lanes_of<Floats>;
  const std::size_t part = std::min(lanes, of.channels - c), step = w.out;
  const std::size_t row = static_cast<std::size_t>(w.out_width) * step;
  const epilogue then = of.then;
  Floats bias;
  load_part(of.bias + c, part, bias);
  float* to = of.dst + tile.first + c;
  for (std::size_t y = 0; y < tile.high; ++y, to += row, values += tile_out * lanes) {
    float* pixel = to;
    for (std::size_t x = 0; x < tile.wide; ++x, pixel += step) {
      Floats value;
      load(values + x * lanes, value);
      apply(before, value + bias, value);
      if (then.add_dst) {
        Floats residual;
        load_part(pixel, part, residual);
        value += residual;
      }
      if (then.after != activation::identity) apply(then.after, value, value);
      if (part == lanes)
        store(value, pixel);
      else
        store_part(value, part, pixel);
    }
  }
}

template <class Floats>
EFFNET_KERNEL_BODY void transform_products(const winograd_shape& w, const winograd_results& to) {
  constexpr std::size_t lanes = lanes_of<Floats>;
  for (std::size_t t = 0; t < to.count; ++t) {
    const result_tile tile = result_tile_of(w, to.first + t);
    for (std::size_t c = 0; c < to.channels; c += lanes) {
      const float* from = to.products + t * w.product_row + c;
      Floats down[tile_out][tile_src];
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
      float values[tile_out * tile_out * lanes];
#pragma GCC unroll 4
      for (std::size_t y = 0; y < tile_out; ++y) {
        Floats sums[tile_out];
        output_transform(down[y], sums);
#pragma GCC unroll 4
        for (std::size_t x = 0; x < tile_out; ++x)
          store(sums[x], values + (y * tile_out + x) * lanes);
      }
      if (prefers_constant<Floats> && to.then.before == activation::silu)
        store_tile<Floats>(w, to, constant_silu{}, tile, values, c);
      else
        store_tile<Floats>(w, to, to.then.before, tile, values, c);
    }
  }
}

/// The 3x3 filters from all source channels to those of one panel.
struct winograd_filters {
  const float* filters;  ///< of the panel's first channel: 9 floats of a filter side by side
  std::size_t out_step, in_step;  ///< floats between filters of neighbouring channels
  bool turned;                    ///< by half a turn, as the gradient by the source reads them
  std::size_t in, channels, columns;
  float* u;  ///< [point][in][columns]
};

/// U = G g G^T, with zeros in columns without a channel.
template <class Floats>
EFFNET_KERNEL_BODY void transform_filters(const winograd_filters& w) {
  constexpr std::size_t lanes = lanes_of<Floats>;
  for (std::size_t i = 0; i < w.in; ++i)
    for (std::size_t c = 0; c < w.columns; c += lanes) {
      float taps[9][lanes] = {};
      for (std::size_t k = 0; k < lanes && c + k < w.channels; ++k) {
        const float* filter = w.filters + (c + k) * w.out_step + i * w.in_step;
        for (std::size_t t = 0; t < 9; ++t) taps[t][k] = filter[w.turned ? 8 - t : t];
      }
      Floats columns[tile_src][3];
      for (std::size_t x = 0; x < 3; ++x) {
        Floats g[3], down[tile_src];
        for (std::size_t y = 0; y < 3; ++y) load(taps[y * 3 + x], g[y]);
        weight_transform(g, down);
        for (std::size_t y = 0; y < tile_src; ++y) columns[y][x] = down[y];
      }
      for (std::size_t y = 0; y < tile_src; ++y) {
        Floats across[tile_src];
        weight_transform(columns[y], across);
        for (std::size_t x = 0; x < tile_src; ++x)
          store(across[x], w.u + ((y * tile_src + x) * w.in + i) * w.columns + c);
      }
    }
}

inline void transform_filters_portable(const winograd_filters& w) {
  transform_filters<floats4>(w);
}
EFFNET_TARGET_AVX2 inline void transform_filters_avx2(const winograd_filters& w) {
  transform_filters<floats8>(w);
}
EFFNET_TARGET_AVX512 inline void transform_filters_avx512(const winograd_filters& w) {
  transform_filters<floats16>(w);
}
inline void transform_sources_portable(const winograd_shape& w, const float* src, std::size_t first,
                                       std::size_t count, float* v) {
  transform_sources<floats4>(w, src, first, count, v);
}
EFFNET_TARGET_AVX2 inline void transform_sources_avx2(const winograd_shape& w, const float* src,
                                                      std::size_t first, std::size_t count,
                                                      float* v) {
  transform_sources<floats8>(w, src, first, count, v);
}
EFFNET_TARGET_AVX512 inline void transform_sources_avx512(const winograd_shape& w, const float* src,
                                                          std::size_t first, std::size_t count,
                                                          float* v) {
  transform_sources<floats16>(w, src, first, count, v);
}
inline void transform_products_portable(const winograd_shape& w, const winograd_results& to) {
  transform_products<floats4>(w, to);
}
EFFNET_TARGET_AVX2 inline void transform_products_avx2(const winograd_shape& w,
                                                       const winograd_results& to) {
  transform_products<floats8>(w, to);
}
EFFNET_TARGET_AVX512 inline void transform_products_avx512(const winograd_shape& w,
                                                           const winograd_results& to) {
  transform_products<floats16>(w, to);
}

}  // namespace effnet::cpu::detail
