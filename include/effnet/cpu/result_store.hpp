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

/// One register of channels of all rows.
template <class Floats>
EFFNET_KERNEL_BODY void store_channels(const result_store& of, std::size_t c) {
  const result_store s = of;  // a copy that the stores cannot change
  const std::size_t part = std::min(lanes_of<Floats>, s.channels - c);
  Floats bias = {};
  if (s.bias != nullptr) load_part(s.bias + c, part, bias);
  const float* from = s.sums + c;
  float* to = s.dst + c;
  for (std::size_t row = 0; row < s.rows; ++row, from += s.sum_step, to += s.dst_step) {
    Floats value;
    load(from, value);
    apply(s.then.before, value + bias, value);
    if (s.then.add_dst) {
      Floats residual;
      load_part(to, part, residual);
      value += residual;
    }
    if (s.then.after != activation::identity) apply(s.then.after, value, value);
    store_part(value, part, to);
  }
}
/// The same for a whole register with nothing behind the residual: what is known beforehand costs
/// no instructions.
template <class Floats, bool Residual, class Act>
EFFNET_KERNEL_BODY void store_whole(const result_store& of, Act before, std::size_t c) {
  const result_store s = of;
  Floats bias = {};
  if (s.bias != nullptr) load(s.bias + c, bias);
  const float* from = s.sums + c;
  float* to = s.dst + c;
  for (std::size_t row = 0; row < s.rows; ++row, from += s.sum_step, to += s.dst_step) {
    Floats value;
    load(from, value);
    apply(before, value + bias, value);
    if constexpr (Residual) {
      Floats residual;
      load(to, residual);
      value += residual;
    }
    store(value, to);
  }
}
template <class Floats>
EFFNET_KERNEL_BODY void store_results_body(const result_store& s) {
  const bool silu = prefers_constant<Floats> && s.then == epilogue{.before = activation::silu};
  const bool sums = s.then == epilogue{}, added = s.then == epilogue{.add_dst = true};
  for (std::size_t c = 0; c < s.channels; c += lanes_of<Floats>) {
    const bool whole = c + lanes_of<Floats> <= s.channels;
    if (whole && silu)
      store_whole<Floats, false>(s, constant_silu{}, c);
    else if (whole && sums)
      store_whole<Floats, false>(s, constant_identity{}, c);
    else if (whole && added)
      store_whole<Floats, true>(s, constant_identity{}, c);
    else
      store_channels<Floats>(s, c);
  }
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
