#pragma once

#include <cstdint>

#include <effnet/core/config.hpp>

namespace effnet {

/// The finaliser of splitmix64 (Steele, Lea, Flood 2014) as a hash of a counter: no state, so the
/// numbers depend on what they are for and never on who asks first.
EFFNET_HD constexpr std::uint64_t mix64(std::uint64_t counter) {
  std::uint64_t z = counter + 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

/// Number `index` of stream `stream`, uniform in [0, 1) with 53 bits.
EFFNET_HD constexpr double uniform(std::uint64_t stream, std::uint64_t index) {
  return static_cast<double>(mix64((stream << 32) + index) >> 11) * 0x1p-53;
}

}  // namespace effnet
