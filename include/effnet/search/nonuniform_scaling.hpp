#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include <effnet/arch/count.hpp>
#include <effnet/arch/scaling.hpp>

namespace effnet {

/// How EfficientNetV2-S became M and L (EfficientNetV2, section 3.3): compound scaling, but image
/// sizes end at 480, and the last stages get more layers than the others. By how much is not
/// published.
struct nonuniform_scaling {
  compound_constants constants;
  int most_size = 480;       ///< of inference, pixels
  int late_stages = 2;       ///< that get more layers, from the end; all where there are fewer
  double late_depth = 1.05;  ///< by which their depth grows beside alpha, for each phi
};

/// `base` scaled by `phi`; training sizes stay in proportion.
inline network_spec nonuniform_scaled(const network_spec& base, const nonuniform_scaling& by,
                                      double phi) {
  scaling uniform = compound_scaling(by.constants, phi, base.eval_size);
  uniform.resolution = std::max(base.eval_size, std::min(uniform.resolution, by.most_size));
  uniform.train_resolution = static_cast<int>(
      std::lround(static_cast<double>(base.train_size) * uniform.resolution / base.eval_size));
  uniform.dropout = base.dropout;
  network_spec scaled = compound_scaled(base, uniform);
  for (int i = 0; i < std::min(by.late_stages, base.stages.count); ++i) {
    const auto s = static_cast<std::size_t>(base.stages.count - 1 - i);
    scaled.stages[s].repeats =
        scaled_repeats(base.stages[s].repeats, uniform.depth * std::pow(by.late_depth, phi));
  }
  return scaled;
}

/// The largest such network that `fits(spec)`, in steps of phi of 1/32, and its phi; `base` itself,
/// with 0, where nothing larger does. Whatever fits must be bounded: no more than phi 16 is tried.
template <class Fits>
std::pair<network_spec, double> largest_that_fits(const network_spec& base,
                                                  const nonuniform_scaling& by, Fits&& fits) {
  constexpr int steps = 32, most = 16 * steps;
  std::pair<network_spec, double> best{base, 0};
  for (int step = 1; step <= most; ++step) {
    const double phi = static_cast<double>(step) / steps;
    const network_spec larger = nonuniform_scaled(base, by, phi);
    if (!fits(larger)) break;
    best = {larger, phi};
  }
  return best;
}

}  // namespace effnet
