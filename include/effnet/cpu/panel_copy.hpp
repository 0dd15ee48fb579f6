#pragma once

#include <algorithm>
#include <cstddef>

#include <effnet/cpu/vector.hpp>

namespace effnet::cpu {

/// Rows of channels, `step` floats apart, into panels [panel][row][columns] two registers wide. The
/// last panel is `last` floats wide, whole registers, with zeros behind its `real` channels.
struct panel_copy {
  const float* src;
  std::size_t step, rows;
  std::size_t whole;       ///< panels in front of the last
  std::size_t last, real;  ///< floats of the last
  float* to;
  std::size_t ahead = 0;  ///< what stands so many floats behind the last panel is fetched, if any
};

namespace detail {

template <class Floats>
EFFNET_KERNEL_BODY void copy_panels_body(const panel_copy& c) {
  constexpr std::size_t lanes = lanes_of<Floats>;
  for (std::size_t row = 0; row < c.rows; ++row) {
    const float* from = c.src + row * c.step;
    float* at = c.to + row * 2 * lanes;
    for (std::size_t panel = 0; panel < c.whole; ++panel) {
      Floats x, y;
      load(from, x);
      load(from + lanes, y);
      store(x, at);
      store(y, at + lanes);
      from += 2 * lanes, at += c.rows * 2 * lanes;
    }
    at = c.to + c.whole * c.rows * 2 * lanes + row * c.last;
    for (std::size_t i = 0; i < c.last; i += lanes) {
      Floats x = {};
      if (i < c.real) load_part(from + i, std::min(lanes, c.real - i), x);
      store(x, at + i);
      if (c.ahead > 0) __builtin_prefetch(from + c.ahead + i);
    }
  }
}
inline void copy_panels_portable(const panel_copy& c) {
  copy_panels_body<floats4>(c);
}
EFFNET_TARGET_AVX2 inline void copy_panels_avx2(const panel_copy& c) {
  copy_panels_body<floats8>(c);
}
EFFNET_TARGET_AVX512 inline void copy_panels_avx512(const panel_copy& c) {
  copy_panels_body<floats16>(c);
}

}  // namespace detail

inline void copy_panels(const panel_copy& c, isa best) {
  for_isa(best, detail::copy_panels_portable, detail::copy_panels_avx2,
          detail::copy_panels_avx512)(c);
}

}  // namespace effnet::cpu
