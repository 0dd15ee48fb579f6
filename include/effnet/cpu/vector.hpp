#pragma once

#include <cstddef>
#include <cstring>

#include <effnet/cpu/isa.hpp>

namespace effnet::cpu {

/// One register of floats of each instruction set. A kernel's body is a template on one of these
/// and never wider than its target's: GCC takes a wider vector apart through memory. They never
/// cross a call that is not inlined.
using floats1 = float __attribute__((vector_size(4)));  // for what fills no register
using floats4 = float __attribute__((vector_size(16)));
using floats8 = float __attribute__((vector_size(32)));
using floats16 = float __attribute__((vector_size(64)));

template <class Floats>
inline constexpr std::size_t lanes_of = sizeof(Floats) / sizeof(float);

/// Channels that one thread takes at a time: whole registers of every instruction set, one cache
/// line.
inline constexpr std::size_t channel_block = 16;

template <class Floats>
EFFNET_KERNEL_BODY void load(const float* from, Floats& to) {
  std::memcpy(&to, from, sizeof to);
}
template <class Floats>
EFFNET_KERNEL_BODY void store(const Floats& from, float* to) {
  std::memcpy(to, &from, sizeof from);
}

}  // namespace effnet::cpu
