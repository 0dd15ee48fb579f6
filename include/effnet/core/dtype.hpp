#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace effnet {

/// Element types that weight files use, and activations. Computing is done in f32; the others are
/// widened.
enum class dtype { f64, f32, f16, bf16, i64, i32, i16, i8, u8, boolean };

constexpr std::size_t size_of(dtype type) {
  switch (type) {
    case dtype::f64:
    case dtype::i64:
      return 8;
    case dtype::f32:
    case dtype::i32:
      return 4;
    case dtype::f16:
    case dtype::bf16:
    case dtype::i16:
      return 2;
    case dtype::i8:
    case dtype::u8:
    case dtype::boolean:
      return 1;
  }
  return 0;
}

/// The spelling of safetensors.
constexpr std::string_view name_of(dtype type) {
  switch (type) {
    case dtype::f64:
      return "F64";
    case dtype::f32:
      return "F32";
    case dtype::f16:
      return "F16";
    case dtype::bf16:
      return "BF16";
    case dtype::i64:
      return "I64";
    case dtype::i32:
      return "I32";
    case dtype::i16:
      return "I16";
    case dtype::i8:
      return "I8";
    case dtype::u8:
      return "U8";
    case dtype::boolean:
      return "BOOL";
  }
  return "?";
}

constexpr bool is_floating(dtype type) {
  return type == dtype::f64 || type == dtype::f32 || type == dtype::f16 || type == dtype::bf16;
}

/// IEEE binary16 to binary32, exact.
constexpr float float_from_half(std::uint16_t half) {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000u) << 16;
  const std::uint32_t exponent = (half >> 10) & 0x1fu;
  const std::uint32_t mantissa = half & 0x3ffu;
  if (exponent == 0)  // zero and subnormals: mantissa * 2^-24
    return std::bit_cast<float>(
        sign | std::bit_cast<std::uint32_t>(static_cast<float>(mantissa) * 0x1p-24f));
  const std::uint32_t widened = exponent == 31 ? 255u : exponent + 112u;
  return std::bit_cast<float>(sign | widened << 23 | mantissa << 13);
}

/// bfloat16 is the upper half of a binary32.
constexpr float float_from_bfloat16(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

/// Widens `count` elements of a floating type (unaligned, little endian) to f32.
inline void widen(dtype type, const std::byte* src, std::size_t count, float* dst) {
  const auto each = [&]<class T>(T, auto convert) {
    for (std::size_t i = 0; i < count; ++i) {
      T element;
      std::memcpy(&element, src + i * sizeof(T), sizeof(T));
      dst[i] = convert(element);
    }
  };
  switch (type) {
    case dtype::f32:
      std::memcpy(dst, src, count * sizeof(float));
      break;
    case dtype::f64:
      each(0.0, [](double v) { return static_cast<float>(v); });
      break;
    case dtype::f16:
      each(std::uint16_t{}, float_from_half);
      break;
    case dtype::bf16:
      each(std::uint16_t{}, float_from_bfloat16);
      break;
    default:
      std::memset(dst, 0, count * sizeof(float));
      break;
  }
}

}  // namespace effnet
