#pragma once

#include <cstddef>

#include <effnet/cpu/vector.hpp>

namespace effnet::cpu::detail {

/// Rows of pixels that a kernel takes together: what it keeps of a channel stays in registers for
/// as many, while each row is still read from its beginning to its end.
inline constexpr std::size_t rows_at_once = 8;

/// Some pixels of a tensor, and `channels` of them from the pointers on that a kernel has.
struct sweep_range {
  std::size_t pixels, channels;
  std::size_t stride;  ///< from one pixel to the next
};

/// Runs a kernel over a range: `kernel.column<Floats>(c, at, rows, stride)` handles a register's
/// worth of channels from `c` on, in `rows` pixels of which the first is `at` elements behind the
/// kernel's pointers.
template <class Floats, class Kernel>
EFFNET_KERNEL_BODY void sweep_body(const Kernel& shared, const sweep_range& range) {
  const Kernel kernel = shared;  // a copy that nobody else sees stays in registers
  const std::size_t stride = range.stride, channels = range.channels;
  for (std::size_t p = 0; p < range.pixels; p += rows_at_once) {
    const std::size_t left = range.pixels - p, rows = left < rows_at_once ? left : rows_at_once;
    const std::size_t at = p * stride;
    std::size_t c = 0;
    for (; c + lanes_of<Floats> <= channels; c += lanes_of<Floats>)
      kernel.template column<Floats>(c, at, rows, stride);
    if constexpr (lanes_of<Floats> == 16)
      for (; c + 8 <= channels; c += 8) kernel.template column<floats8>(c, at, rows, stride);
    for (; c < channels; ++c) kernel.template column<floats1>(c, at, rows, stride);
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
