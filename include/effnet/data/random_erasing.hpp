#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include <effnet/core/error.hpp>
#include <effnet/core/tensor_view.hpp>
#include <effnet/data/random_crop.hpp>
#include <effnet/data/random_draws.hpp>

namespace effnet {

/// What an erased part shows; images are normalised, so that 0 is their mean.
enum class erase_fill : std::uint8_t {
  zero,
  one_color,  ///< normal numbers, one per channel
  noise,      ///< normal numbers, one per value
};

/// Random erasing (Zhong et al. 2017) with the defaults of timm's `RandomErasing`.
struct erasing_settings {
  double probability = 0;
  double smallest_area = 0.02, largest_area = 1.0 / 3;     ///< shares of the picture's area
  double smallest_aspect = 0.3, largest_aspect = 1 / 0.3;  ///< height / width
  int attempts = 10;
  erase_fill fill = erase_fill::noise;
};

/// Throws `error` for settings that mean nothing.
inline void check(const erasing_settings& s) {
  if (!(s.probability >= 0 && s.probability <= 1))
    throw error(
        sentence("cannot erase with the probability ", s.probability, "; it must lie in 0 to 1"));
  check(random_crop_settings{.sampling = crop_sampling::torchvision,
                             .smallest_area = s.smallest_area,
                             .largest_area = s.largest_area,
                             .smallest_aspect = s.smallest_aspect,
                             .largest_aspect = s.largest_aspect,
                             .attempts = s.attempts});
}

/// The part of a picture to erase: area uniform, logarithm of the aspect uniform, smaller than the
/// picture in both directions, anywhere. Empty where no attempt fits.
inline crop_box erasing_box(int width, int height, const erasing_settings& s, random_draws& draws) {
  check(s);
  for (int i = 0; i < s.attempts; ++i) {
    const double area =
        static_cast<double>(width) * height * draws.uniform(s.smallest_area, s.largest_area);
    const double aspect =
        std::exp(draws.uniform(std::log(s.smallest_aspect), std::log(s.largest_aspect)));
    const double h = std::nearbyint(std::sqrt(area * aspect));
    const double w = std::nearbyint(std::sqrt(area / aspect));
    if (!(h >= 1 && w >= 1 && h < height && w < width)) continue;
    const int rows = static_cast<int>(h), columns = static_cast<int>(w);
    const auto top = static_cast<int>(draws.integer(0, height - rows + 1));
    const auto left = static_cast<int>(draws.integer(0, width - columns + 1));
    return {left, top, columns, rows};
  }
  return {};
}

/// The part of an image that random erasing falls on, with its probability; empty where on none.
inline crop_box drawn_erasing(int width, int height, const erasing_settings& settings,
                              random_draws& draws) {
  check(settings);
  return draws.bernoulli(settings.probability) ? erasing_box(width, height, settings, draws)
                                               : crop_box{};
}

namespace detail {

/// What an erased part shows: `box.height` rows of `box.width` pixels, `row` floats apart.
inline void fill_erased(const crop_box& box, std::size_t channels, erase_fill fill,
                        random_draws& draws, float* first, std::size_t row) {
  const auto normal = [&] { return static_cast<float>(draws.normal()); };
  const float* color = nullptr;
  for (int y = 0; y < box.height; ++y)
    for (int x = 0; x < box.width; ++x) {
      float* out =
          first + static_cast<std::size_t>(y) * row + static_cast<std::size_t>(x) * channels;
      if (fill == erase_fill::zero)
        std::fill_n(out, channels, 0.0f);
      else if (fill == erase_fill::one_color && color != nullptr)
        std::copy_n(color, channels, out);
      else
        std::generate_n(out, channels, normal);
      color = color == nullptr ? out : color;
    }
}

}  // namespace detail

/// Erases a random part of one normalised image ([1, H, W, C], host memory), or nothing. Throws
/// `shape_error` for anything but one image, `error` for settings that mean nothing.
inline void random_erase(const tensor_view& picture, const erasing_settings& settings,
                         random_draws& draws) {
  check(settings);
  const shape4& s = picture.shape;
  if (s.n != 1 || s.h < 1 || s.w < 1 || s.c < 1 || picture.data == nullptr)
    throw shape_error(
        sentence("cannot erase a part of ", to_string(s), "; one image with pixels is needed"));
  const crop_box box = drawn_erasing(s.w, s.h, settings, draws);
  const auto channels = static_cast<std::size_t>(s.c);
  const std::size_t row = static_cast<std::size_t>(s.w) * channels;
  float* first = picture.data + static_cast<std::size_t>(box.top) * row +
                 static_cast<std::size_t>(box.left) * channels;
  detail::fill_erased(box, channels, settings.fill, draws, first, row);
}

}  // namespace effnet
