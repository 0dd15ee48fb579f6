#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <effnet/core/crop_box.hpp>
#include <effnet/core/error.hpp>
#include <effnet/data/random_draws.hpp>
#include <effnet/io/image.hpp>

namespace effnet {

inline image crop(const image& picture, const crop_box& box) {
  return crop(picture, box.left, box.top, box.width, box.height);
}

/// How a random part is drawn ("Inception crop", Szegedy et al. 2014).
enum class crop_sampling : std::uint8_t {
  /// The kernel of `sample_distorted_bounding_box`: aspect uniform, then the height uniform between
  /// what the smallest area and what the largest area and the picture allow.
  tensorflow,
  /// `RandomResizedCrop`: area uniform, logarithm of the aspect uniform.
  torchvision,
};

/// What is taken where no attempt gave a part.
enum class crop_fallback : std::uint8_t {
  whole,          ///< the whole picture, which the resize will squash
  centre,         ///< a centred square of `centre_share` of the shorter side
  nearest_aspect  ///< the largest centred part whose aspect is within the range
};

struct random_crop_settings {
  crop_sampling sampling = crop_sampling::tensorflow;
  double smallest_area = 0.05, largest_area = 1;         ///< shares of the picture's area
  double smallest_aspect = 0.75, largest_aspect = 1.33;  ///< width / height
  double covered = 0;  ///< least share of the picture's area that an attempt must have (tensorflow)
  int attempts = 100;
  crop_fallback fallback = crop_fallback::whole;
  double centre_share = 0.875;
};

/// automl `preprocessing.py`, for V2.
inline random_crop_settings v2_crop() {
  return {};
}

/// tpu `preprocessing.py` and automl `preprocess_legacy.py`, for V1 and Lite at this image size.
inline random_crop_settings v1_crop(int image_size = 224) {
  return {.smallest_area = 0.08,
          .smallest_aspect = 3.0 / 4,
          .largest_aspect = 4.0 / 3,
          .covered = 0.1,
          .attempts = 10,
          .fallback = crop_fallback::centre,
          .centre_share = image_size / (image_size + 32.0)};
}

/// torchvision `RandomResizedCrop`, with its defaults.
inline random_crop_settings torchvision_crop() {
  return {.sampling = crop_sampling::torchvision,
          .smallest_area = 0.08,
          .smallest_aspect = 3.0 / 4,
          .largest_aspect = 4.0 / 3,
          .attempts = 10,
          .fallback = crop_fallback::nearest_aspect};
}

/// Throws `error` for ranges that are empty or reach where nothing is.
inline void check(const random_crop_settings& s) {
  if (!(s.smallest_area > 0 && s.smallest_area <= s.largest_area && s.largest_area <= 1))
    throw error(sentence("cannot crop to between ", s.smallest_area, " and ", s.largest_area,
                         " of an image's area; the bounds must rise within 0 to 1"));
  if (!(s.smallest_aspect >= 1e-3 && s.smallest_aspect <= s.largest_aspect &&
        s.largest_aspect <= 1e3))
    throw error(sentence("cannot crop to aspects between ", s.smallest_aspect, " and ",
                         s.largest_aspect, "; the bounds must rise within 0.001 to 1000"));
  if (!(s.covered >= 0 && s.covered <= 1 && s.centre_share > 0 && s.centre_share <= 1))
    throw error(sentence("the shares of an image that a crop covers (", s.covered,
                         ") and that its centre crop keeps (", s.centre_share,
                         ") must lie in 0 to 1"));
  if (s.attempts < 0 || s.attempts > 100'000)
    throw error(
        sentence("a crop cannot be attempted ", s.attempts, " times; 0 to 100000 are possible"));
}

namespace detail {

inline std::int64_t rounded(double value) {
  return std::lrint(value);
}

/// One attempt; false where it gave nothing.
inline bool attempt_tensorflow(const random_crop_settings& s, std::int64_t width,
                               std::int64_t height, random_draws& draws, crop_box& box) {
  const double aspect = draws.uniform(s.smallest_aspect, s.largest_aspect);
  const double area = static_cast<double>(width) * static_cast<double>(height);
  const double least = s.smallest_area * area, most = s.largest_area * area;
  const auto width_at = [&](std::int64_t h) { return rounded(static_cast<double>(h) * aspect); };

  std::int64_t largest = std::min(rounded(std::sqrt(most / aspect)), height);
  largest =
      std::min(largest, static_cast<std::int64_t>((static_cast<double>(width) + 0.5) / aspect));
  while (largest > 0 && width_at(largest) > width) --largest;
  const std::int64_t smallest = std::min(rounded(std::sqrt(least / aspect)), largest);

  // Rounding may leave the range of areas by less than a row: one row more, or one less, repairs.
  std::int64_t h = draws.integer(smallest, largest + 1);
  const auto area_at = [&](std::int64_t rows) {
    return static_cast<double>(rows * width_at(rows));
  };
  if (area_at(h) < least) ++h;
  if (area_at(h) > most) --h;
  const std::int64_t w = width_at(h);
  if (area_at(h) < least || area_at(h) > most || w < 1 || h < 1 || w > width || h > height ||
      area_at(h) < s.covered * area)
    return false;

  // The kernel leaves out the last place: [0, height - h), not up to and with it.
  const std::int64_t top = h < height ? draws.integer(0, height - h) : 0;
  const std::int64_t left = w < width ? draws.integer(0, width - w) : 0;
  box = {static_cast<int>(left), static_cast<int>(top), static_cast<int>(w), static_cast<int>(h)};
  return true;
}

inline bool attempt_torchvision(const random_crop_settings& s, std::int64_t width,
                                std::int64_t height, random_draws& draws, crop_box& box) {
  const double area = static_cast<double>(width) * static_cast<double>(height) *
                      draws.uniform(s.smallest_area, s.largest_area);
  const double aspect =
      std::exp(draws.uniform(std::log(s.smallest_aspect), std::log(s.largest_aspect)));
  const std::int64_t w = rounded(std::sqrt(area * aspect));
  const std::int64_t h = rounded(std::sqrt(area / aspect));
  if (w < 1 || h < 1 || w > width || h > height) return false;
  const std::int64_t top = draws.integer(0, height - h + 1);
  const std::int64_t left = draws.integer(0, width - w + 1);
  box = {static_cast<int>(left), static_cast<int>(top), static_cast<int>(w), static_cast<int>(h)};
  return true;
}

inline crop_box fall_back(const random_crop_settings& s, int width, int height) {
  if (s.fallback == crop_fallback::whole) return {0, 0, width, height};
  if (s.fallback == crop_fallback::centre) {
    const int side = std::max(1, static_cast<int>(s.centre_share * std::min(width, height)));
    return {(width - side + 1) / 2, (height - side + 1) / 2, side, side};
  }
  int w = width, h = height;
  const double aspect = static_cast<double>(width) / height;
  if (aspect < s.smallest_aspect)
    h = std::clamp(static_cast<int>(rounded(width / s.smallest_aspect)), 1, height);
  else if (aspect > s.largest_aspect)
    w = std::clamp(static_cast<int>(rounded(height * s.largest_aspect)), 1, width);
  return {(width - w) / 2, (height - h) / 2, w, h};
}

}  // namespace detail

/// A random part of a picture of `width` x `height` pixels, to be cropped and resized. Throws
/// `error` for settings that `check` refuses, `shape_error` for sides below 1.
inline crop_box random_crop(int width, int height, const random_crop_settings& settings,
                            random_draws& draws) {
  check(settings);
  if (width < 1 || height < 1)
    throw shape_error(sentence("cannot crop an image of ", width, " x ", height,
                               " pixels; both sides must be at least 1"));
  crop_box box;
  for (int i = 0; i < settings.attempts; ++i) {
    const bool drawn = settings.sampling == crop_sampling::tensorflow
                           ? detail::attempt_tensorflow(settings, width, height, draws, box)
                           : detail::attempt_torchvision(settings, width, height, draws, box);
    if (!drawn) continue;
    // The code of V1 cannot tell a part that is the whole from an attempt that failed.
    const bool is_whole = box.width == width && box.height == height;
    if (is_whole && settings.fallback == crop_fallback::centre) break;
    return box;
  }
  return detail::fall_back(settings, width, height);
}

}  // namespace effnet
