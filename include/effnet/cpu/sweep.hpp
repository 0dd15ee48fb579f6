#pragma once

#include <cstddef>

#include <effnet/cpu/vector.hpp>

namespace effnet::cpu::detail {

/// Rows of pixels that a kernel takes together, at most: what it keeps of a channel stays in
/// registers for as many, while each row is still read from its beginning to its end.
inline constexpr std::size_t rows_at_once = 8;

/// Some pixels of a tensor, and `channels` of them from the pointers on that a kernel has.
struct sweep_range {
  std::size_t pixels, channels;
  std::size_t stride;  ///< from one pixel to the next
};

/// Rows that a kernel takes together, in elements behind its pointers.
struct sweep_rows {
  std::size_t first, count, stride;
  std::size_t ahead;  ///< how far in front of an element its reader fetches

  std::size_t operator[](std::size_t row) const { return first + row * stride; }
};

/// Elements that are fetched ahead, at least: the hardware follows fewer streams than there are
/// rows, and stands still at the end of each page.
inline constexpr std::size_t fetched_ahead = 4096;

/// Rows that are taken together: fewer of those that are kibibytes apart, which fall on few sets of
/// the first cache and push each other out of it.
constexpr std::size_t rows_together(std::size_t stride) {
  return stride % 512 == 0 ? 2 : stride % 256 == 0 ? 4 : rows_at_once;
}

/// Runs a kernel over a range: `kernel.column<Floats>(c, rows)` handles a register's worth of
/// channels from `c` on.
template <class Floats, class Kernel>
EFFNET_KERNEL_BODY void sweep_body(const Kernel& shared, const sweep_range& range) {
  const Kernel kernel = shared;  // a copy that nobody else sees stays in registers
  const std::size_t stride = range.stride, channels = range.channels;
  const std::size_t most = rows_together(stride), together = most * stride;
  const std::size_t ahead = (fetched_ahead + together - 1) / together * together;
  for (std::size_t p = 0; p < range.pixels; p += most) {
    const std::size_t left = range.pixels - p;
    const sweep_rows rows{p * stride, left < most ? left : most, stride, ahead};
    std::size_t c = 0;
    for (; c + lanes_of<Floats> <= channels; c += lanes_of<Floats>)
      kernel.template column<Floats>(c, rows);
    if constexpr (lanes_of<Floats> == 16)
      for (; c + 8 <= channels; c += 8) kernel.template column<floats8>(c, rows);
    for (; c < channels; ++c) kernel.template column<floats1>(c, rows);
  }
}
template <class Kernel>
void sweep_portable(const Kernel& kernel, const sweep_range& range) {
  sweep_body<floats4>(kernel, range);
}
template <class Kernel>
EFFNET_TARGET_AVX2 void sweep_avx2(const Kernel& kernel, const sweep_range& range) {
  sweep_body<floats8>(kernel, range);
}
template <class Kernel>
EFFNET_TARGET_AVX512 void sweep_avx512(const Kernel& kernel, const sweep_range& range) {
  sweep_body<floats16>(kernel, range);
}

template <class Kernel>
void sweep(const Kernel& kernel, const sweep_range& range, isa best) {
  for_isa(best, sweep_portable<Kernel>, sweep_avx2<Kernel>, sweep_avx512<Kernel>)(kernel, range);
}

}  // namespace effnet::cpu::detail
