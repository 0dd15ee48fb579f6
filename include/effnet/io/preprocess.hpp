#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <effnet/arch/convention.hpp>
#include <effnet/core/error.hpp>
#include <effnet/io/image.hpp>
#include <effnet/io/resize.hpp>

namespace effnet {

namespace detail {

/// One axis of a centre crop: what is resampled, and where it lands among `size` pixels.
struct crop_axis {
  resize_axis resized;
  int offset = 0;
};

/// A centre crop along an axis that was resized to `resized` pixels. What is smaller is padded, the
/// smaller half first.
inline crop_axis centered(int source, std::int64_t resized, int size, crop_rule rule) {
  crop_axis axis{.resized = {.extent = resized,
                             .first = 0,
                             .count = size,
                             .begin = 0,
                             .end = static_cast<float>(source)},
                 .offset = 0};
  if (resized < size) {
    axis.resized.count = static_cast<int>(resized);
    axis.offset = (size - axis.resized.count) / 2;
  } else {
    const std::int64_t rest = resized - size;
    const bool half_to_even_is_up = rest % 4 == 3;
    axis.resized.first =
        rest / 2 + (rule != crop_rule::center_nearest && half_to_even_is_up ? 1 : 0);
  }
  return axis;
}

/// The sides after the shorter one became `shorter_to`.
inline std::array<std::int64_t, 2> scaled_sides(const image& picture, std::int64_t shorter_to,
                                                crop_rule rule) {
  const std::int64_t shorter = std::min(picture.width, picture.height);
  const auto scaled = [&](std::int64_t side) {
    const std::int64_t product = shorter_to * side;
    const std::int64_t whole = product / shorter, twice = 2 * (product % shorter);
    const bool up = twice > shorter || (twice == shorter && whole % 2 == 1);
    return whole + (rule == crop_rule::center_nearest && up ? 1 : 0);
  };
  return {scaled(picture.width), scaled(picture.height)};
}

/// TensorFlow's central square of `side` pixels, whose odd rest goes to the top and left.
inline crop_axis central_square(int source, int side, int size) {
  const int begin = (source - side + 1) / 2;
  return {.resized = {.extent = size,
                      .first = 0,
                      .count = size,
                      .begin = static_cast<float>(begin),
                      .end = static_cast<float>(begin + side)},
          .offset = 0};
}

inline std::array<crop_axis, 2> crop_axes(const image& picture, const input_rule& rule) {
  const auto at_center = [&](std::int64_t width, std::int64_t height) {
    return std::array{centered(picture.width, width, rule.size, rule.crop),
                      centered(picture.height, height, rule.size, rule.crop)};
  };
  if (rule.crop == crop_rule::squash) return at_center(rule.size, rule.size);
  if (rule.crop != crop_rule::tf_center) {
    const auto [width, height] = scaled_sides(picture, rule.resize, rule.crop);
    return at_center(width, height);
  }
  const std::int64_t shorter = std::min(picture.width, picture.height);
  const std::int64_t side = shorter * rule.size / (std::int64_t{rule.size} + 32);
  const int square = std::max(1, static_cast<int>(side));
  return {central_square(picture.width, square, rule.size),
          central_square(picture.height, square, rule.size)};
}

constexpr bool has_resize(crop_rule rule) {
  return rule == crop_rule::center || rule == crop_rule::center_nearest;
}

inline void check_input_rule(const input_rule& rule) {
  if (rule.size < 1 || (has_resize(rule.crop) && rule.resize < 1))
    throw shape_error(sentence("cannot prepare an image for a network of size ", rule.size,
                               " from a resize to ", rule.resize, "; both must be at least 1"));
  for (float deviation : rule.deviation)
    if (!(deviation > 0))
      throw shape_error(sentence("the input deviation is ", deviation, "; it must be positive"));
}

}  // namespace detail

/// Turns a photo into a network's input: resized and cropped as `rule` says, then
/// (value - mean) / deviation. `dst` receives `rule.size` x `rule.size` x 3 floats (HWC).
///
/// `center` follows torchvision (`Resize`, `CenterCrop` on Pillow images; padding is black),
/// `tf_center` follows automl's central crop. Pillow's filters
/// round to 8 bit before the normalisation, `tf_bilinear` does not. Only the pixels that are kept
/// are computed. Throws `shape_error` for an empty image or a rule whose size is not positive.
inline void preprocess(const image& picture, const input_rule& rule, float* dst) {
  check_image(picture, "prepare");
  detail::check_input_rule(rule);
  const std::array axes = detail::crop_axes(picture, rule);
  const detail::crop_axis& across = axes[0];
  const detail::crop_axis& down = axes[1];
  const std::size_t size = static_cast<std::size_t>(rule.size);

  std::array<std::array<float, 256>, 3> normalized;
  for (std::size_t c = 0; c < 3; ++c)
    for (std::size_t v = 0; v < 256; ++v)
      normalized[c][v] = (static_cast<float>(v) - rule.mean[c]) / rule.deviation[c];

  const std::size_t columns = static_cast<std::size_t>(across.resized.count);
  const std::size_t rows = static_cast<std::size_t>(down.resized.count);
  if (columns < size || rows < size)
    for (std::size_t i = 0; i < size * size * 3; ++i) dst[i] = normalized[i % 3][0];

  const auto target_row = [&](std::size_t y) {
    return dst + ((y + static_cast<std::size_t>(down.offset)) * size +
                  static_cast<std::size_t>(across.offset)) *
                     3;
  };
  if (rule.filter == interpolation::tf_bilinear) {
    const std::vector<float> values =
        detail::resize_tf_bilinear(picture, across.resized, down.resized);
    const float* from = values.data();
    for (std::size_t y = 0; y < rows; ++y) {
      float* to = target_row(y);
      for (std::size_t x = 0; x < columns * 3; x += 3)
        for (std::size_t c = 0; c < 3; ++c)
          to[x + c] = (*from++ - rule.mean[c]) / rule.deviation[c];
    }
    return;
  }
  const image part = detail::resize_window(picture, across.resized, down.resized, rule.filter);
  for (std::size_t y = 0; y < rows; ++y) {
    const std::uint8_t* from = part.row(static_cast<int>(y));
    float* to = target_row(y);
    for (std::size_t x = 0; x < columns * 3; x += 3)
      for (std::size_t c = 0; c < 3; ++c) to[x + c] = normalized[c][from[x + c]];
  }
}

}  // namespace effnet
