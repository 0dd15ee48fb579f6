#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <effnet/core/rng.hpp>
#include <effnet/io/image.hpp>

namespace effnet::testing {

/// Noise: every value from 0 to 255 is likely.
inline image noise_picture(int width, int height, std::uint64_t seed = 1) {
  image made = make_image(width, height);
  for (std::size_t i = 0; i < made.pixels.size(); ++i)
    made.pixels[i] = static_cast<std::uint8_t>(mix64(mix64(seed) + i) >> 56);
  return made;
}

/// One row of pixels, grey values as given.
inline image grey_row(const std::vector<std::uint8_t>& values) {
  image made = make_image(static_cast<int>(values.size()), 1);
  for (std::size_t i = 0; i < values.size(); ++i)
    for (std::size_t c = 0; c < 3; ++c) made.pixels[3 * i + c] = values[i];
  return made;
}

/// The red values, row by row.
inline std::vector<int> reds(const image& picture) {
  std::vector<int> values;
  for (std::size_t i = 0; i < picture.pixels.size(); i += 3) values.push_back(picture.pixels[i]);
  return values;
}

}  // namespace effnet::testing
