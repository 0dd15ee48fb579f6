#pragma once

#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstddef>

#include <effnet/cpu/vector.hpp>

namespace fma_peak_detail {

/// Chains of multiply-adds that do not wait for each other: more than any processor's latency times
/// its units, and few enough for AVX2's 16 registers.
inline constexpr std::size_t chains = 12;

template <class Floats>
EFFNET_KERNEL_BODY float multiply_add(std::size_t rounds) {
  // Unknown to the compiler, which would else compute the limit, or merge chains that start alike.
  volatile float half = 0.5f;
  const Floats factor = Floats{} + half, addend = Floats{} + 1.0f;
  Floats sums[chains];
#pragma GCC unroll 16
  for (std::size_t c = 0; c < chains; ++c) sums[c] = Floats{} + half;
  for (std::size_t i = 0; i < rounds; ++i)
#pragma GCC unroll 16
    for (std::size_t c = 0; c < chains; ++c) sums[c] = sums[c] * factor + addend;
  Floats all = {};
#pragma GCC unroll 16
  for (std::size_t c = 0; c < chains; ++c) all += sums[c];
  return all[0];
}
inline float multiply_add_portable(std::size_t rounds) {
  return multiply_add<effnet::cpu::floats4>(rounds);
}
EFFNET_TARGET_AVX2 inline float multiply_add_avx2(std::size_t rounds) {
  return multiply_add<effnet::cpu::floats8>(rounds);
}
EFFNET_TARGET_AVX512 inline float multiply_add_avx512(std::size_t rounds) {
  return multiply_add<effnet::cpu::floats16>(rounds);
}

}  // namespace fma_peak_detail

/// Most floating-point operations a second that `threads` threads reach in registers alone, with
/// the widest vectors that own kernels use (one multiply-add: two operations); the best of a third
/// of a second. Busy neighbours make it smaller, and shares of it larger.
inline double measure_fma_peak(int threads) {
  using namespace fma_peak_detail;
  using clock = std::chrono::steady_clock;
  const effnet::cpu::isa best = effnet::cpu::best_isa();
  const auto kernel = best == effnet::cpu::isa::avx512 ? multiply_add_avx512
                      : best == effnet::cpu::isa::avx2 ? multiply_add_avx2
                                                       : multiply_add_portable;
  const std::size_t lanes = best == effnet::cpu::isa::avx512 ? 16
                            : best == effnet::cpu::isa::avx2 ? 8
                                                             : 4;
  constexpr std::size_t rounds = 500'000;  // some milliseconds
  const double operations =
      2.0 * static_cast<double>(threads) * static_cast<double>(rounds * chains * lanes);
  double peak = 0;
  const auto first = clock::now();
  while (clock::now() - first < std::chrono::milliseconds(330)) {
    const auto start = clock::now();
#pragma omp parallel num_threads(threads)
    {
      volatile float kept = kernel(rounds);
      static_cast<void>(kept);
    }
    const std::chrono::duration<double> took = clock::now() - start;
    peak = std::max(peak, operations / took.count());
  }
  return peak;
}
