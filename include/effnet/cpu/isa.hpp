#pragma once

namespace effnet::cpu {

/// What own kernels are written for. A kernel is a plain function with a `target` attribute for
/// each of these; baseline code picks one at run time, so programs need no -march.
enum class isa { portable, avx2, avx512 };

inline isa best_isa() {
#if defined(__x86_64__)
  static const isa best = [] {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq"))
      return isa::avx512;
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? isa::avx2
                                                                           : isa::portable;
  }();
  return best;
#else
  return isa::portable;
#endif
}

/// One of three, a kernel or a fact about one, for an instruction set.
template <class T>
constexpr T for_isa(isa best, T portable, T avx2, T avx512) {
  return best == isa::avx512 ? avx512 : best == isa::avx2 ? avx2 : portable;
}

namespace detail {
inline const bool amd = [] {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return __builtin_cpu_is("amd") != 0;
#else
  return false;
#endif
}();
}  // namespace detail

/// Whether 16 divisions cost less than a reciprocal and its refinement: on AMD's processors with
/// AVX-512 (half of it from Zen 5 on), not on Intel's (up to Sapphire Rapids).
inline bool divides_fast() {
  return detail::amd;
}

}  // namespace effnet::cpu

#if defined(__x86_64__)
#define EFFNET_TARGET_AVX2 [[gnu::target("avx2,fma")]]
#define EFFNET_TARGET_AVX512 [[gnu::target("avx2,fma,avx512f,avx512vl,avx512bw,avx512dq")]]
#define EFFNET_TARGET_BF16 [[gnu::target("avx2,fma,avx512f,avx512vl,avx512bw,avx512dq,avx512bf16")]]
#else
#define EFFNET_TARGET_AVX2
#define EFFNET_TARGET_AVX512
#endif
/// Whether kernels may name instructions. Clang takes wide registers there only in functions with a
/// target of their own, which bodies are not; it finds most of these instructions by itself.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define EFFNET_NAMES_INSTRUCTIONS 1
#else
#define EFFNET_NAMES_INSTRUCTIONS 0
#endif
/// The body of a kernel, inlined into the functions that fix its instruction set.
#define EFFNET_KERNEL_BODY [[gnu::always_inline]] inline
