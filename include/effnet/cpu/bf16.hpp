#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <effnet/cpu/vector.hpp>
#include <effnet/math/rounding.hpp>

/// Products of bf16 numbers, summed in fp32: AVX512_BF16 does two where there is room for one of
/// fp32. It multiplies pairs, so a pair stands where a float would, and rows are half as long:
/// buffers of pairs are typed as floats, and their sizes and steps count pairs. Numbers below
/// 2^-126 become zero there. The portable kernels, which keep them, are there to check the others
/// by: fp32 is faster than they are.
namespace effnet::cpu {

/// What dense 1x1 convolutions multiply: floats, or the same rounded to bf16.
enum class products { fp32, bf16 };

/// Whether the processor multiplies bf16 numbers.
inline bool has_bf16() {
#if defined(__x86_64__)
  static const bool has = best_isa() == isa::avx512 && __builtin_cpu_supports("avx512bf16") != 0;
  return has;
#else
  return false;
#endif
}

/// Numbers of a row that are multiplied one after the other: floats or pairs.
constexpr std::size_t depth_of(std::size_t channels, products of) {
  return of == products::bf16 ? (channels + 1) / 2 : channels;
}

/// Rows of channels as pairs of neighbours, times `scale` where there is one. Up to as many pairs
/// are written as whole registers of 16 channels make.
struct rounded_rows {
  const float* src;
  std::size_t step, rows, channels;
  const float* scale;  ///< [channels]; null: 1
  float* to;           ///< [rows][to_step]
  std::size_t to_step;
};

/// Rows in pairs: to[row / 2][c] holds src[row][c] and src[row + 1][c], or zero where an odd last
/// row has none beside it; zeros stand behind the channels.
struct paired_rows {
  const float* src;
  std::size_t step, rows, channels;
  std::size_t padded;  ///< pairs that are written, whole registers
  float* to;           ///< [(rows + 1) / 2][to_step]
  std::size_t to_step;
};

namespace detail {

inline void round_rows_portable(const rounded_rows& r) {
  const auto at = [&](std::size_t row, std::size_t c) {
    if (c >= r.channels) return 0.0f;
    return r.src[row * r.step + c] * (r.scale != nullptr ? r.scale[c] : 1.0f);
  };
  for (std::size_t row = 0; row < r.rows; ++row)
    for (std::size_t c = 0; c < r.channels; c += 2) {
      const std::uint32_t pair = math::bf16_pair(at(row, c), at(row, c + 1));
      std::memcpy(r.to + row * r.to_step + c / 2, &pair, sizeof pair);
    }
}
inline void pair_rows_portable(const paired_rows& r) {
  const auto at = [&](std::size_t row, std::size_t c) {
    return row < r.rows && c < r.channels ? r.src[row * r.step + c] : 0.0f;
  };
  for (std::size_t row = 0; row < r.rows; row += 2)
    for (std::size_t c = 0; c < r.padded; ++c) {
      const std::uint32_t pair = math::bf16_pair(at(row, c), at(row + 1, c));
      std::memcpy(r.to + row / 2 * r.to_step + c, &pair, sizeof pair);
    }
}

#if defined(__x86_64__)
using ints16 = int __attribute__((vector_size(64)));
using halves16 = unsigned short __attribute__((vector_size(32)));

/// The first `count` floats, or all of a register, rounded.
EFFNET_TARGET_BF16 inline void load_rounded(const float* from, const float* scale,
                                            std::size_t count, halves16& to) {
  floats16 x;
  load_part(from, std::min(lanes_of<floats16>, count), x);
  if (scale != nullptr) {
    floats16 factor;
    load_part(scale, std::min(lanes_of<floats16>, count), factor);
    x *= factor;
  }
  asm("vcvtneps2bf16 %1, %0" : "=v"(to) : "v"(x));
}

EFFNET_TARGET_BF16 inline void round_rows_bf16(const rounded_rows& r) {
  constexpr std::size_t lanes = lanes_of<floats16>;
  for (std::size_t row = 0; row < r.rows; ++row) {
    const float* from = r.src + row * r.step;
    float* to = r.to + row * r.to_step;
    for (std::size_t c = 0; c < r.channels; c += lanes, to += lanes / 2) {
      halves16 rounded;
      load_rounded(from + c, r.scale != nullptr ? r.scale + c : nullptr, r.channels - c, rounded);
      std::memcpy(to, &rounded, sizeof rounded);
    }
  }
}

EFFNET_TARGET_BF16 inline void pair_rows_bf16(const paired_rows& r) {
  constexpr std::size_t lanes = lanes_of<floats16>;
  for (std::size_t row = 0; row < r.rows; row += 2) {
    const float* from = r.src + row * r.step;
    float* to = r.to + row / 2 * r.to_step;
    for (std::size_t c = 0; c < r.padded; c += lanes) {
      const std::size_t count = r.channels - std::min(c, r.channels);
      halves16 lower, upper = {};
      load_rounded(from + c, nullptr, count, lower);
      if (row + 1 < r.rows) load_rounded(from + r.step + c, nullptr, count, upper);
      const ints16 pairs =
          __builtin_convertvector(lower, ints16) | __builtin_convertvector(upper, ints16) << 16;
      std::memcpy(to + c, &pairs, sizeof pairs);
    }
  }
}
#endif

}  // namespace detail

inline void round_rows(const rounded_rows& r, isa best) {
#if defined(__x86_64__)
  if (best == isa::avx512 && has_bf16()) return detail::round_rows_bf16(r);
#endif
  detail::round_rows_portable(r);
}
inline void pair_rows(const paired_rows& r, isa best) {
#if defined(__x86_64__)
  if (best == isa::avx512 && has_bf16()) return detail::pair_rows_bf16(r);
#endif
  detail::pair_rows_portable(r);
}

}  // namespace effnet::cpu
