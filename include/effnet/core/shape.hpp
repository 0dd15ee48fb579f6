#pragma once

#include <cstddef>
#include <string>

#include <effnet/core/error.hpp>

namespace effnet {

/// Extents of an activation: images, rows, columns, channels. Memory order is NHWC throughout.
struct shape4 {
  int n = 0, h = 0, w = 0, c = 0;

  constexpr std::size_t elements() const {
    return static_cast<std::size_t>(n) * static_cast<std::size_t>(h) * static_cast<std::size_t>(w) *
           static_cast<std::size_t>(c);
  }
  friend constexpr bool operator==(const shape4&, const shape4&) = default;
};

inline std::string to_string(const shape4& s) {
  return sentence('[', s.n, ", ", s.h, ", ", s.w, ", ", s.c, ']');
}

}  // namespace effnet
