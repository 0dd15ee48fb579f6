#pragma once

#include <cstddef>
#include <cstring>

#include <effnet/cpu/isa.hpp>

namespace effnet::cpu {

/// Sixteen floats. The compiler makes one AVX-512, two AVX2 or four SSE registers of it, by the
/// target of the function it is used in; so it never crosses a call that is not inlined.
using floats = float __attribute__((vector_size(64)));
inline constexpr std::size_t lanes = 16;

EFFNET_KERNEL_BODY void load(const float* from, floats& to) {
  std::memcpy(&to, from, sizeof to);
}
EFFNET_KERNEL_BODY void store(const floats& from, float* to) {
  std::memcpy(to, &from, sizeof from);
}

}  // namespace effnet::cpu
