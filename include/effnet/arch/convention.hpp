#pragma once

#include <array>
#include <string_view>

#include <effnet/arch/network_spec.hpp>

namespace effnet {

/// Where a convolution puts the pixels that its window lacks.
enum class padding_rule {
  tf_same,    ///< out = ceil(in / stride); an odd extra pixel goes to the bottom and right
  symmetric,  ///< (kernel - 1) / 2 on every side (torchvision, timm without `tf_`)
};

/// How an image is resampled. `tf_bilinear` is TensorFlow's half-pixel rule without antialiasing;
/// the others are Pillow's.
enum class interpolation { nearest, bilinear, bicubic, lanczos, tf_bilinear };

/// Which part of an image the network sees.
enum class crop_rule {
  center,  ///< shorter side to `resize`, then the central `size` x `size`, as torchvision rounds
  center_nearest,  ///< the same; the longer side rounded to nearest, half an odd rest downwards
  squash,          ///< both sides to `size`, aspect ratio not kept
  tf_center,  ///< the central square of side shorter * size / (size + 32) first, then to `size`
};

/// From a photo to the network's input. Mean and deviation are in the pixels' units, 0 to 255.
struct input_rule {
  int size = 224;
  int resize = 256;
  crop_rule crop = crop_rule::center;
  interpolation filter = interpolation::bicubic;
  std::array<float, 3> mean = {123.675f, 116.28f, 103.53f};
  std::array<float, 3> deviation = {58.395f, 57.12f, 57.375f};

  friend constexpr bool operator==(const input_rule&, const input_rule&) = default;
};

/// What belongs to a checkpoint rather than to a table.
struct convention {
  padding_rule padding = padding_rule::tf_same;
  float bn_eps = 1e-3f;
  float bn_momentum =
      0.01f;  ///< weight of the new batch, as PyTorch counts it (TensorFlow: 1 - this)
  input_rule input = {};

  friend constexpr bool operator==(const convention&, const convention&) = default;
};

/// The families of checkpoints that are known by name.
enum class convention_name {
  tf,           ///< google/automl and tpu weights, as timm's `tf_*` models carry them
  timm,         ///< timm's own training
  torchvision,  ///< torchvision's IMAGENET1K_V1
  keras,        ///< keras.applications
  lite,         ///< EfficientNet-Lite in the lukemelas naming
};

}  // namespace effnet
