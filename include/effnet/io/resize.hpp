#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <effnet/arch/convention.hpp>
#include <effnet/core/error.hpp>
#include <effnet/io/image.hpp>
#include <effnet/io/resize_passes.hpp>
#include <effnet/io/resize_tf_bilinear.hpp>

namespace effnet {

/// The part of an image that a resize reads, in pixels; corners may lie inside pixels.
struct source_box {
  float left = 0, top = 0, right = 0, bottom = 0;
};

inline source_box whole(const image& picture) {
  return {0, 0, static_cast<float>(picture.width), static_cast<float>(picture.height)};
}

namespace detail {

inline void check_resize(const image& source, std::int64_t width, std::int64_t height,
                         const source_box& box) {
  check_image(source, "resize");
  if (width < 1 || height < 1)
    throw shape_error(sentence("cannot resize an image to ", width, " x ", height,
                               " pixels; both sides must be at least 1"));
  const bool inside = box.left >= 0 && box.top >= 0 && box.right > box.left &&
                      box.bottom > box.top && box.right <= static_cast<float>(source.width) &&
                      box.bottom <= static_cast<float>(source.height);
  if (!inside)
    throw shape_error(sentence("cannot resize from the box (", box.left, ", ", box.top, ", ",
                               box.right, ", ", box.bottom, "): it must be a part of the image of ",
                               source.width, " x ", source.height));
}

inline image resize_window(const image& source, const resize_axis& horizontal,
                           const resize_axis& vertical, interpolation filter,
                           pass_order order = pass_order::pillow_12) {
  if (filter == interpolation::nearest) return resize_nearest(source, horizontal, vertical);
  if (filter != interpolation::tf_bilinear)
    return resize_filtered(source, horizontal, vertical, filter, order);
  const std::vector<float> exact = resize_tf_bilinear(source, horizontal, vertical);
  image target = make_image(horizontal.count, vertical.count);
  for (std::size_t i = 0; i < exact.size(); ++i)
    target.pixels[i] = static_cast<std::uint8_t>(exact[i] + 0.5f);
  return target;
}

}  // namespace detail

/// `box` of `picture` at another size. Nearest, bilinear, bicubic and Lanczos give, bit for bit,
/// what Pillow's `Image.resize(size, resample, box)` gives: antialiased, weights in fixed
/// point; `order` picks between Pillow's versions, which differ in it for some shapes.
/// `tf_bilinear` is `resize_tf_bilinear` rounded to the nearest integer. Throws `shape_error` for
/// sides below 1 or a box that is empty or reaches outside.
inline image resize(const image& picture, int width, int height, interpolation filter,
                    const source_box& box, pass_order order = pass_order::pillow_12) {
  detail::check_resize(picture, width, height, box);
  return detail::resize_window(picture, {width, 0, width, box.left, box.right},
                               {height, 0, height, box.top, box.bottom}, filter, order);
}

inline image resize(const image& picture, int width, int height, interpolation filter) {
  return resize(picture, width, height, filter, whole(picture));
}

/// TensorFlow 2's `tf.image.resize(..., "bilinear")`: half-pixel centres, no antialiasing, not
/// rounded. `height` x `width` x 3 values of 0 to 255. Throws as `resize` does.
inline std::vector<float> resize_tf_bilinear(const image& picture, int width, int height,
                                             const source_box& box) {
  detail::check_resize(picture, width, height, box);
  return detail::resize_tf_bilinear(picture, {width, 0, width, box.left, box.right},
                                    {height, 0, height, box.top, box.bottom});
}

inline std::vector<float> resize_tf_bilinear(const image& picture, int width, int height) {
  return resize_tf_bilinear(picture, width, height, whole(picture));
}

}  // namespace effnet
