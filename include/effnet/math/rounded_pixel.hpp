#pragma once

#include <algorithm>
#include <cstdint>

#include <effnet/core/config.hpp>

/// The fixed point in which Pillow's filters add up pixels of 8 bit.
namespace effnet::math {

/// Binary places of a weight.
inline constexpr int pixel_weight_places = 32 - 8 - 2;
/// What a sum begins with, so that cutting it off rounds.
inline constexpr std::int32_t half_pixel = 1 << (pixel_weight_places - 1);

EFFNET_HD inline std::uint8_t rounded_pixel(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> pixel_weight_places, 0, 255));
}

}  // namespace effnet::math
