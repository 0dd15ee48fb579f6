#pragma once

#include <algorithm>
#include <cstddef>

#include <effnet/cpu/panel_product.hpp>
#include <effnet/cpu/vector_math.hpp>

namespace effnet::cpu {

/// Results of a row are made in tiles of 12 pixels and of 8, so that none waits for its last sum:
/// pixels that `width` results take with what is made in vain.
constexpr std::size_t depthwise_pixels(std::size_t width) {
  return std::max<std::size_t>(8, (width + 3) / 4 * 4);
}

/// One row of results of a depthwise convolution for a block of channels, from source rows with
/// zeros beside them: dst[x][c] = act(bias[c] + sum over ky, kx of
/// rows[ky][(x * stride + kx)][c] * weights[ky][kx][c]); their sum over the row is added to `sums`.
/// Source pixels are two registers apart, and rows hold what `depthwise_pixels(width)` results
/// would read.
struct depthwise_row {
  const float* const* rows;  ///< `kernel` pointers to [pixels][2 * registers' floats]
  std::size_t kernel, stride;
  std::size_t width;     ///< pixels of the result
  const float* weights;  ///< [kernel * kernel][columns]
  std::size_t columns;   ///< floats of a weight: whole registers, at most two
  const float* bias;     ///< [channels]
  activation act;
  std::size_t channels;  ///< that are stored, at most `columns`
  float* dst;            ///< [width][dst_step]
  std::size_t dst_step;  ///< in floats
  float* sums;           ///< [columns]; null for none
};

namespace detail {

/// Activates, sums and stores the `count` results from pixel `x` on that lie at `results`, a
/// register each.
template <class Floats, class Act>
EFFNET_KERNEL_BODY void depthwise_store(const depthwise_row& of, Act act, const float* results,
                                        std::size_t count, std::size_t x, std::size_t c) {
  const depthwise_row d = of;  // a copy that the stores cannot change
  const std::size_t part = std::min(lanes_of<Floats>, d.channels - c);
  float* to = d.dst + x * d.dst_step + c;
  Floats total = {};
  for (std::size_t i = 0; i < count; ++i, to += d.dst_step) {
    // Where the next row goes: pieces of pixels are too far apart for the hardware to see.
    fetch_for_store(to + d.width * d.dst_step);
    Floats value;
    load(results + i * lanes_of<Floats>, value);
    apply(act, value, value);
    total += value;
    if (part == lanes_of<Floats>)
      store(value, to);
    else
      store_part(value, part, to);
  }
  if (d.sums == nullptr) return;
  Floats before;
  load(d.sums + c, before);
  store(before + total, d.sums + c);
}
template <class Floats>
EFFNET_KERNEL_BODY void depthwise_store(const depthwise_row& d, const float* results,
                                        std::size_t count, std::size_t x, std::size_t c) {
  if (prefers_constant<Floats> && d.act == activation::silu)
    depthwise_store<Floats>(d, constant_silu{}, results, count, x, c);
  else
    depthwise_store<Floats>(d, d.act, results, count, x, c);
}
inline void depthwise_store_portable(const depthwise_row& d, const float* results,
                                     std::size_t count, std::size_t x, std::size_t c) {
  depthwise_store<floats4>(d, results, count, x, c);
}
EFFNET_TARGET_AVX2 inline void depthwise_store_avx2(const depthwise_row& d, const float* results,
                                                    std::size_t count, std::size_t x,
                                                    std::size_t c) {
  depthwise_store<floats8>(d, results, count, x, c);
}
EFFNET_TARGET_AVX512 inline void depthwise_store_avx512(const depthwise_row& d,
                                                        const float* results, std::size_t count,
                                                        std::size_t x, std::size_t c) {
  depthwise_store<floats16>(d, results, count, x, c);
}

/// `Pixels` results from pixel `x` on, for one register of channels, before their activation.
/// `Kernel` and `Stride` are the row's, or 0. Results lie `result_step` floats
/// apart.
template <class Floats, std::size_t Pixels, std::size_t Kernel, std::size_t Stride>
EFFNET_KERNEL_BODY void depthwise_tile(const depthwise_row& d, std::size_t x, std::size_t c,
                                       float* results, std::size_t result_step) {
  constexpr std::size_t pixel = 2 * lanes_of<Floats>;
  const std::size_t kernel = Kernel > 0 ? Kernel : d.kernel;
  const std::size_t step = (Stride > 0 ? Stride : d.stride) * pixel;
  Floats sums[Pixels], bias;
  load_part(d.bias + c, std::min(lanes_of<Floats>, d.channels - c), bias);
#pragma GCC unroll 12
  for (std::size_t i = 0; i < Pixels; ++i) sums[i] = bias;
  const float* weights = d.weights + c;
  for (std::size_t ky = 0; ky < kernel; ++ky) {
    const float* src = d.rows[ky] + x * step + c;
    for (std::size_t kx = 0; kx < kernel; ++kx, src += pixel, weights += d.columns) {
      Floats w;
      load(weights, w);
#pragma GCC unroll 12
      for (std::size_t i = 0; i < Pixels; ++i) {
        Floats value;
        load(src + i * step, value);
        sums[i] += value * w;
      }
    }
  }
#pragma GCC unroll 12
  for (std::size_t i = 0; i < Pixels; ++i) store(sums[i], results + i * result_step);
}
using depthwise_tile_function = void (*)(const depthwise_row&, std::size_t, std::size_t, float*,
                                         std::size_t);

template <std::size_t Pixels, std::size_t Kernel, std::size_t Stride>
void depthwise_tile_portable(const depthwise_row& d, std::size_t x, std::size_t c, float* results,
                             std::size_t step) {
  depthwise_tile<floats4, Pixels, Kernel, Stride>(d, x, c, results, step);
}
template <std::size_t Pixels, std::size_t Kernel, std::size_t Stride>
EFFNET_TARGET_AVX2 void depthwise_tile_avx2(const depthwise_row& d, std::size_t x, std::size_t c,
                                            float* results, std::size_t step) {
  depthwise_tile<floats8, Pixels, Kernel, Stride>(d, x, c, results, step);
}
template <std::size_t Pixels, std::size_t Kernel, std::size_t Stride>
EFFNET_TARGET_AVX512 void depthwise_tile_avx512(const depthwise_row& d, std::size_t x,
                                                std::size_t c, float* results, std::size_t step) {
  depthwise_tile<floats16, Pixels, Kernel, Stride>(d, x, c, results, step);
}

/// The tiles of 8 and of 12 pixels.
struct depthwise_tiles {
  depthwise_tile_function low, high;
};
template <std::size_t Kernel, std::size_t Stride>
constexpr depthwise_tiles depthwise_tiles_avx2() {
  return {depthwise_tile_avx2<8, Kernel, Stride>, depthwise_tile_avx2<12, Kernel, Stride>};
}
template <std::size_t Kernel, std::size_t Stride>
constexpr depthwise_tiles depthwise_tiles_avx512() {
  return {depthwise_tile_avx512<8, Kernel, Stride>, depthwise_tile_avx512<12, Kernel, Stride>};
}
/// Kernels of one size where they gain most, for each takes time to compile.
inline depthwise_tiles depthwise_tiles_of(const depthwise_row& d, isa best) {
  const bool three = d.kernel == 3, five = d.kernel == 5;
  if (best == isa::avx512) {
    if (three && d.stride == 1) return depthwise_tiles_avx512<3, 1>();
    if (three && d.stride == 2) return depthwise_tiles_avx512<3, 2>();
    if (five && d.stride == 1) return depthwise_tiles_avx512<5, 1>();
    if (five && d.stride == 2) return depthwise_tiles_avx512<5, 2>();
    return depthwise_tiles_avx512<0, 0>();
  }
  if (best == isa::avx2) {
    if (three && d.stride == 1) return depthwise_tiles_avx2<3, 1>();
    if (five && d.stride == 1) return depthwise_tiles_avx2<5, 1>();
    return depthwise_tiles_avx2<0, 0>();
  }
  return {depthwise_tile_portable<8, 0, 0>, depthwise_tile_portable<12, 0, 0>};
}

}  // namespace detail

inline void make_depthwise_row(const depthwise_row& d, isa best) {
  const detail::depthwise_tiles tiles = detail::depthwise_tiles_of(d, best);
  const auto store = for_isa(best, detail::depthwise_store_portable, detail::depthwise_store_avx2,
                             detail::depthwise_store_avx512);
  const std::size_t lanes = lanes_of_isa(best);
  alignas(64) float buffer[12 * lanes_of<floats16>];
  for (std::size_t c = 0; c < d.channels; c += lanes)
    for (std::size_t x = 0, size = 0; x < d.width; x += size) {
      const bool high = depthwise_pixels(d.width - x) % 12 == 0;
      size = high ? 12 : 8;
      const std::size_t count = std::min(size, d.width - x);
      // Bare results are made in their place.
      const bool bare = d.act == activation::identity && d.sums == nullptr &&
                        d.channels - c >= lanes && count == size;
      float* results = bare ? d.dst + x * d.dst_step + c : buffer;
      for (std::size_t i = 0; bare && i < count; ++i)
        fetch_for_store(results + (d.width + i) * d.dst_step);
      (high ? tiles.high : tiles.low)(d, x, c, results, bare ? d.dst_step : lanes);
      if (!bare) store(d, results, count, x, c);
    }
}

}  // namespace effnet::cpu
