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

/// Floats in an odd number of cache lines, at least `floats`: rows at powers of two would fall on
/// each other in the cache.
constexpr std::size_t odd_lines(std::size_t floats) {
  return ((floats + channel_block - 1) / channel_block | 1) * channel_block;
}

template <class Floats>
EFFNET_KERNEL_BODY void load(const float* from, Floats& to) {
  std::memcpy(&to, from, sizeof to);
}
template <class Floats>
EFFNET_KERNEL_BODY void store(const Floats& from, float* to) {
  std::memcpy(to, &from, sizeof from);
}

/// Fetches the cache line of `to` to be stored to: the processor owns it then, as after a plain
/// prefetch it would not.
inline void fetch_for_store(const float* to) {
#if defined(__x86_64__)
  asm volatile("prefetchw %0" : : "m"(*to));  // the builtin knows it by a compiler option alone
#else
  __builtin_prefetch(to, 1);
#endif
}

/// The first `count` lanes, at most all; the others are 0, and nothing behind is read.
template <class Floats>
EFFNET_KERNEL_BODY void load_part(const float* from, std::size_t count, Floats& to) {
  to = Floats{};
  std::memcpy(&to, from, count * sizeof(float));
}
/// Stores the first `count` lanes and touches nothing behind.
template <class Floats>
EFFNET_KERNEL_BODY void store_part(const Floats& from, std::size_t count, float* to) {
  std::memcpy(to, &from, count * sizeof(float));
}

#if EFFNET_NAMES_INSTRUCTIONS
// A copy of a length that is not constant is a call of memcpy.
EFFNET_KERNEL_BODY void load_part(const float* from, std::size_t count, floats16& to) {
  const auto mask = static_cast<unsigned short>((1u << count) - 1);
  asm("vmovups %1, %0%{%2%}%{z%}"
      : "=v"(to)
      : "m"(*reinterpret_cast<const float(*)[16]>(from)), "Yk"(mask));
}
EFFNET_KERNEL_BODY void store_part(const floats16& from, std::size_t count, float* to) {
  const auto mask = static_cast<unsigned short>((1u << count) - 1);
  asm("vmovups %1, %0%{%2%}" : "+m"(*reinterpret_cast<float(*)[16]>(to)) : "v"(from), "Yk"(mask));
}

/// Eight lanes of which the first `count` are set, for instructions that take a mask so.
EFFNET_KERNEL_BODY const int* lane_mask(std::size_t count) {
  static constexpr int lanes[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
  return lanes + (8 - count);
}
EFFNET_KERNEL_BODY void load_part(const float* from, std::size_t count, floats8& to) {
  floats8 mask;
  std::memcpy(&mask, lane_mask(count), sizeof mask);
  asm("vmaskmovps %1, %2, %0"
      : "=x"(to)
      : "m"(*reinterpret_cast<const float(*)[8]>(from)), "x"(mask));
}
EFFNET_KERNEL_BODY void store_part(const floats8& from, std::size_t count, float* to) {
  floats8 mask;
  std::memcpy(&mask, lane_mask(count), sizeof mask);
  asm("vmaskmovps %1, %2, %0" : "+m"(*reinterpret_cast<float(*)[8]>(to)) : "x"(from), "x"(mask));
}
#endif

}  // namespace effnet::cpu
