#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <numbers>
#include <utility>

#include <effnet/core/error.hpp>
#include <effnet/io/image.hpp>

/// Augmentations that move pixels: the picture keeps its size, the nearest pixel is taken, and
/// where there is none, `fill` shows in all three channels. Arguments have the signs of Pillow's
/// `rotate` and `transform`, and so have the values, bit for bit. A picture without pixels or an
/// argument that is not finite is a `shape_error`.
namespace effnet {

/// The grey of the released EfficientNet code where a picture has moved away.
inline constexpr std::uint8_t augment_fill = 128;

namespace detail {

/// Output (x, y) shows input (a·x + b·y + c, d·x + e·y + f), in pixels from the top left corner.
struct affine_map {
  double a = 1, b = 0, c = 0, d = 0, e = 1, f = 0;
};

/// 16 fractional bits, to nearest. Beyond ±2^24 pixels nothing of a picture is left to be seen,
/// and sums over rows and columns stay within 64 bits.
inline std::int64_t to_fixed(double value) {
  return static_cast<std::int64_t>(std::floor(std::clamp(value, -0x1p24, 0x1p24) * 65536.0 + 0.5));
}

inline image filled_image(int width, int height, std::uint8_t fill) {
  image made = make_image(width, height);
  std::fill(made.pixels.begin(), made.pixels.end(), fill);
  return made;
}

inline void check_moved(const image& picture, double argument) {
  check_image(picture, "move");
  if (!std::isfinite(argument))
    throw shape_error(sentence("cannot move an image by ", argument, "; it must be finite"));
}

/// Pillow's nearest sampling for maps that turn or shear: centres of pixels, 16.16 fixed point.
inline image sample_nearest(const image& picture, const affine_map& map, std::uint8_t fill) {
  image moved = filled_image(picture.width, picture.height, fill);
  const std::int64_t across[2] = {to_fixed(map.a), to_fixed(map.d)};
  const std::int64_t down[2] = {to_fixed(map.b), to_fixed(map.e)};
  std::int64_t row_start[2] = {to_fixed(map.c + map.a * 0.5 + map.b * 0.5),
                               to_fixed(map.f + map.d * 0.5 + map.e * 0.5)};
  for (int y = 0; y < picture.height; ++y) {
    std::uint8_t* out = moved.row(y);
    std::int64_t at_x = row_start[0], at_y = row_start[1];
    for (int x = 0; x < picture.width; ++x, out += 3) {
      const std::int64_t from_x = at_x >> 16, from_y = at_y >> 16;
      if (from_x >= 0 && from_x < picture.width && from_y >= 0 && from_y < picture.height)
        std::memcpy(out, picture.row(static_cast<int>(from_y)) + from_x * 3, 3);
      at_x += across[0];
      at_y += across[1];
    }
    row_start[0] += down[0];
    row_start[1] += down[1];
  }
  return moved;
}

/// Which input column (or row) output column 0 shows after a move by `pixels`: Pillow truncates
/// the centre of the pixel that is asked for.
inline std::int64_t moved_origin(double pixels) {
  return static_cast<std::int64_t>(std::floor(std::clamp(pixels, -0x1p32, 0x1p32) + 0.5));
}

inline image translate(const image& picture, double right, double down, std::uint8_t fill) {
  image moved = filled_image(picture.width, picture.height, fill);
  const std::int64_t left = moved_origin(right), top = moved_origin(down);
  const std::int64_t first = std::max<std::int64_t>(0, -left);
  const std::int64_t end = std::min<std::int64_t>(picture.width, picture.width - left);
  for (std::int64_t y = 0; y < picture.height; ++y)
    if (first < end && y + top >= 0 && y + top < picture.height)
      std::memcpy(moved.row(static_cast<int>(y)) + first * 3,
                  picture.row(static_cast<int>(y + top)) + (first + left) * 3,
                  static_cast<std::size_t>(end - first) * 3);
  return moved;
}

}  // namespace detail

/// Turned counterclockwise by `degrees` about the middle of the picture.
inline image rotate(const image& picture, double degrees, std::uint8_t fill = augment_fill) {
  detail::check_moved(picture, degrees);
  double turn = std::fmod(degrees, 360.0);
  if (turn < 0) turn += 360.0;
  const double radians = -(turn * (std::numbers::pi / 180.0));
  // Fifteen digits, so that a quarter turn has a cosine of 0.
  const double cosine = std::nearbyint(std::cos(radians) * 1e15) / 1e15;
  const double sine = std::nearbyint(std::sin(radians) * 1e15) / 1e15;
  if (sine == 0 && cosine > 0) return picture;
  const double middle_x = picture.width / 2.0, middle_y = picture.height / 2.0;
  return detail::sample_nearest(picture,
                                {.a = cosine,
                                 .b = sine,
                                 .c = cosine * -middle_x + sine * -middle_y + middle_x,
                                 .d = -sine,
                                 .e = cosine,
                                 .f = -sine * -middle_x + cosine * -middle_y + middle_y},
                                fill);
}

/// Output (x, y) shows input (x + slope · y, y): the top row stays.
inline image shear_x(const image& picture, double slope, std::uint8_t fill = augment_fill) {
  detail::check_moved(picture, slope);
  return detail::sample_nearest(picture, {.b = slope}, fill);
}

/// Output (x, y) shows input (x, y + slope · x): the left column stays.
inline image shear_y(const image& picture, double slope, std::uint8_t fill = augment_fill) {
  detail::check_moved(picture, slope);
  return detail::sample_nearest(picture, {.d = slope}, fill);
}

/// Output (x, y) shows input (x + pixels, y): content moves to the left by `pixels`.
inline image translate_x(const image& picture, double pixels, std::uint8_t fill = augment_fill) {
  detail::check_moved(picture, pixels);
  return detail::translate(picture, pixels, 0, fill);
}

/// Output (x, y) shows input (x, y + pixels): content moves up by `pixels`.
inline image translate_y(const image& picture, double pixels, std::uint8_t fill = augment_fill) {
  detail::check_moved(picture, pixels);
  return detail::translate(picture, 0, pixels, fill);
}

/// Fills the square of 2 · `half_side` pixels a side around the corner between the pixels
/// (x − 1, y − 1) and (x, y), as far as it lies inside (DeVries, Taylor 2017; released code).
inline image cutout(image picture, int x, int y, int half_side, std::uint8_t fill = augment_fill) {
  check_image(picture, "cut a square out of");
  const std::int64_t half = std::max(half_side, 0);
  const std::int64_t left = std::max<std::int64_t>(0, x - half);
  const std::int64_t right = std::min<std::int64_t>(picture.width, x + half);
  const std::int64_t top = std::max<std::int64_t>(0, y - half);
  const std::int64_t bottom = std::min<std::int64_t>(picture.height, y + half);
  for (std::int64_t row = top; row < bottom && left < right; ++row)
    std::fill_n(picture.row(static_cast<int>(row)) + left * 3, (right - left) * 3, fill);
  return picture;
}

/// The picture with left and right exchanged.
inline image flip_horizontally(image picture) {
  check_image(picture, "flip");
  for (int y = 0; y < picture.height; ++y) {
    std::uint8_t* left = picture.row(y);
    std::uint8_t* right = left + picture.row_bytes() - 3;
    for (; left < right; left += 3, right -= 3) std::swap_ranges(left, left + 3, right);
  }
  return picture;
}

}  // namespace effnet
