#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <effnet/io/image.hpp>
#include <effnet/io/resize_filter.hpp>
#include <vector>

namespace effnet::detail {

inline std::uint8_t rounded_pixel(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> resize_taps::precision, 0, 255));
}

inline constexpr std::int32_t half_pixel = 1 << (resize_taps::precision - 1);

/// Rows `first_row` to `first_row + rows` of `source`, resampled along x; `target` receives
/// `rows` x taps pixels.
inline void resample_rows(const image& source, int first_row, int rows, const resize_taps& taps,
                          std::uint8_t* target) {
  const std::size_t width = taps.first.size();
  for (int y = 0; y < rows; ++y) {
    const std::uint8_t* row = source.row(first_row + y);
    for (std::size_t x = 0; x < width; ++x, target += 3) {
      const std::uint8_t* pixel = row + static_cast<std::size_t>(taps.first[x]) * 3;
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

/// One row, `bytes` long, as the weighted sum of `count` rows that lie `bytes` apart. In blocks, so
/// that the sums stay in registers and the compiler can use vectors.
inline void blend_rows(const std::uint8_t* source, std::size_t bytes, const std::int32_t* weights,
                       int count, std::uint8_t* target) {
  constexpr std::size_t block = 16;
  std::size_t x = 0;
  for (; x + block <= bytes; x += block) {
    std::array<std::int32_t, block> sums;
    sums.fill(half_pixel);
    const std::uint8_t* row = source + x;
    for (int k = 0; k < count; ++k, row += bytes)
      for (std::size_t i = 0; i < block; ++i) sums[i] += row[i] * weights[k];
    for (std::size_t i = 0; i < block; ++i) target[x + i] = rounded_pixel(sums[i]);
  }
  for (; x < bytes; ++x) {
    std::int32_t sum = half_pixel;
    for (int k = 0; k < count; ++k)
      sum += source[static_cast<std::size_t>(k) * bytes + x] * weights[k];
    target[x] = rounded_pixel(sum);
  }
}

/// The antialiasing filters: along x into rows of 8 bit, then along y. A pass that would change
/// nothing is left out.
inline image resize_filtered(const image& source, const resize_axis& horizontal,
                             const resize_axis& vertical, interpolation filter) {
  const resize_taps down(vertical, source.height, filter);
  const int first_row = down.first.front();
  const int rows = down.first.back() + down.count.back() - first_row;

  image target = make_image(horizontal.count, vertical.count);
  const std::size_t bytes = target.row_bytes();
  std::vector<std::uint8_t> narrowed;
  const std::uint8_t* between = nullptr;
  if (horizontal.is_identity(source.width) && horizontal.count == source.width) {
    between = source.row(first_row);
  } else {
    const resize_taps across(horizontal, source.width, filter);
    narrowed.resize(bytes * static_cast<std::size_t>(rows));
    resample_rows(source, first_row, rows, across, narrowed.data());
    between = narrowed.data();
  }
  for (int y = 0; y < vertical.count; ++y) {
    const std::size_t i = static_cast<std::size_t>(y);
    const std::size_t start = static_cast<std::size_t>(down.first[i] - first_row);
    blend_rows(between + start * bytes, bytes, down.of(y), down.count[i], target.row(y));
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

}  // namespace effnet::detail
