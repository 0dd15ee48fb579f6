#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>

#include <effnet/arch/convention.hpp>
#include <effnet/core/error.hpp>
#include <effnet/data/augment_arguments.hpp>
#include <effnet/data/mixing.hpp>
#include <effnet/data/random_crop.hpp>

namespace effnet {

/// What is done to a training picture besides crop and flip.
enum class sample_augmentation : std::uint8_t {
  none,
  rand_augment,
  auto_augment,  ///< the policy "v0"
  auto_or_rand,  ///< one of the two, each in half of the cases (automl's "ra_aa")
  /// For fine-tuning, as automl's "ft": the whole picture squashed to the size, not cropped, and a
  /// square of noise of 2 * (size / 4) a side on it.
  finetune,
};
/// Their names, by their number.
inline constexpr std::array<std::string_view, 5> sample_augmentation_names = {
    "none", "rand_augment", "auto_augment", "auto_or_rand", "finetune"};

/// How a training sample is made of a picture. Everything is drawn for each sample anew.
struct sample_look {
  int size = 224;  ///< image side, pixels
  random_crop_settings crop = v2_crop();
  bool whole = false;  ///< no crop: the whole picture, squashed
  interpolation filter = interpolation::bilinear;
  double flip = 0.5;  ///< probability that left and right are exchanged
  sample_augmentation augment = sample_augmentation::none;
  augment_rule rule = augment_rule::released;
  float magnitude = 0;          ///< RandAugment's; at 0 it is off
  int layers = 2;               ///< RandAugment's
  float reach = 1;              ///< RandAugment's: what its distances in pixels are multiplied by
  float random_erasing = 0;     ///< probability of erasing a rectangle
  float mixup = 0, cutmix = 0;  ///< alphas; 0: off
  cutmix_labels labels = cutmix_labels::by_own_area;

  bool is_cropped() const { return !whole && augment != sample_augmentation::finetune; }
  bool has_rand_augment() const {
    return magnitude > 0 && layers > 0 &&
           (augment == sample_augmentation::rand_augment ||
            augment == sample_augmentation::auto_or_rand);
  }
};

/// Throws `error` for a look that no sample can have.
inline void check(const sample_look& look) {
  constexpr int largest = 1 << 14;
  if (look.size < 1 || look.size > largest)
    throw error(sentence("cannot train on images of ", look.size, " x ", look.size,
                         " pixels; 1 to ", largest, " are possible"));
  const auto probability = [](double value, const char* what) {
    if (!(value >= 0 && value <= 1))
      throw error(sentence("the probability of ", what, " is ", value, "; it must lie in 0 to 1"));
  };
  probability(look.flip, "flipping an image");
  probability(static_cast<double>(look.random_erasing), "erasing a part of an image");
  effective_magnitude(static_cast<double>(look.magnitude), look.rule);
  if (look.layers < 0 || look.layers > 1000)
    throw error(
        sentence("RandAugment cannot have ", look.layers, " layers; 0 to 1000 are possible"));
  if (!(look.reach >= 0 && look.reach <= 100))
    throw error(sentence("RandAugment's reach is ", look.reach, "; it must lie in 0 to 100"));
  for (float alpha : {look.mixup, look.cutmix})
    if (!(alpha >= 0 && alpha <= 1e6f))
      throw error(sentence("cannot mix images with an alpha of ", alpha,
                           "; it must lie in 0 (off) to 1000000"));
  if (look.is_cropped()) check(look.crop);
}

}  // namespace effnet
