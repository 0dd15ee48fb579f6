#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include <effnet/core/error.hpp>

namespace effnet {

/// A picture: RGB, 8 bit, rows from the top, `pixels[(y * width + x) * 3 + channel]`, no padding.
struct image {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> pixels;

  std::size_t row_bytes() const { return static_cast<std::size_t>(width) * 3; }
  const std::uint8_t* row(int y) const {
    return pixels.data() + static_cast<std::size_t>(y) * row_bytes();
  }
  std::uint8_t* row(int y) { return pixels.data() + static_cast<std::size_t>(y) * row_bytes(); }

  friend bool operator==(const image&, const image&) = default;
};

/// A black picture. Throws `shape_error` where a side is not positive.
inline image make_image(int width, int height) {
  if (width < 1 || height < 1)
    throw shape_error(sentence("an image of ", width, " x ", height,
                               " pixels cannot be made; both sides must be at least 1"));
  image made{.width = width, .height = height, .pixels = {}};
  made.pixels.resize(made.row_bytes() * static_cast<std::size_t>(height));
  return made;
}

/// Throws `shape_error` where `picture` has no pixels, or another number of them than its sides
/// say. `purpose` completes "cannot ...".
inline void check_image(const image& picture, std::string_view purpose) {
  if (picture.width < 1 || picture.height < 1)
    throw shape_error(sentence("cannot ", purpose, " an image of ", picture.width, " x ",
                               picture.height, " pixels; both sides must be at least 1"));
  const std::size_t expected = picture.row_bytes() * static_cast<std::size_t>(picture.height);
  if (picture.pixels.size() != expected)
    throw shape_error(sentence("cannot ", purpose, " an image of ", picture.width, " x ",
                               picture.height, " pixels: it must hold ", expected,
                               " bytes (RGB) and holds ", picture.pixels.size()));
}

/// The part of `picture` that starts `left`, `top` pixels in. Throws `shape_error` where it does
/// not lie inside.
inline image crop(const image& picture, int left, int top, int width, int height) {
  check_image(picture, "crop");
  if (left < 0 || top < 0 || width < 1 || height < 1 || width > picture.width - left ||
      height > picture.height - top)
    throw shape_error(sentence("the crop of ", width, " x ", height, " pixels at (", left, ", ",
                               top, ") does not lie inside the image of ", picture.width, " x ",
                               picture.height));
  image part = make_image(width, height);
  for (int y = 0; y < height; ++y)
    std::copy_n(picture.row(top + y) + static_cast<std::size_t>(left) * 3, part.row_bytes(),
                part.row(y));
  return part;
}

}  // namespace effnet
