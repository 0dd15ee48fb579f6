#pragma once

#include <cstdint>

#include <effnet/core/dtype.hpp>
#include <effnet/core/error.hpp>
#include <effnet/math/rounding.hpp>

/// Numbers as a device's memory holds them. Kernels compute in fp32, whatever these are.
namespace effnet::cuda {

struct bf16 {
  std::uint16_t bits;
};
/// IEEE's binary16.
struct fp16 {
  std::uint16_t bits;
};

EFFNET_HD inline float widened(float x) {
  return x;
}
EFFNET_HD inline float widened(bf16 x) {
  return math::lower_of_pair(x.bits);
}
EFFNET_HD inline float widened(fp16 x) {
#if defined(__CUDA_ARCH__)
  float wide;
  asm("cvt.f32.f16 %0, %1;" : "=f"(wide) : "h"(x.bits));
  return wide;
#else
  return math::from_fp16_bits(x.bits);
#endif
}

/// The nearest number of type `T`.
template <class T>
EFFNET_HD T stored(float x);
template <>
EFFNET_HD inline float stored<float>(float x) {
  return x;
}
template <>
EFFNET_HD inline bf16 stored<bf16>(float x) {
#if __CUDA_ARCH__ >= 800
  std::uint16_t bits;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(x));
  return {bits};
#else
  return {static_cast<std::uint16_t>(math::bf16_bits(x))};
#endif
}
template <>
EFFNET_HD inline fp16 stored<fp16>(float x) {
#if defined(__CUDA_ARCH__)
  std::uint16_t bits;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(x));
  return {bits};
#else
  return {static_cast<std::uint16_t>(math::fp16_bits(x))};
#endif
}

/// Calls `with.template operator()<T>()` for the type of maps that are trained...
template <class With>
decltype(auto) with_trained_type(dtype type, const With& with) {
  if (type == dtype::bf16) return with.template operator()<bf16>();
  if (type == dtype::f32) return with.template operator()<float>();
  throw backend_error(sentence("gradients of ", name_of(type), " are not made; train in BF16"));
}
/// ... and of those of inference.
template <class With>
decltype(auto) with_stored_type(dtype type, const With& with) {
  if (type == dtype::f16) return with.template operator()<fp16>();
  return with_trained_type(type, with);
}

}  // namespace effnet::cuda
