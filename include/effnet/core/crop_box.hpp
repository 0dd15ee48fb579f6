#pragma once

#include <effnet/core/config.hpp>

namespace effnet {

/// A part of a picture, in whole pixels.
struct crop_box {
  int left = 0, top = 0, width = 0, height = 0;

  EFFNET_HD constexpr bool holds(int x, int y) const {
    return x >= left && x < left + width && y >= top && y < top + height;
  }
  friend bool operator==(const crop_box&, const crop_box&) = default;
};

}  // namespace effnet
