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
/// Two of them where a float would stand.
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
