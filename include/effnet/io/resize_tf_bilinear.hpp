#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <effnet/io/image.hpp>
#include <effnet/io/resize_filter.hpp>

namespace effnet {

namespace detail {

/// Two neighbours and the share of the second for every wanted pixel of an axis.
struct bilinear_taps {
  std::vector<int> low, high;
  std::vector<float> share;

  bilinear_taps(const resize_axis& axis, int source)
      : low(static_cast<std::size_t>(axis.count)), high(low.size()), share(low.size()) {
    const float scale = (axis.end - axis.begin) / static_cast<float>(axis.extent);
    for (std::size_t i = 0; i < low.size(); ++i) {
      const std::int64_t index = axis.first + static_cast<std::int64_t>(i);
      // Rounded once, as where the processor fuses the multiplication and the addition.
      const float position =
          static_cast<float>(static_cast<double>(axis.begin) +
                             (static_cast<double>(index) + 0.5) * static_cast<double>(scale) - 0.5);
      const float floor = std::floor(position);
      low[i] = std::clamp(static_cast<int>(floor), 0, source - 1);
      high[i] = std::clamp(static_cast<int>(std::ceil(position)), 0, source - 1);
      share[i] = position - floor;
    }
  }
};

/// The wanted part of a resize by TensorFlow's rule, HWC float32, values 0 to 255.
inline std::vector<float> resize_tf_bilinear(const image& source, const resize_axis& horizontal,
                                             const resize_axis& vertical) {
  const bilinear_taps across(horizontal, source.width), down(vertical, source.height);
  std::vector<float> target(across.low.size() * down.low.size() * 3);
  float* to = target.data();
  for (std::size_t y = 0; y < down.low.size(); ++y) {
    const std::uint8_t* upper = source.row(down.low[y]);
    const std::uint8_t* lower = source.row(down.high[y]);
    for (std::size_t x = 0; x < across.low.size(); ++x) {
      const std::size_t left = static_cast<std::size_t>(across.low[x]) * 3;
      const std::size_t right = static_cast<std::size_t>(across.high[x]) * 3;
      for (std::size_t c = 0; c < 3; ++c) {
        const float top_left = upper[left + c], top_right = upper[right + c];
        const float bottom_left = lower[left + c], bottom_right = lower[right + c];
        const float top = top_left + (top_right - top_left) * across.share[x];
        const float bottom = bottom_left + (bottom_right - bottom_left) * across.share[x];
        *to++ = top + (bottom - top) * down.share[y];
      }
    }
  }
  return target;
}

}  // namespace detail
}  // namespace effnet
