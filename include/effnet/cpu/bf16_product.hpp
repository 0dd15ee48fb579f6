#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include <effnet/cpu/bf16.hpp>
#include <effnet/cpu/panel_product.hpp>

namespace effnet::cpu {

namespace detail {

/// A panel of `columns` channels, pair by pair.
inline void multiply_pairs_portable(const panel_product& p, std::size_t columns) {
  const auto pair = [](const float* at) {
    std::uint32_t bits;
    std::memcpy(&bits, at, sizeof bits);
    return bits;
  };
  using math::lower_of_pair, math::upper_of_pair;
  for (std::size_t row = 0; row < p.rows; ++row)
    for (std::size_t c = 0; c < columns; ++c) {
      float& to = p.sums[row * p.sum_step + c];
      float sum = p.add ? to : 0.0f;
      for (std::size_t k = 0; k < p.depth; ++k) {
        const std::uint32_t x = pair(p.src + row * p.row_step + k * p.depth_step);
        const std::uint32_t w = pair(p.weights + k * p.weight_step + c);
        sum += upper_of_pair(x) * upper_of_pair(w);
        sum += lower_of_pair(x) * lower_of_pair(w);
      }
      to = sum;
    }
}

#if defined(__x86_64__)
/// `multiply_tile` of pairs: a register of the panel's times one of the row's.
template <std::size_t Rows, std::size_t Registers>
EFFNET_TARGET_BF16 void tile_bf16(const panel_product& p, const float* src, float* to,
                                  const float* ahead) {
  constexpr std::size_t lanes = lanes_of<floats16>;
  floats16 sums[Rows][Registers];
  begin_sums(p, to, sums);
  const float* weights = p.weights;
  for (std::size_t k = 0; k < p.depth; ++k) {
    __builtin_prefetch(ahead, 0, 2);
    floats16 w[Registers];
#pragma GCC unroll 2
    for (std::size_t r = 0; r < Registers; ++r) load(weights + r * lanes, w[r]);
#pragma GCC unroll 16
    for (std::size_t row = 0; row < Rows; ++row) {
      int pair;
      std::memcpy(&pair, src + row * p.row_step, sizeof pair);
      const ints16 x = ints16{} + pair;
#pragma GCC unroll 2
      for (std::size_t r = 0; r < Registers; ++r)
        asm("vdpbf16ps %2, %1, %0" : "+v"(sums[row][r]) : "v"(w[r]), "v"(x));
    }
    src += p.depth_step, weights += p.weight_step, ahead += p.ahead.depth_step;
  }
  end_sums(p, sums, to);
}

template <std::size_t Registers, std::size_t... Rows>
constexpr std::array<tile_function, sizeof...(Rows)> bf16_tiles(std::index_sequence<Rows...>) {
  return {tile_bf16<Rows + 1, Registers>...};
}

inline void multiply_pairs_bf16(const panel_product& p, std::size_t registers) {
  constexpr auto rows = std::make_index_sequence<tile_rows<floats16>>{};
  static constexpr auto one = bf16_tiles<1>(rows), two = bf16_tiles<2>(rows);
  multiply_rows(p, registers == 2 ? two : one);
}
#endif

}  // namespace detail

/// `multiply` of floats, or of pairs everywhere but in the sums.
inline void multiply(const panel_product& p, std::size_t registers, isa best, products of) {
  if (of == products::fp32) return multiply(p, registers, best);
#if defined(__x86_64__)
  if (best == isa::avx512 && has_bf16()) return detail::multiply_pairs_bf16(p, registers);
#endif
  detail::multiply_pairs_portable(p, registers * lanes_of_isa(best));
}

}  // namespace effnet::cpu
