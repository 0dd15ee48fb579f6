#pragma once

#include <algorithm>
#include <cstddef>

#include <effnet/backend/problems.hpp>
#include <effnet/cpu/vector_math.hpp>

namespace effnet::cpu {

/// dst[row][c] = after(before(sums[row][c] + bias[c]) + residual), for the first `channels` of a
/// panel's columns; the residual is what stands in dst, where `then` asks for one.
struct result_store {
  const float* sums;     ///< [rows][sum_step]
  std::size_t sum_step;  ///< in floats
  std::size_t rows;
  std::size_t channels;
  const float* bias;  ///< [channels]; null for none
  epilogue then;
  float* dst;            ///< [rows][dst_step]
  std::size_t dst_step;  ///< in floats
};

namespace detail {

/// One register of channels of all rows, a whole one or what is left. Where `then` is a constant,
/// loops ask nothing.
template <class Floats, bool Whole>
EFFNET_KERNEL_BODY void store_channels(const result_store& of, const epilogue then, std::size_t c) {
  const result_store s = of;  // a copy that the stores cannot change
  const std::size_t part = Whole ? lanes_of<Floats> : s.channels - c;
  Floats bias = {};
  if (s.bias != nullptr) load_part(s.bias + c, part, bias);
  const float* from = s.sums + c;
  float* to = s.dst + c;
  for (std::size_t row = 0; row < s.rows; ++row, from += s.sum_step, to += s.dst_step) {
    Floats value, residual;
    load(from, value);
    apply(then.before, value + bias, value);
    if (then.add_dst) {
      if constexpr (Whole)
        load(to, residual);
      else
        load_part(to, part, residual);
      value += residual;
    }
    if (then.after != activation::identity) apply(then.after, value, value);
    if constexpr (Whole)
      store(value, to);
    else
      store_part(value, part, to);
  }
}
template <class Floats>
EFFNET_KERNEL_BODY void store_results_body(const result_store& s) {
  constexpr epilogue sum, added{.add_dst = true}, silu{.before = activation::silu};
  std::size_t c = 0;
  for (; c + lanes_of<Floats> <= s.channels; c += lanes_of<Floats>)
    if (s.then == sum)
      store_channels<Floats, true>(s, sum, c);
    else if (s.then == added)
      store_channels<Floats, true>(s, added, c);
    else if (prefers_constant<Floats> && s.then == silu)
      store_channels<Floats, true>(s, silu, c);
    else
      store_channels<Floats, true>(s, s.then, c);
  if (c < s.channels) store_channels<Floats, false>(s, s.then, c);
}
inline void store_results_portable(const result_store& s) {
  store_results_body<floats4>(s);
}
EFFNET_TARGET_AVX2 inline void store_results_avx2(const result_store& s) {
  store_results_body<floats8>(s);
}
EFFNET_TARGET_AVX512 inline void store_results_avx512(const result_store& s) {
  store_results_body<floats16>(s);
}

}  // namespace detail

inline void store_results(const result_store& s, isa best) {
  for_isa(best, detail::store_results_portable, detail::store_results_avx2,
          detail::store_results_avx512)(s);
}

}  // namespace effnet::cpu
