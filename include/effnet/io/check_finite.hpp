#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>

#include <effnet/core/raw_tensor.hpp>

namespace effnet {

namespace detail {

/// Index of the first element all of whose exponent bits are set: infinite or not a number.
template <class Bits>
std::optional<std::size_t> first_not_finite(const std::byte* data, std::size_t count,
                                            Bits exponent) {
  constexpr std::size_t chunk = 1024;  // whole chunks first: without an exit the loop is vectorised
  for (std::size_t begin = 0; begin < count; begin += chunk) {
    const std::size_t end = count - begin < chunk ? count : begin + chunk;
    const auto bits_at = [&](std::size_t i) {
      Bits bits;
      std::memcpy(&bits, data + i * sizeof bits, sizeof bits);
      return bits;
    };
    bool bad = false;
    for (std::size_t i = begin; i < end; ++i) bad |= (bits_at(i) & exponent) == exponent;
    if (!bad) continue;
    for (std::size_t i = begin; i < end; ++i)
      if ((bits_at(i) & exponent) == exponent) return i;
  }
  return std::nullopt;
}

}  // namespace detail

/// Flat index of the first element that is infinite or not a number; nothing where there is none or
/// the type has no such values.
inline std::optional<std::size_t> first_not_finite(const raw_tensor& tensor) {
  const std::size_t count = tensor.data == nullptr ? 0 : tensor.elements();
  switch (tensor.type) {
    case dtype::f64:
      return detail::first_not_finite(tensor.data, count, std::uint64_t{0x7FF0000000000000});
    case dtype::f32:
      return detail::first_not_finite(tensor.data, count, std::uint32_t{0x7F800000});
    case dtype::f16:
      return detail::first_not_finite(tensor.data, count, std::uint16_t{0x7C00});
    case dtype::bf16:
      return detail::first_not_finite(tensor.data, count, std::uint16_t{0x7F80});
    default:
      return std::nullopt;
  }
}

}  // namespace effnet
