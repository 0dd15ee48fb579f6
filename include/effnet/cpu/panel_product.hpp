#pragma once

#include <array>
#include <cstddef>
#include <utility>

#include <effnet/cpu/vector.hpp>

/// The matrix product that every dense kernel is made of: rows of pixels or tiles times a panel of
/// channels, one or two registers wide.
namespace effnet::cpu {

/// What will be read next, fetched into the second cache meanwhile: some tiles of rows fetch a
/// cache line each for every k.
struct fetched_lines {
  const float* first = nullptr;
  std::size_t depth_step = 0, tile_step = 0;  ///< floats from one k, and one tile, to the next
  std::size_t tiles = 0;
};

/// sums[row][:] (+)= sum over k < depth of src(row, k) * weights[k][:]. Gradients of weights sum
/// over pixels: their `src` stands the other way round, with a `row_step` of 1. A window is several
/// runs of `depth`, whose weights follow one another.
struct panel_product {
  const float* src;
  std::size_t row_step;        ///< floats from one row to the next
  std::size_t depth_step = 1;  ///< and from one k to the next
  std::size_t rows;
  const float* weights;
  std::size_t weight_step;  ///< floats from one k to the next
  std::size_t depth;
  std::size_t runs = 1;
  std::size_t run_step = 0;  ///< floats of `src` from one run to the next
  float* sums;               ///< [rows][sum_step]
  std::size_t sum_step;      ///< in floats
  bool add;                  ///< to what stands in `sums`; it is overwritten otherwise
  fetched_lines ahead = {};
};

namespace detail {

/// Rows of a tile at most: as many as leave registers for a panel's two and a source value.
template <class Floats>
inline constexpr std::size_t tile_rows = lanes_of<Floats> == 16  ? 14
                                         : lanes_of<Floats> == 8 ? 6
                                                                 : 4;

/// The sums of a tile, of what stands there where they are added to.
template <class Floats, std::size_t Rows, std::size_t Registers>
EFFNET_KERNEL_BODY void begin_sums(const panel_product& p, const float* to,
                                   Floats (&sums)[Rows][Registers]) {
  if (p.add) {
#pragma GCC unroll 16
    for (std::size_t row = 0; row < Rows; ++row)
#pragma GCC unroll 2
      for (std::size_t r = 0; r < Registers; ++r)
        load(to + row * p.sum_step + r * lanes_of<Floats>, sums[row][r]);
  } else {
#pragma GCC unroll 16
    for (std::size_t row = 0; row < Rows; ++row)
#pragma GCC unroll 2
      for (std::size_t r = 0; r < Registers; ++r) sums[row][r] = Floats{};
  }
}
template <class Floats, std::size_t Rows, std::size_t Registers>
EFFNET_KERNEL_BODY void end_sums(const panel_product& p, const Floats (&sums)[Rows][Registers],
                                 float* to) {
#pragma GCC unroll 16
  for (std::size_t row = 0; row < Rows; ++row)
#pragma GCC unroll 2
    for (std::size_t r = 0; r < Registers; ++r)
      store(sums[row][r], to + row * p.sum_step + r * lanes_of<Floats>);
}

/// `Rows` rows of it: the sums stay in registers.
template <class Floats, std::size_t Rows, std::size_t Registers>
EFFNET_KERNEL_BODY void multiply_tile(const panel_product& p, const float* src, float* to,
                                      const float* ahead) {
  constexpr std::size_t lanes = lanes_of<Floats>;
  Floats sums[Rows][Registers];
  begin_sums(p, to, sums);
  const float* weights = p.weights;
  for (std::size_t run = 0; run < p.runs; ++run, src += p.run_step) {
    const float* at = src;
    for (std::size_t k = 0; k < p.depth; ++k) {
      __builtin_prefetch(ahead, 0, 2);
      Floats w[Registers];
#pragma GCC unroll 2
      for (std::size_t r = 0; r < Registers; ++r) load(weights + r * lanes, w[r]);
#pragma GCC unroll 16
      for (std::size_t row = 0; row < Rows; ++row) {
        const float x = at[row * p.row_step];
#pragma GCC unroll 2
        for (std::size_t r = 0; r < Registers; ++r) sums[row][r] += x * w[r];
      }
      at += p.depth_step, weights += p.weight_step, ahead += p.ahead.depth_step;
    }
  }
  end_sums(p, sums, to);
}

using tile_function = void (*)(const panel_product&, const float*, float*, const float*);

template <std::size_t Rows, std::size_t Registers>
void tile_portable(const panel_product& p, const float* src, float* to, const float* ahead) {
  multiply_tile<floats4, Rows, Registers>(p, src, to, ahead);
}
template <std::size_t Rows, std::size_t Registers>
EFFNET_TARGET_AVX2 void tile_avx2(const panel_product& p, const float* src, float* to,
                                  const float* ahead) {
  multiply_tile<floats8, Rows, Registers>(p, src, to, ahead);
}
template <std::size_t Rows, std::size_t Registers>
EFFNET_TARGET_AVX512 void tile_avx512(const panel_product& p, const float* src, float* to,
                                      const float* ahead) {
  multiply_tile<floats16, Rows, Registers>(p, src, to, ahead);
}

/// Tiles of 1 to `sizeof...(Rows)` rows.
template <std::size_t Registers, std::size_t... Rows>
constexpr std::array<tile_function, sizeof...(Rows)> tiles_of(isa best,
                                                              std::index_sequence<Rows...>) {
  if constexpr (sizeof...(Rows) == tile_rows<floats16>)
    return {tile_avx512<Rows + 1, Registers>...};
  else if (best == isa::avx2)
    return {tile_avx2<Rows + 1, Registers>...};
  else
    return {tile_portable<Rows + 1, Registers>...};
}

/// All rows in as few tiles as there can be, as equal as they can be.
template <std::size_t Most>
void multiply_rows(const panel_product& p, const std::array<tile_function, Most>& tiles) {
  const std::size_t count = (p.rows + Most - 1) / Most;
  std::size_t from = 0;
  for (std::size_t i = 1; i <= count; ++i) {
    const std::size_t to = p.rows * i / count;
    // Behind the last line to be fetched, tiles fetch what is there.
    const float* ahead =
        i <= p.ahead.tiles ? p.ahead.first + (i - 1) * p.ahead.tile_step : p.weights;
    tiles[to - from - 1](p, p.src + from * p.row_step, p.sums + from * p.sum_step, ahead);
    from = to;
  }
}

}  // namespace detail

/// Floats of a register of an instruction set.
constexpr std::size_t lanes_of_isa(isa best) {
  return for_isa<std::size_t>(best, lanes_of<floats4>, lanes_of<floats8>, lanes_of<floats16>);
}

/// Rows that `multiply` takes at a time.
constexpr std::size_t most_rows(isa best) {
  return for_isa<std::size_t>(best, detail::tile_rows<floats4>, detail::tile_rows<floats8>,
                              detail::tile_rows<floats16>);
}

/// A panel of `registers` registers, 1 or 2: columns = registers * lanes_of_isa(best).
inline void multiply(const panel_product& p, std::size_t registers, isa best) {
  using detail::tile_rows, detail::tiles_of;
  const auto run = [&]<std::size_t Registers>(std::integral_constant<std::size_t, Registers>) {
    static constexpr auto wide =
        tiles_of<Registers>(isa::avx512, std::make_index_sequence<tile_rows<floats16>>{});
    static constexpr auto middle =
        tiles_of<Registers>(isa::avx2, std::make_index_sequence<tile_rows<floats8>>{});
    static constexpr auto narrow =
        tiles_of<Registers>(isa::portable, std::make_index_sequence<tile_rows<floats4>>{});
    if (best == isa::avx512)
      detail::multiply_rows(p, wide);
    else if (best == isa::avx2)
      detail::multiply_rows(p, middle);
    else
      detail::multiply_rows(p, narrow);
  };
  if (registers == 2)
    run(std::integral_constant<std::size_t, 2>{});
  else
    run(std::integral_constant<std::size_t, 1>{});
}

}  // namespace effnet::cpu
