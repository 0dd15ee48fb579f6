#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <vector>

#include <effnet/arch/convention.hpp>
#include <effnet/math/rounded_pixel.hpp>

namespace effnet::detail {

/// Half the width of a filter, in source pixels at scale 1.
inline double filter_support(interpolation filter) {
  return filter == interpolation::bilinear ? 1.0 : filter == interpolation::bicubic ? 2.0 : 3.0;
}

inline double filter_weight(interpolation filter, double x) {
  x = std::fabs(x);
  switch (filter) {
    case interpolation::bilinear:
      return x < 1.0 ? 1.0 - x : 0.0;
    case interpolation::bicubic: {  // Keys, a = -0.5
      constexpr double a = -0.5;
      if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
      if (x < 2.0) return (((x - 5.0) * x + 8.0) * x - 4.0) * a;
      return 0.0;
    }
    default: {  // Lanczos with three lobes
      const auto sinc = [](double v) {
        if (v == 0.0) return 1.0;
        v *= std::numbers::pi;
        return std::sin(v) / v;
      };
      return x < 3.0 ? sinc(x) * sinc(x / 3.0) : 0.0;
    }
  }
}

/// One axis of a resize: `extent` pixels in all, of which `count` from `first` on are wanted, out
/// of the source's `[begin, end)`. (A crop of a huge intermediate image costs only what is kept.)
struct resize_axis {
  std::int64_t extent = 0;
  std::int64_t first = 0;
  int count = 0;
  float begin = 0;
  float end = 0;

  bool is_identity(int source) const {
    return extent == source && begin == 0.0f && end == static_cast<float>(source);
  }
};

/// The source pixels and weights of every wanted pixel of an axis, as Pillow computes them: a
/// filter that widens when shrinking, weights normalised in double and rounded to 22 binary places.
struct resize_taps {
  static constexpr int precision = math::pixel_weight_places;

  int stride = 0;  ///< weights a pixel has room for
  std::vector<int> first;
  std::vector<int> count;
  std::vector<std::int32_t> weights;

  /// One past the last source pixel that is used.
  int last() const { return first.back() + count.back(); }

  const std::int32_t* of(int i) const {
    return weights.data() + static_cast<std::size_t>(i) * static_cast<std::size_t>(stride);
  }

  resize_taps(const resize_axis& axis, int source, interpolation filter)
      : first(static_cast<std::size_t>(axis.count)), count(first.size()) {
    const double scale =
        static_cast<double>(axis.end - axis.begin) / static_cast<double>(axis.extent);
    const double widening = std::max(scale, 1.0);
    const double support = filter_support(filter) * widening;
    const double shrink = 1.0 / widening;
    stride = static_cast<int>(std::min(std::ceil(support) * 2 + 1, static_cast<double>(source)));
    weights.resize(first.size() * static_cast<std::size_t>(stride));
    std::vector<double> exact(static_cast<std::size_t>(stride));

    for (std::size_t i = 0; i < first.size(); ++i) {
      const double position = static_cast<double>(axis.first + static_cast<std::int64_t>(i)) + 0.5;
      const double center = static_cast<double>(axis.begin) + position * scale;
      const int from = static_cast<int>(std::max(center - support + 0.5, 0.0));
      const int until =
          static_cast<int>(std::min(center + support + 0.5, static_cast<double>(source)));
      const std::size_t taps = static_cast<std::size_t>(std::clamp(until - from, 0, stride));
      double sum = 0.0;
      for (std::size_t k = 0; k < taps; ++k) {
        exact[k] = filter_weight(
            filter, (static_cast<double>(static_cast<int>(k) + from) - center + 0.5) * shrink);
        sum += exact[k];
      }
      for (std::size_t k = 0; k < taps; ++k) {
        const double scaled = (sum != 0.0 ? exact[k] / sum : exact[k]) * (1 << precision);
        weights[i * static_cast<std::size_t>(stride) + k] =
            static_cast<std::int32_t>(scaled < 0.0 ? scaled - 0.5 : scaled + 0.5);
      }
      first[i] = from;
      count[i] = static_cast<int>(taps);
    }
  }
};

}  // namespace effnet::detail
