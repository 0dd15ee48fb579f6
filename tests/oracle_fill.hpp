#pragma once

#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include <effnet/nn/weights.hpp>

#include "worse.hpp"

namespace effnet::testing {

/// The formula behind the random-weight oracles (shared README, "Fill rule"): tensor `index` of the
/// state dict, element `k`.
inline weights oracle_weights(const network_spec& spec, const convention& rule) {
  return filled_weights(spec, rule, [](std::uint64_t index, const tensor_spec& t, float* dst) {
    const double fan = static_cast<double>(t.elements()) / static_cast<double>(t.extents[0]);
    for (std::size_t k = 0; k < t.elements(); ++k) {
      const double u = uniform(index, k);
      double value = 0.2 * u - 0.1;
      if (t.rank > 1)
        value = (2 * u - 1) * std::sqrt(3 / fan);
      else if (t.part == tensor_part::bn_running_var || t.part == tensor_part::bn_weight)
        value = 0.75 + 0.5 * u;
      dst[k] = static_cast<float>(value);
    }
  });
}

/// NHWC from the oracles' NCHW.
inline std::vector<float> nhwc(const float* nchw, const shape4& shape) {
  std::vector<float> images(shape.elements());
  const auto pixels = static_cast<std::size_t>(shape.h) * static_cast<std::size_t>(shape.w);
  const auto channels = static_cast<std::size_t>(shape.c);
  for (std::size_t n = 0; n < static_cast<std::size_t>(shape.n); ++n)
    for (std::size_t c = 0; c < channels; ++c)
      for (std::size_t p = 0; p < pixels; ++p)
        images[(n * pixels + p) * channels + c] = nchw[(n * channels + c) * pixels + p];
  return images;
}

/// The oracles' input images: stream 2^20, value 2u - 1 in NCHW order.
inline std::vector<float> oracle_images(const shape4& shape) {
  std::vector<float> nchw(shape.elements());
  for (std::size_t k = 0; k < nchw.size(); ++k)
    nchw[k] = static_cast<float>(2 * uniform(std::uint64_t{1} << 20, k) - 1);
  return nhwc(nchw.data(), shape);
}

/// Largest absolute value, and largest absolute difference, over `count` elements.
inline double largest(const float* a, std::size_t count) {
  double found = 0;
  for (std::size_t i = 0; i < count; ++i) found = worse(found, std::abs(double{a[i]}));
  return found;
}
inline double largest_difference(const float* a, const float* b, std::size_t count) {
  double found = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double d = std::abs(double{a[i]} - double{b[i]});
    found = worse(found, d);
  }
  return found;
}

}  // namespace effnet::testing
