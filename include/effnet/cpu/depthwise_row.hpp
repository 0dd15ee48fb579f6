#pragma once

#include <algorithm>
#include <cstddef>

#include <effnet/cpu/panel_product.hpp>
#include <effnet/cpu/vector_math.hpp>

namespace effnet::cpu {

/// Results of a row are made 12 pixels at a time and 8: pixels that `width` results take with what
/// is made in vain.
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

/// Activates, sums and stores the `count` results from pixel `x` on that lie at `results`, of one
/// register of every two.
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
    load(results + i * 2 * lanes_of<Floats>, value);
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

/// `Pixels` results from pixel `x` on, for `Registers` of channels from `c` on. `Kernel` and
/// `Stride` are the row's, or 0.
template <class Floats, std::size_t Pixels, std::size_t Registers, std::size_t Kernel,
          std::size_t Stride>
EFFNET_KERNEL_BODY void depthwise_tile(const depthwise_row& d, std::size_t x, std::size_t c,
                                       float* results, std::size_t result_step) {
  constexpr std::size_t lanes = lanes_of<Floats>, pixel = 2 * lanes;
  const std::size_t kernel = Kernel > 0 ? Kernel : d.kernel;
  const std::size_t step = (Stride > 0 ? Stride : d.stride) * pixel;
  Floats sums[Pixels][Registers];
#pragma GCC unroll 2
  for (std::size_t r = 0; r < Registers; ++r) {
    const std::size_t channel = c + r * lanes;
    Floats bias;
    load_part(d.bias + channel, std::min(lanes, d.channels - channel), bias);
#pragma GCC unroll 12
    for (std::size_t i = 0; i < Pixels; ++i) sums[i][r] = bias;
  }
  const float* weights = d.weights + c;
  for (std::size_t ky = 0; ky < kernel; ++ky) {
    const float* src = d.rows[ky] + x * step + c;
#pragma GCC unroll 5
    for (std::size_t kx = 0; kx < kernel; ++kx, src += pixel, weights += d.columns) {
      Floats w[Registers];
#pragma GCC unroll 2
      for (std::size_t r = 0; r < Registers; ++r) load(weights + r * lanes, w[r]);
#pragma GCC unroll 12
      for (std::size_t i = 0; i < Pixels; ++i)
#pragma GCC unroll 2
        for (std::size_t r = 0; r < Registers; ++r) {
          Floats value;
          load(src + i * step + r * lanes, value);
          sums[i][r] += value * w[r];
        }
    }
  }
#pragma GCC unroll 12
  for (std::size_t i = 0; i < Pixels; ++i)
#pragma GCC unroll 2
    for (std::size_t r = 0; r < Registers; ++r)
      store(sums[i][r], results + i * result_step + r * lanes);
}

/// Makes `count` results from pixel `x` on, at most 12, and a few more in vain.
using depthwise_tile_function = void (*)(const depthwise_row&, std::size_t x, std::size_t c,
                                         std::size_t count, float* results,
                                         std::size_t result_step);

/// Four pixels of both registers at a time: what is loaded, and stored, is a whole cache line.
template <class Floats, std::size_t Registers, std::size_t Kernel, std::size_t Stride>
EFFNET_KERNEL_BODY void depthwise_low_tiles(const depthwise_row& d, std::size_t x, std::size_t c,
                                            std::size_t count, float* to, std::size_t step) {
  for (std::size_t i = 0; i < count; i += 4)
    depthwise_tile<Floats, 4, Registers, Kernel, Stride>(d, x + i, c, to + i * step, step);
}
template <std::size_t Registers>
void depthwise_tiles_portable(const depthwise_row& d, std::size_t x, std::size_t c,
                              std::size_t count, float* to, std::size_t step) {
  depthwise_low_tiles<floats4, Registers, 0, 0>(d, x, c, count, to, step);
}
template <std::size_t Registers, std::size_t Kernel, std::size_t Stride>
EFFNET_TARGET_AVX2 void depthwise_tiles_avx2(const depthwise_row& d, std::size_t x, std::size_t c,
                                             std::size_t count, float* to, std::size_t step) {
  depthwise_low_tiles<floats8, Registers, Kernel, Stride>(d, x, c, count, to, step);
}
/// One register is a cache line.
template <std::size_t Kernel, std::size_t Stride>
EFFNET_TARGET_AVX512 void depthwise_tiles_avx512(const depthwise_row& d, std::size_t x,
                                                 std::size_t c, std::size_t count, float* to,
                                                 std::size_t step) {
  if (count > 8)
    depthwise_tile<floats16, 12, 1, Kernel, Stride>(d, x, c, to, step);
  else
    depthwise_tile<floats16, 8, 1, Kernel, Stride>(d, x, c, to, step);
}

/// What makes a row's results, for so many registers of channels at a time.
struct depthwise_tiles {
  std::size_t registers;
  depthwise_tile_function make;
};
/// `of` for the row's kernel and stride where kernels of one size gain most, for each takes time to
/// compile.
template <class Of>
depthwise_tile_function for_kernel(const depthwise_row& d, const Of& of) {
  const bool three = d.kernel == 3, five = d.kernel == 5;
  if (three && d.stride == 1) return of.template operator()<3, 1>();
  if (three && d.stride == 2) return of.template operator()<3, 2>();
  if (five && d.stride == 1) return of.template operator()<5, 1>();
  if (five && d.stride == 2) return of.template operator()<5, 2>();
  return of.template operator()<0, 0>();
}
inline depthwise_tiles depthwise_tiles_of(const depthwise_row& d, isa best) {
  const bool two = best != isa::avx512 && d.columns > lanes_of_isa(best);
  const auto make = [&]<std::size_t Kernel, std::size_t Stride>() -> depthwise_tile_function {
    if (best == isa::avx512) return depthwise_tiles_avx512<Kernel, Stride>;
    if (best == isa::avx2)
      return two ? depthwise_tiles_avx2<2, Kernel, Stride>
                 : depthwise_tiles_avx2<1, Kernel, Stride>;
    return two ? depthwise_tiles_portable<2> : depthwise_tiles_portable<1>;
  };
  return {two ? std::size_t{2} : std::size_t{1}, for_kernel(d, make)};
}

}  // namespace detail

inline void make_depthwise_row(const depthwise_row& d, isa best) {
  const detail::depthwise_tiles tiles = detail::depthwise_tiles_of(d, best);
  const auto store = for_isa(best, detail::depthwise_store_portable, detail::depthwise_store_avx2,
                             detail::depthwise_store_avx512);
  const std::size_t lanes = lanes_of_isa(best), channels = tiles.registers * lanes;
  alignas(64) float buffer[12 * 2 * lanes_of<floats16>];
  for (std::size_t c = 0; c < d.channels; c += channels)
    for (std::size_t x = 0, size = 0; x < d.width; x += size) {
      size = depthwise_pixels(d.width - x) % 12 == 0 ? 12 : 8;
      const std::size_t count = std::min(size, d.width - x);
      // Bare results are made in their place.
      if (d.act == activation::identity && d.sums == nullptr && d.channels - c >= channels &&
          count == size) {
        float* results = d.dst + x * d.dst_step + c;
        for (std::size_t i = 0; i < count; ++i)
          fetch_for_store(results + (d.width + i) * d.dst_step);
        tiles.make(d, x, c, count, results, d.dst_step);
        continue;
      }
      tiles.make(d, x, c, count, buffer, 2 * lanes);
      for (std::size_t r = 0; r < channels && c + r < d.channels; r += lanes)
        store(d, buffer + r, count, x, c + r);
    }
}

}  // namespace effnet::cpu
