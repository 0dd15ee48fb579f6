#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <effnet/core/error.hpp>
#include <effnet/io/image.hpp>

/// Augmentations that look every value up in a table of 256. Each takes a picture and returns it
/// changed (move it in to save the copy), and throws `shape_error` for a picture without pixels.
/// The values are Pillow's (`ImageOps`), bit for bit.
namespace effnet {

namespace detail {

using tone_table = std::array<std::uint8_t, 256>;

inline void map_channel(image& picture, std::size_t channel, const tone_table& table) {
  for (std::size_t i = channel; i < picture.pixels.size(); i += 3)
    picture.pixels[i] = table[picture.pixels[i]];
}

inline std::array<std::size_t, 256> channel_histogram(const image& picture, std::size_t channel) {
  std::array<std::size_t, 256> count{};
  for (std::size_t i = channel; i < picture.pixels.size(); i += 3) ++count[picture.pixels[i]];
  return count;
}

/// `Map` is int → int on 0..255; what it returns is clipped to that range.
template <class Map>
tone_table tabulate(Map map) {
  tone_table table{};
  for (int value = 0; value < 256; ++value)
    table[static_cast<std::size_t>(value)] =
        static_cast<std::uint8_t>(std::clamp<int>(map(value), 0, 255));
  return table;
}

inline image map_all(image picture, const tone_table& table) {
  for (std::uint8_t& value : picture.pixels) value = table[value];
  return picture;
}

}  // namespace detail

/// Stretches the values of each channel linearly to 0..255, rounding towards zero; a channel of
/// one value stays as it is.
inline image auto_contrast(image picture) {
  check_image(picture, "stretch the contrast of");
  for (std::size_t channel = 0; channel < 3; ++channel) {
    const auto count = detail::channel_histogram(picture, channel);
    int lowest = 0, highest = 255;
    while (count[static_cast<std::size_t>(lowest)] == 0) ++lowest;
    while (count[static_cast<std::size_t>(highest)] == 0) --highest;
    if (lowest == highest) continue;
    const double scale = 255.0 / (highest - lowest);
    const double offset = -lowest * scale;
    // The products wait in a table, so that no compiler fuses them with the sum and rounds but
    // once.
    std::array<double, 256> product{};
    for (std::size_t value = 0; value < 256; ++value)
      product[value] = static_cast<double>(value) * scale;
    detail::map_channel(
        picture, channel, detail::tabulate([&](int value) {
          return static_cast<int>(product[static_cast<std::size_t>(value)] + offset);
        }));
  }
  return picture;
}

/// Flattens the histogram of each channel. With N pixels, of which n have the highest value that
/// occurs, step = (N − n) / 255; value v becomes (step / 2 + pixels below v) / step, in integers.
/// A channel whose step is 0 stays as it is.
inline image equalize(image picture) {
  check_image(picture, "equalize");
  for (std::size_t channel = 0; channel < 3; ++channel) {
    const auto count = detail::channel_histogram(picture, channel);
    std::size_t highest = 255;
    while (count[highest] == 0) --highest;
    const std::size_t step = (picture.pixels.size() / 3 - count[highest]) / 255;
    if (step == 0) continue;
    std::size_t below = step / 2;
    detail::map_channel(picture, channel, detail::tabulate([&](int value) {
                          const std::size_t level = below / step;
                          below += count[static_cast<std::size_t>(value)];
                          return static_cast<int>(std::min<std::size_t>(level, 255));
                        }));
  }
  return picture;
}

/// v becomes 255 − v.
inline image invert(image picture) {
  check_image(picture, "invert");
  return detail::map_all(std::move(picture), detail::tabulate([](int v) { return 255 - v; }));
}

/// Keeps the `bits` highest bits of every value: 8 changes nothing, 0 leaves black. Throws
/// `shape_error` for any other number of bits.
inline image posterize(image picture, int bits) {
  check_image(picture, "posterize");
  if (bits < 0 || bits > 8)
    throw shape_error(sentence("cannot keep ", bits, " bits of each value; 0 to 8 are possible"));
  const int kept = ~((1 << (8 - bits)) - 1);
  return detail::map_all(std::move(picture), detail::tabulate([&](int v) { return v & kept; }));
}

/// Inverts the values from `threshold` on: 0 inverts all, 256 none.
inline image solarize(image picture, int threshold) {
  check_image(picture, "solarize");
  return detail::map_all(std::move(picture), detail::tabulate([&](int value) {
                           return value < threshold ? value : 255 - value;
                         }));
}

/// Adds `amount` to the values below `threshold` and clips (automl `autoaugment.py`; Pillow has no
/// such operation).
inline image solarize_add(image picture, int amount, int threshold = 128) {
  check_image(picture, "solarize");
  const int added = std::clamp(amount, -255, 255);
  return detail::map_all(std::move(picture), detail::tabulate([&](int value) {
                           return value < threshold ? value + added : value;
                         }));
}

}  // namespace effnet
