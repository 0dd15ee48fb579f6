#pragma once

#include <cstdint>
#include <utility>

#include <effnet/core/error.hpp>
#include <effnet/data/augment_op.hpp>

namespace effnet {

/// RandAugment (Cubuk et al. 2019).
struct rand_augment_settings {
  int layers = 2;
  double magnitude = 10;  ///< the same for all layers; fractions and more than 10 are meant
  augment_rule rule = augment_rule::released;
  /// By what the operations' distances in pixels are multiplied. They were made for images of 224
  /// pixels and more: of a translation by 100 nothing is left of one of 96.
  double reach = 1;
  std::uint8_t fill = augment_fill;
};

/// Throws `error` for settings that mean nothing.
inline void check(const rand_augment_settings& settings) {
  if (settings.layers < 0 || settings.layers > 1000)
    throw error(
        sentence("RandAugment cannot have ", settings.layers, " layers; 0 to 1000 are possible"));
  if (!(settings.reach >= 0 && settings.reach <= 100))
    throw error(sentence("RandAugment's reach is ", settings.reach, "; it must lie in 0 to 100"));
  effective_magnitude(settings.magnitude, settings.rule);
}

/// `layers` times one of the 16 operations, each as probable as the others and always applied
/// (automl `autoaugment.py`: a probability is drawn there, and not used). The picture is what the
/// network gets, cropped, resized and flipped.
inline image rand_augment(image picture, const rand_augment_settings& settings,
                          random_draws& draws) {
  check(settings);
  check_image(picture, "augment");
  const augment_constants constants{
      .translate = 100 * settings.reach, .cutout = 40 * settings.reach, .fill = settings.fill};
  for (int layer = 0; layer < settings.layers; ++layer) {
    const auto op = static_cast<augment_op>(draws.integer(0, augment_op_names.size()));
    picture = apply(op, std::move(picture), settings.magnitude, settings.rule, constants, draws);
  }
  return picture;
}

}  // namespace effnet
