#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include <effnet/core/error.hpp>
#include <effnet/io/image.hpp>

/// Augmentations that move a picture away from a poorer version of itself: each value becomes
/// poor + factor · (value − poor), clipped and rounded towards zero. Factor 0 gives the poor
/// version, 1 the picture, more than 1 exaggerates. Each takes a picture and returns it changed
/// (move it in to save the copy); a picture without pixels or a factor that is not finite is a
/// `shape_error`. The values are Pillow's (`ImageEnhance`), bit for bit, unless said otherwise.
namespace effnet {

namespace detail {

/// factor · difference for every difference of two values, each rounded to float. The products
/// wait in a table, so that no compiler fuses the product with the sum and rounds but once.
class blend {
 public:
  explicit blend(double factor) {
    if (!std::isfinite(static_cast<float>(factor)))
      throw shape_error(sentence("cannot enhance an image by the factor ", factor,
                                 "; it must be a finite number"));
    for (int difference = -255; difference <= 255; ++difference)
      product_[static_cast<std::size_t>(difference + 255)] =
          static_cast<float>(factor) * static_cast<float>(difference);
  }

  std::uint8_t operator()(int poor, int value) const {
    const float sum =
        static_cast<float>(poor) + product_[static_cast<std::size_t>(value - poor + 255)];
    return static_cast<std::uint8_t>(std::clamp(sum, 0.0f, 255.0f));
  }

 private:
  std::array<float, 511> product_{};
};

inline image blend_with_constant(image picture, int poor, double factor) {
  const blend mix(factor);
  std::array<std::uint8_t, 256> table{};
  for (int value = 0; value < 256; ++value)
    table[static_cast<std::size_t>(value)] = mix(poor, value);
  for (std::uint8_t& value : picture.pixels) value = table[value];
  return picture;
}

}  // namespace detail

/// ITU-R 601 luma of one pixel in 16-bit fixed point, as Pillow's mode "L".
constexpr int luma(int red, int green, int blue) {
  return (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
}

/// The mean luma of a picture, rounded half up.
inline int mean_luma(const image& picture) {
  check_image(picture, "measure the luma of");
  std::uint64_t sum = 0;
  const std::uint64_t count = picture.pixels.size() / 3;
  for (std::size_t i = 0; i < picture.pixels.size(); i += 3)
    sum += static_cast<std::uint64_t>(
        luma(picture.pixels[i], picture.pixels[i + 1], picture.pixels[i + 2]));
  return static_cast<int>((2 * sum + count) / (2 * count));
}

/// Saturation; the poor version is grey. (TensorFlow's grey has the weights .2989, .5870, .1140
/// and can differ from Pillow's by 1.)
inline image color(image picture, double factor) {
  check_image(picture, "change the color of");
  const detail::blend mix(factor);
  for (std::size_t i = 0; i < picture.pixels.size(); i += 3) {
    std::uint8_t* pixel = picture.pixels.data() + i;
    const int grey = luma(pixel[0], pixel[1], pixel[2]);
    for (int channel = 0; channel < 3; ++channel) pixel[channel] = mix(grey, pixel[channel]);
  }
  return picture;
}

/// The poor version is black.
inline image brightness(image picture, double factor) {
  check_image(picture, "change the brightness of");
  return detail::blend_with_constant(std::move(picture), 0, factor);
}

/// The poor version is one grey, the picture's mean luma.
inline image contrast(image picture, double factor) {
  check_image(picture, "change the contrast of");
  const int mean = mean_luma(picture);
  return detail::blend_with_constant(std::move(picture), mean, factor);
}

/// Contrast as the released EfficientNet code has it: it takes the mean of the histogram's counts
/// for the mean of the values, so that the grey is min(255, height · width / 256) whatever the
/// picture shows: 196 at 224 x 224, white from 256 x 256 on.
inline image contrast_by_area(image picture, double factor) {
  check_image(picture, "change the contrast of");
  const std::size_t grey = std::min<std::size_t>(picture.pixels.size() / 3 / 256, 255);
  return detail::blend_with_constant(std::move(picture), static_cast<int>(grey), factor);
}

/// The poor version is the picture smoothed by [1 1 1; 1 5 1; 1 1 1] / 13, rounded to nearest
/// (TensorFlow's code rounds towards zero); pixels on the border stay as they are.
inline image sharpness(const image& picture, double factor) {
  check_image(picture, "change the sharpness of");
  const detail::blend mix(factor);
  image changed = picture;
  for (int y = 1; y < picture.height - 1; ++y) {
    const std::uint8_t *above = picture.row(y - 1), *here = picture.row(y),
                       *below = picture.row(y + 1);
    std::uint8_t* out = changed.row(y);
    for (std::size_t i = 3; i + 3 < picture.row_bytes(); ++i) {
      int sum = 4 * here[i];
      for (const std::uint8_t* row : {above, here, below}) sum += row[i - 3] + row[i] + row[i + 3];
      out[i] = mix((2 * sum + 13) / 26, here[i]);
    }
  }
  return changed;
}

}  // namespace effnet
