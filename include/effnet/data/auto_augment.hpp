#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <effnet/data/augment_op.hpp>

namespace effnet {

/// One step of an AutoAugment sub-policy.
struct policy_step {
  augment_op op;
  double probability;
  double magnitude;
};

using sub_policy = std::array<policy_step, 2>;

/// AutoAugment's policy "v0" (Cubuk et al. 2018), the 25 sub-policies that EfficientNet V1 and
/// V2-B0 to B3 were trained with; automl and tpu `autoaugment.py`, `policy_v0`. Steps of
/// probability 0 are part of it.
inline constexpr std::array<sub_policy, 25> auto_augment_v0 = [] {
  using enum augment_op;
  return std::array<sub_policy, 25>{{
      {{{equalize, 0.8, 1}, {shear_y, 0.8, 4}}},
      {{{color, 0.4, 9}, {equalize, 0.6, 3}}},
      {{{color, 0.4, 1}, {rotate, 0.6, 8}}},
      {{{solarize, 0.8, 3}, {equalize, 0.4, 7}}},
      {{{solarize, 0.4, 2}, {solarize, 0.6, 2}}},
      {{{color, 0.2, 0}, {equalize, 0.8, 8}}},
      {{{equalize, 0.4, 8}, {solarize_add, 0.8, 3}}},
      {{{shear_x, 0.2, 9}, {rotate, 0.6, 8}}},
      {{{color, 0.6, 1}, {equalize, 1.0, 2}}},
      {{{invert, 0.4, 9}, {rotate, 0.6, 0}}},
      {{{equalize, 1.0, 9}, {shear_y, 0.6, 3}}},
      {{{color, 0.4, 7}, {equalize, 0.6, 0}}},
      {{{posterize, 0.4, 6}, {auto_contrast, 0.4, 7}}},
      {{{solarize, 0.6, 8}, {color, 0.6, 9}}},
      {{{solarize, 0.2, 4}, {rotate, 0.8, 9}}},
      {{{rotate, 1.0, 7}, {translate_y, 0.8, 9}}},
      {{{shear_x, 0.0, 0}, {solarize, 0.8, 4}}},
      {{{shear_y, 0.8, 0}, {color, 0.6, 4}}},
      {{{color, 1.0, 0}, {rotate, 0.6, 2}}},
      {{{equalize, 0.8, 4}, {equalize, 0.0, 8}}},
      {{{equalize, 1.0, 4}, {auto_contrast, 0.6, 2}}},
      {{{shear_y, 0.4, 7}, {solarize_add, 0.6, 7}}},
      {{{posterize, 0.8, 2}, {solarize, 0.6, 10}}},
      {{{solarize, 0.6, 8}, {equalize, 0.6, 1}}},
      {{{color, 0.8, 6}, {rotate, 0.4, 5}}},
  }};
}();

/// What AutoAugment is told besides its policy.
struct auto_augment_settings {
  augment_rule rule = augment_rule::released;
  std::uint8_t fill = augment_fill;
};

/// One of the 25 sub-policies, each as probable as the others; its two steps in order, each with
/// its own probability. The picture is what the network gets, cropped, resized and flipped.
inline image auto_augment(image picture, const auto_augment_settings& settings,
                          random_draws& draws) {
  check_image(picture, "augment");
  const augment_constants constants{.translate = 250, .cutout = 100, .fill = settings.fill};
  const auto which = draws.integer(0, auto_augment_v0.size());
  for (const policy_step& step : auto_augment_v0[static_cast<std::size_t>(which)])
    if (draws.bernoulli(step.probability))
      picture = apply(step.op, std::move(picture), step.magnitude, settings.rule, constants, draws);
  return picture;
}

}  // namespace effnet
