#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include <effnet/data/augment_arguments.hpp>
#include <effnet/data/blend_ops.hpp>
#include <effnet/data/geometric_ops.hpp>
#include <effnet/data/random_draws.hpp>
#include <effnet/data/tone_ops.hpp>
#include <effnet/io/image.hpp>

namespace effnet {

/// The operations of RandAugment and AutoAugment, in the order of the released code. The order is
/// part of what a seed means.
enum class augment_op : std::uint8_t {
  auto_contrast,
  equalize,
  invert,
  rotate,
  posterize,
  solarize,
  color,
  contrast,
  brightness,
  sharpness,
  shear_x,
  shear_y,
  translate_x,
  translate_y,
  cutout,
  solarize_add,
};

/// Their names in the released code, in the same order.
inline constexpr std::array<std::string_view, 16> augment_op_names = {
    "AutoContrast", "Equalize",   "Invert",     "Rotate",      "Posterize", "Solarize",
    "Color",        "Contrast",   "Brightness", "Sharpness",   "ShearX",    "ShearY",
    "TranslateX",   "TranslateY", "Cutout",     "SolarizeAdd",
};

/// What differs between the users of the operations besides the magnitude.
struct augment_constants {
  double translate = 100;  ///< pixels at magnitude 10
  double cutout = 40;      ///< half a side in pixels at magnitude 10
  std::uint8_t fill = augment_fill;
};

/// Does `op` to `picture`. Signs and the place of cutout come from `draws`: always three numbers,
/// whatever the operation, so that what follows does not depend on it. Throws `shape_error` for a
/// picture without pixels, `error` for a magnitude out of range.
inline image apply(augment_op op, image picture, double magnitude, augment_rule rule,
                   const augment_constants& constants, random_draws& draws) {
  check_image(picture, "augment");
  const double m = effective_magnitude(magnitude, rule);
  const double sign = draws.bernoulli(0.5) ? -1 : 1;
  // Not integer(), which may take more than one number.
  const int x = static_cast<int>(draws.uniform() * picture.width);
  const int y = static_cast<int>(draws.uniform() * picture.height);
  switch (op) {
    case augment_op::auto_contrast:
      return auto_contrast(std::move(picture));
    case augment_op::equalize:
      return equalize(std::move(picture));
    case augment_op::invert:
      return invert(std::move(picture));
    case augment_op::rotate:
      return rotate(picture, sign * rotate_degrees(m), constants.fill);
    case augment_op::posterize:
      return posterize(std::move(picture), posterize_bits(m));
    case augment_op::solarize:
      return solarize(std::move(picture), solarize_threshold(m, rule));
    case augment_op::color:
      return color(std::move(picture), enhance_factor(m));
    case augment_op::contrast:
      return rule == augment_rule::released
                 ? contrast_by_area(std::move(picture), enhance_factor(m))
                 : contrast(std::move(picture), enhance_factor(m));
    case augment_op::brightness:
      return brightness(std::move(picture), enhance_factor(m));
    case augment_op::sharpness:
      return sharpness(picture, enhance_factor(m));
    case augment_op::shear_x:
      return shear_x(picture, sign * shear_slope(m), constants.fill);
    case augment_op::shear_y:
      return shear_y(picture, sign * shear_slope(m), constants.fill);
    case augment_op::translate_x:
      return translate_x(picture, sign * translate_pixels(m, constants.translate), constants.fill);
    case augment_op::translate_y:
      return translate_y(picture, sign * translate_pixels(m, constants.translate), constants.fill);
    case augment_op::cutout:
      return cutout(std::move(picture), x, y, cutout_half_side(m, constants.cutout),
                    constants.fill);
    case augment_op::solarize_add:
      return solarize_add(std::move(picture), solarize_added(m));
  }
  return picture;
}

}  // namespace effnet
