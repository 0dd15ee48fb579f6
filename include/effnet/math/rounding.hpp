#pragma once

#include <bit>
#include <cstdint>

#include <effnet/core/config.hpp>

/// Numbers as matrix units of processors and GPUs take them; what is not a number stays so.
namespace effnet::math {

/// The upper half of a float, rounded to the nearest, ties to even.
EFFNET_HD inline std::uint32_t bf16_bits(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return bits >> 16 | 0x40;
  return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}
/// A float as IEEE's binary16, rounded to the nearest, ties to even; beyond 65504 it is infinite.
EFFNET_HD inline std::uint32_t fp16_bits(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t sign = bits >> 16 & 0x8000u, size = bits & 0x7fffffffu;
  if (size > 0x7f800000u) return sign | 0x7e00u;
  if (size >= 0x477ff000u) return sign | 0x7c00u;  // 65520 and more
  // Below 2^-14 the steps are of 2^-24: those of a float near 0.5.
  if (size < 0x38800000u)
    return sign | (std::bit_cast<std::uint32_t>(std::bit_cast<float>(size) + 0.5f) - 0x3f000000u);
  return sign | ((size - 0x38000000u + 0xfffu + (size >> 13 & 1)) >> 13);
}
EFFNET_HD inline float from_fp16_bits(std::uint32_t half) {
  const std::uint32_t sign = (half & 0x8000u) << 16, size = half & 0x7fffu;
  if (size >= 0x7c00u) return std::bit_cast<float>(sign | 0x7f800000u | (size & 0x3ffu) << 13);
  if (size >= 0x400u) return std::bit_cast<float>(sign | ((size << 13) + 0x38000000u));
  const float small = static_cast<float>(size) * 0x1p-24f;
  return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(small));
}

/// Two bf16 numbers where a float would stand.
EFFNET_HD inline std::uint32_t bf16_pair(float lower, float upper) {
  return bf16_bits(lower) | bf16_bits(upper) << 16;
}
EFFNET_HD inline float lower_of_pair(std::uint32_t pair) {
  return std::bit_cast<float>(pair << 16);
}
EFFNET_HD inline float upper_of_pair(std::uint32_t pair) {
  return std::bit_cast<float>(pair & 0xffff0000u);
}

/// A float with 10 bits behind the point, rounded to the nearest, ties away from zero, as PTX's
/// `cvt.rna.tf32.f32` does it.
EFFNET_HD inline float tf32_rounded(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  if ((bits & 0x7f800000u) == 0x7f800000u) return x;
  return std::bit_cast<float>((bits + 0x1000u) & 0xffffe000u);
}

}  // namespace effnet::math
