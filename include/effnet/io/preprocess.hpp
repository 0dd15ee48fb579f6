#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <effnet/arch/convention.hpp>
#include <effnet/core/error.hpp>
#include <effnet/io/image.hpp>
#include <effnet/io/resize.hpp>
#include <vector>

namespace effnet {

namespace detail {

/// One axis of a centre crop: what is resampled, and where it lands among `size` pixels.
struct crop_axis {
  resize_axis resized;
  int offset = 0;
};

/// torchvision's `CenterCrop`: half an odd rest is rounded to even; what is smaller is padded, the
/// smaller half first.
inline crop_axis centered(int source, std::int64_t resized, int size) {
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
    axis.resized.first = rest / 2 + (rest % 4 == 3 ? 1 : 0);
  }
  return axis;
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
  const std::int64_t width = picture.width, height = picture.height;
  if (rule.crop == crop_rule::center) {
    const std::int64_t shorter = std::min(width, height);
    return {centered(picture.width, rule.resize * width / shorter, rule.size),
            centered(picture.height, rule.resize * height / shorter, rule.size)};
  }
  if (rule.crop == crop_rule::squash)
    return {centered(picture.width, rule.size, rule.size),
            centered(picture.height, rule.size, rule.size)};
  const std::int64_t shorter = std::min(width, height);
  const int side =
      std::max(1, static_cast<int>(shorter * rule.size / (std::int64_t{rule.size} + 32)));
  return {central_square(picture.width, side, rule.size),
          central_square(picture.height, side, rule.size)};
}

inline void check_input_rule(const input_rule& rule) {
  if (rule.size < 1 || (rule.crop == crop_rule::center && rule.resize < 1))
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
/// `tf_center` follows automl's central crop. Pillow's filters round to 8 bit before the
/// normalisation, `tf_bilinear` does not. Only the pixels that are kept are computed.
/// Throws `shape_error` for an empty image or a rule whose size is not positive.
inline void preprocess(const image& picture, const input_rule& rule, float* dst) {
  check_image(picture, "prepare");
  detail::check_input_rule(rule);
  const auto [across, down] = detail::crop_axes(picture, rule);
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
    for (std::size_t y = 0; y < rows; ++y)
      for (std::size_t i = 0; i < columns * 3; ++i)
        target_row(y)[i] = (values[y * columns * 3 + i] - rule.mean[i % 3]) / rule.deviation[i % 3];
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
