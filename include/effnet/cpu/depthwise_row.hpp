#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include <effnet/cpu/vector_math.hpp>

namespace effnet::cpu {

/// One row of results of a depthwise convolution for a block of channels, from source rows with
/// zeros beside them: dst[x][c] = act(bias[c] + sum over ky, kx of
/// rows[ky][(x * stride + kx)][c] * weights[ky][kx][c]); their sum over the row is added to `sums`.
struct depthwise_row {
  const float* const* rows;  ///< `kernel` pointers to [pixels][columns]
  std::size_t columns;       ///< floats of a source pixel: whole registers
  std::size_t kernel, stride;
  std::size_t width;     ///< pixels of the result
  const float* weights;  ///< [kernel * kernel][columns]
  const float* bias;     ///< [channels]
  activation act;
  std::size_t channels;  ///< that are stored, at most `columns`
  float* dst;            ///< [width][dst_step]
  std::size_t dst_step;  ///< in floats
  float* sums;           ///< [columns]
};

namespace detail {

/// Pixels whose results are made together, so that none waits for its last sum.
inline constexpr std::size_t depthwise_pixels = 8;

/// Activates, sums and stores the `count` results that lie at `results`, a register each.
template <class Floats, class Act>
EFFNET_KERNEL_BODY void depthwise_store(const depthwise_row& d, Act act, const float* results,
                                        std::size_t count, std::size_t x, std::size_t c,
                                        Floats& total) {
  const std::size_t part = std::min(lanes_of<Floats>, d.channels - c);
  float* to = d.dst + x * d.dst_step + c;
  for (std::size_t i = 0; i < count; ++i, to += d.dst_step) {
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
template <class Floats, std::size_t Pixels>
EFFNET_KERNEL_BODY void depthwise_tile(const depthwise_row& d, std::size_t x, std::size_t c,
                                       float* results) {
  Floats sums[Pixels], bias;
  load_part(d.bias + c, std::min(lanes_of<Floats>, d.channels - c), bias);
#pragma GCC unroll 8
  for (std::size_t i = 0; i < Pixels; ++i) sums[i] = bias;
  const float* weights = d.weights + c;
  const std::size_t step = d.stride * d.columns;
  for (std::size_t ky = 0; ky < d.kernel; ++ky) {
    const float* src = d.rows[ky] + x * step + c;
    for (std::size_t kx = 0; kx < d.kernel; ++kx, src += d.columns, weights += d.columns) {
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
  for (std::size_t i = 0; i < Pixels; ++i) store(sums[i], results + i * lanes_of<Floats>);
}

/// The row for one register of channels, in tiles of at most `depthwise_pixels` of equal size.
template <class Floats, std::size_t... Pixels>
EFFNET_KERNEL_BODY void depthwise_register(const depthwise_row& d, std::size_t c,
                                           std::index_sequence<Pixels...>) {
  Floats total;
  load(d.sums + c, total);
  float results[depthwise_pixels * lanes_of<Floats>];
  const std::size_t tiles = (d.width + depthwise_pixels - 1) / depthwise_pixels;
  std::size_t from = 0;
  for (std::size_t i = 1; i <= tiles; ++i) {
    const std::size_t to = d.width * i / tiles;
    static_cast<void>(((to - from == Pixels + 1 &&
                        (depthwise_tile<Floats, Pixels + 1>(d, from, c, results), true)) ||
                       ...));
    if (d.act == activation::silu)
      depthwise_store(d, constant_silu{}, results, to - from, from, c, total);
    else
      depthwise_store(d, d.act, results, to - from, from, c, total);
    from = to;
  }
  store(total, d.sums + c);
}
template <class Floats>
EFFNET_KERNEL_BODY void depthwise_row_body(const depthwise_row& d) {
  for (std::size_t c = 0; c < d.channels; c += lanes_of<Floats>)
    depthwise_register<Floats>(d, c, std::make_index_sequence<depthwise_pixels>{});
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
