#pragma once

#include <cstddef>

#include <effnet/cpu/vector.hpp>

namespace effnet::cpu::detail {

/// sums[row][:] += sum over k < depth of src[row * row_step + k] * weights[k][:], for `Rows` rows
/// and `Registers` registers of columns: the inner loop of every dense kernel. The sums stay in
/// registers as long as there are fewer of them than the instruction set has, by four.
template <class Floats, std::size_t Rows, std::size_t Registers>
EFFNET_KERNEL_BODY void add_products(const float* src, std::size_t row_step, const float* weights,
                                     std::size_t depth, Floats (&sums)[Rows][Registers]) {
  constexpr std::size_t lanes = lanes_of<Floats>;
  for (std::size_t k = 0; k < depth; ++k) {
    Floats w[Registers];
#pragma GCC unroll 4
    for (std::size_t r = 0; r < Registers; ++r) load(weights + (k * Registers + r) * lanes, w[r]);
#pragma GCC unroll 16
    for (std::size_t row = 0; row < Rows; ++row) {
      const float x = src[row * row_step + k];
#pragma GCC unroll 4
      for (std::size_t r = 0; r < Registers; ++r) sums[row][r] += x * w[r];
    }
  }
}

/// Rows of such a tile where a row has two registers: as many as leave registers for the rest.
template <class Floats>
inline constexpr std::size_t tile_rows = lanes_of<Floats> == 16  ? 12
                                         : lanes_of<Floats> == 8 ? 6
                                                                 : 4;

}  // namespace effnet::cpu::detail
