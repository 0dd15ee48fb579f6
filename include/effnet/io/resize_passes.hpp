#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <effnet/io/image.hpp>
#include <effnet/io/resize_filter.hpp>
#include <effnet/math/rounded_pixel.hpp>

namespace effnet {

/// Which axis an antialiasing filter goes along first. It decides roundings by one: the picture
/// between the passes has 8 bit.
enum class pass_order {
  /// As Pillow before 13: along x first, but for pictures over 100 times as high as wide that lose
  /// height.
  pillow_12,
  /// As Pillow 13: along y first where the height loses over twice as many pixels as the width.
  pillow_13,
};

namespace detail {

using math::half_pixel;
using math::rounded_pixel;

/// Rows of RGB bytes, `stride` bytes apart.
struct pixel_rows {
  const std::uint8_t* first = nullptr;
  std::size_t stride = 0;
};

/// `rows` rows of `source`, whose pixel 0 is the source's pixel `origin`, resampled along x;
/// `target` receives `rows` x taps pixels without gaps.
inline void resample_rows(pixel_rows source, int origin, int rows, const resize_taps& taps,
                          std::uint8_t* target) {
  const std::size_t width = taps.first.size();
  for (int y = 0; y < rows; ++y) {
    const std::uint8_t* row = source.first + static_cast<std::size_t>(y) * source.stride;
    for (std::size_t x = 0; x < width; ++x, target += 3) {
      const std::uint8_t* pixel = row + static_cast<std::size_t>(taps.first[x] - origin) * 3;
      const std::int32_t* weights = taps.of(static_cast<int>(x));
      std::int32_t r = half_pixel, g = half_pixel, b = half_pixel;
      for (int k = 0; k < taps.count[x]; ++k, pixel += 3) {
        const std::int32_t weight = weights[k];
        r += pixel[0] * weight;
        g += pixel[1] * weight;
        b += pixel[2] * weight;
      }
      target[0] = rounded_pixel(r);
      target[1] = rounded_pixel(g);
      target[2] = rounded_pixel(b);
    }
  }
}

/// One row of `bytes` bytes as the weighted sum of `count` rows. In blocks, so that the sums stay
/// in registers and the compiler can use vectors.
inline void blend_rows(pixel_rows source, std::size_t bytes, const std::int32_t* weights, int count,
                       std::uint8_t* target) {
  constexpr std::size_t block = 16;
  std::size_t x = 0;
  for (; x + block <= bytes; x += block) {
    std::array<std::int32_t, block> sums;
    sums.fill(half_pixel);
    const std::uint8_t* row = source.first + x;
    for (int k = 0; k < count; ++k, row += source.stride)
      for (std::size_t i = 0; i < block; ++i) sums[i] += row[i] * weights[k];
    for (std::size_t i = 0; i < block; ++i) target[x + i] = rounded_pixel(sums[i]);
  }
  for (; x < bytes; ++x) {
    std::int32_t sum = half_pixel;
    for (int k = 0; k < count; ++k)
      sum += source.first[static_cast<std::size_t>(k) * source.stride + x] * weights[k];
    target[x] = rounded_pixel(sum);
  }
}

/// Every wanted row resampled along y, `bytes` long; row 0 of `source` is the source's row
/// `origin`.
inline void resample_columns(pixel_rows source, int origin, std::size_t bytes,
                             const resize_taps& taps, std::uint8_t* target) {
  for (std::size_t y = 0; y < taps.first.size(); ++y) {
    const std::size_t start = static_cast<std::size_t>(taps.first[y] - origin) * source.stride;
    blend_rows({source.first + start, source.stride}, bytes, taps.of(static_cast<int>(y)),
               taps.count[y], target + y * bytes);
  }
}

inline bool goes_along_y_first(const image& source, const resize_axis& horizontal,
                               const resize_axis& vertical, pass_order order) {
  const std::int64_t lost_rows = source.height - vertical.extent;
  if (lost_rows <= 0) return false;
  return order == pass_order::pillow_13
             ? lost_rows > 2 * (source.width - horizontal.extent)
             : source.height > 100 * static_cast<std::int64_t>(source.width);
}

/// The antialiasing filters, one axis after the other, with 8 bit between. A pass along x that
/// would change nothing is left out.
inline image resize_filtered(const image& source, const resize_axis& horizontal,
                             const resize_axis& vertical, interpolation filter, pass_order order) {
  const resize_taps across(horizontal, source.width, filter);
  const resize_taps down(vertical, source.height, filter);
  const int column = across.first.front(), row = down.first.front();
  const int columns = across.last() - column, rows = down.last() - row;
  const pixel_rows used{source.row(row), source.row_bytes()};

  image target = make_image(horizontal.count, vertical.count);
  const std::size_t bytes = target.row_bytes();
  std::vector<std::uint8_t> between;
  if (horizontal.is_identity(source.width) && horizontal.count == source.width) {
    resample_columns(used, row, bytes, down, target.pixels.data());
  } else if (goes_along_y_first(source, horizontal, vertical, order)) {
    const std::size_t used_bytes = static_cast<std::size_t>(columns) * 3;
    between.resize(used_bytes * static_cast<std::size_t>(vertical.count));
    const std::uint8_t* first = used.first + static_cast<std::size_t>(column) * 3;
    resample_columns({first, used.stride}, row, used_bytes, down, between.data());
    resample_rows({between.data(), used_bytes}, column, vertical.count, across,
                  target.pixels.data());
  } else {
    between.resize(bytes * static_cast<std::size_t>(rows));
    resample_rows(used, 0, rows, across, between.data());
    resample_columns({between.data(), bytes}, row, bytes, down, target.pixels.data());
  }
  return target;
}

/// The source index of every wanted pixel, stepping as Pillow's affine transform does (the step is
/// added up in double, so the sum, rounding and all, is part of the result).
inline std::vector<int> nearest_indices(const resize_axis& axis, int source) {
  std::vector<int> indices(static_cast<std::size_t>(axis.count));
  const double step = static_cast<double>(axis.end - axis.begin) / static_cast<double>(axis.extent);
  double position = static_cast<double>(axis.begin) + step * 0.5;
  for (std::int64_t i = 0; i < axis.first; ++i) position += step;
  for (int& index : indices) {
    index = std::clamp(static_cast<int>(position), 0, source - 1);
    position += step;
  }
  return indices;
}

inline image resize_nearest(const image& source, const resize_axis& horizontal,
                            const resize_axis& vertical) {
  const std::vector<int> columns = nearest_indices(horizontal, source.width);
  const std::vector<int> rows = nearest_indices(vertical, source.height);
  image target = make_image(horizontal.count, vertical.count);
  std::uint8_t* to = target.pixels.data();
  for (int y : rows) {
    const std::uint8_t* row = source.row(y);
    for (int x : columns) to = std::copy_n(row + static_cast<std::size_t>(x) * 3, 3, to);
  }
  return target;
}

}  // namespace detail
}  // namespace effnet
