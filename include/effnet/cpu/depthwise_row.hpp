#pragma once

#include <algorithm>
#include <cstddef>

#include <effnet/cpu/vector_math.hpp>

namespace effnet::cpu {

/// Pixels whose results are made together, so that none waits for its last sum, and half of them at
/// the end of a row.
inline constexpr std::size_t depthwise_pixels = 8;

/// One row of results of a depthwise convolution for a block of channels, from source rows with
/// zeros beside them: dst[x][c] = act(bias[c] + sum over ky, kx of
/// rows[ky][(x * stride + kx)][c] * weights[ky][kx][c]); their sum over the row is added to `sums`.
/// Source pixels are two registers apart, and rows hold what `width` rounded up to half
/// `depthwise_pixels` would read.
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

/// Activates, sums and stores the `count` results that lie at `results`, a register each.
template <class Floats, class Act>
EFFNET_KERNEL_BODY void depthwise_store(const depthwise_row& d, Act act, const float* results,
                                        std::size_t count, std::size_t x, std::size_t c,
                                        Floats& total) {
  const std::size_t part = std::min(lanes_of<Floats>, d.channels - c);
  float* to = d.dst + x * d.dst_step + c;
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
#pragma GCC unroll 8
  for (std::size_t i = 0; i < Pixels; ++i) sums[i] = bias;
  const float* weights = d.weights + c;
  for (std::size_t ky = 0; ky < kernel; ++ky) {
    const float* src = d.rows[ky] + x * step + c;
#pragma GCC unroll 5
    for (std::size_t kx = 0; kx < kernel; ++kx, src += pixel, weights += d.columns) {
      Floats w;
      load(weights, w);
#pragma GCC unroll 8
      for (std::size_t i = 0; i < Pixels; ++i) {
        Floats value;
        load(src + i * step, value);
        sums[i] += value * w;
      }
    }
  }
#pragma GCC unroll 8
  for (std::size_t i = 0; i < Pixels; ++i) store(sums[i], results + i * result_step);
}
template <class Floats, std::size_t Pixels>
EFFNET_KERNEL_BODY void depthwise_tile_of(const depthwise_row& d, std::size_t x, std::size_t c,
                                          float* results, std::size_t result_step) {
  if (d.kernel == 3 && d.stride == 1)
    depthwise_tile<Floats, Pixels, 3, 1>(d, x, c, results, result_step);
  else if (d.kernel == 3 && d.stride == 2)
    depthwise_tile<Floats, Pixels, 3, 2>(d, x, c, results, result_step);
  else if (d.kernel == 5 && d.stride == 1)
    depthwise_tile<Floats, Pixels, 5, 1>(d, x, c, results, result_step);
  else if (d.kernel == 5 && d.stride == 2)
    depthwise_tile<Floats, Pixels, 5, 2>(d, x, c, results, result_step);
  else
    depthwise_tile<Floats, Pixels, 0, 0>(d, x, c, results, result_step);
}

template <class Floats>
EFFNET_KERNEL_BODY void depthwise_row_body(const depthwise_row& of) {
  const depthwise_row d = of;  // a copy that the stores cannot change
  constexpr std::size_t lanes = lanes_of<Floats>, most = depthwise_pixels;
  for (std::size_t c = 0; c < d.channels; c += lanes) {
    Floats total = {};
    float buffer[most * lanes];
    for (std::size_t x = 0; x < d.width; x += most) {
      const std::size_t count = std::min(most, d.width - x);
      // Bare results are made in their place.
      const bool bare = d.act == activation::identity && d.sums == nullptr &&
                        d.channels - c >= lanes && count % (most / 2) == 0;
      float* results = bare ? d.dst + x * d.dst_step + c : buffer;
      const std::size_t step = bare ? d.dst_step : lanes;
      for (std::size_t i = 0; bare && i < count; ++i)
        fetch_for_store(results + (d.width + i) * d.dst_step);
      if (count > most / 2)
        depthwise_tile_of<Floats, most>(d, x, c, results, step);
      else
        depthwise_tile_of<Floats, most / 2>(d, x, c, results, step);
      if (bare) continue;
      if (d.act == activation::silu)
        depthwise_store(d, constant_silu{}, buffer, count, x, c, total);
      else
        depthwise_store(d, d.act, buffer, count, x, c, total);
    }
    if (d.sums == nullptr) continue;
    Floats before;
    load(d.sums + c, before);
    store(before + total, d.sums + c);
  }
}
inline void depthwise_row_portable(const depthwise_row& d) {
  depthwise_row_body<floats4>(d);
}
EFFNET_TARGET_AVX2 inline void depthwise_row_avx2(const depthwise_row& d) {
  depthwise_row_body<floats8>(d);
}
EFFNET_TARGET_AVX512 inline void depthwise_row_avx512(const depthwise_row& d) {
  depthwise_row_body<floats16>(d);
}

}  // namespace detail

inline void make_depthwise_row(const depthwise_row& d, isa best) {
  for_isa(best, detail::depthwise_row_portable, detail::depthwise_row_avx2,
          detail::depthwise_row_avx512)(d);
}

}  // namespace effnet::cpu
