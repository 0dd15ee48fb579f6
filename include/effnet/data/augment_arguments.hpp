#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <effnet/core/error.hpp>

/// What a magnitude (a "level", 0 to 10 by intention, more by practice, fractions allowed) means to
/// each operation: automl and tpu `autoaugment.py`, level / 10 times a constant, never clamped.
/// Every function throws `error` for a magnitude that is not in [0, `most_magnitude`].
namespace effnet {

/// Whose augmentation.
enum class augment_rule : std::uint8_t {
  /// As released with EfficientNet: contrast by area, magnitudes of any size, solarize's threshold
  /// modulo 256 (an 8-bit comparison).
  released,
  /// As described: contrast by mean luma, magnitudes clamped to 10, no wrapping.
  standard,
};

/// Where `released` magnitudes end: far beyond any use (published: 28).
inline constexpr double most_magnitude = 1000;

namespace detail {

inline double level_of(double magnitude) {
  if (!(magnitude >= 0 && magnitude <= most_magnitude))
    throw error(sentence("cannot augment with the magnitude ", magnitude, "; it must lie in 0 to ",
                         most_magnitude));
  return magnitude / 10;
}

}  // namespace detail

/// The magnitude that `rule` makes of `magnitude`.
inline double effective_magnitude(double magnitude, augment_rule rule) {
  detail::level_of(magnitude);
  return rule == augment_rule::standard ? std::min(magnitude, 10.0) : magnitude;
}

/// Degrees for rotate; the sign is drawn.
inline double rotate_degrees(double magnitude) {
  return detail::level_of(magnitude) * 30;
}

/// Slope for shear_x and shear_y; the sign is drawn.
inline double shear_slope(double magnitude) {
  return detail::level_of(magnitude) * 0.3;
}

/// Pixels for translate_x and translate_y, whatever the size of the picture; the sign is drawn.
/// `constant` is 100 in RandAugment and 250 in AutoAugment.
inline double translate_pixels(double magnitude, double constant = 100) {
  return detail::level_of(magnitude) * constant;
}

/// Factor for color, contrast, brightness and sharpness: 1, which changes nothing, at magnitude 5.
inline double enhance_factor(double magnitude) {
  return detail::level_of(magnitude) * 1.8 + 0.1;
}

/// Bits that posterize keeps, 1 to 8: the effect shrinks as the magnitude grows. 0 bits become 1,
/// as TensorFlow's shift by 8 becomes one by 7. More than 8 bits (from magnitude 22.5 on) are 8,
/// no change: the released code asks for a shift by a negative number there, the outcome of which
/// depends on the version of TensorFlow.
inline int posterize_bits(double magnitude) {
  return std::clamp(static_cast<int>(detail::level_of(magnitude) * 4), 1, 8);
}

/// Threshold for solarize, 0 to 256: modulo 256 in the released code, so that magnitude 10 inverts
/// everything; at most 256, which inverts nothing, by the standard rule.
inline int solarize_threshold(double magnitude, augment_rule rule = augment_rule::released) {
  const int threshold = static_cast<int>(detail::level_of(magnitude) * 256);
  return rule == augment_rule::released ? threshold % 256 : std::min(threshold, 256);
}

/// What solarize_add adds to the darker half.
inline int solarize_added(double magnitude) {
  return static_cast<int>(detail::level_of(magnitude) * 110);
}

/// Half the side of cutout's square, in pixels, whatever the size of the picture. `constant` is 40
/// in RandAugment and 100 in AutoAugment.
inline int cutout_half_side(double magnitude, double constant = 40) {
  return static_cast<int>(detail::level_of(magnitude) * constant);
}

}  // namespace effnet
