#pragma once

#include <cmath>

#include <effnet/arch/network_spec.hpp>

namespace effnet {

/// How scaled channels become multiples of 8. The families differ, and it decides the first stage
/// of V1-B3, Lite3 and V2-B3 (16 channels at width 1.2).
enum class channel_rounding {
  guarded,    ///< never below 90 % of the exact width (tpu EfficientNet, Lite)
  unguarded,  ///< automl efficientnetv2
};

/// What compound scaling multiplies; the published networks use a table of these rather than
/// powers.
struct scaling {
  double width = 1.0;
  double depth = 1.0;
  int resolution = 224;      ///< evaluation, pixels
  int train_resolution = 0;  ///< 0: the same
  float dropout = 0.2f;
  channel_rounding rounding = channel_rounding::guarded;
  bool scale_ends = true;  ///< false (Lite): stem, head, first and last repeats stay
  spec_name name = {};
};

constexpr int scaled_channels(int channels, double width, channel_rounding rounding) {
  constexpr int step = 8;
  const double exact = channels * width;
  int rounded = static_cast<int>(exact + step / 2) / step * step;
  if (rounded < step) rounded = step;
  if (rounding == channel_rounding::guarded && rounded < 0.9 * exact) rounded += step;
  return rounded;
}

constexpr int scaled_repeats(int repeats, double depth) {
  const double exact = repeats * depth;
  const int floor = static_cast<int>(exact);
  return floor < exact ? floor + 1 : floor;
}

/// Scales every stage of `base` (compound scaling, EfficientNet section 3.3). Sizes and dropout are
/// those of `by`; so is the name, if it has one.
constexpr network_spec compound_scaled(network_spec base, const scaling& by) {
  const auto channels = [&](int count) { return scaled_channels(count, by.width, by.rounding); };
  if (by.scale_ends) {
    base.stem = channels(base.stem);
    if (base.head > 0) base.head = channels(base.head);
  }
  int in = base.stem;
  for (std::size_t i = 0; i < base.stages.size(); ++i) {
    stage_spec& row = base.stages[i];
    const bool end = i == 0 || i + 1 == base.stages.size();
    if (by.scale_ends || !end) row.repeats = scaled_repeats(row.repeats, by.depth);
    row.in = in;
    in = row.out = channels(row.out);
  }
  base.eval_size = by.resolution;
  base.train_size = by.train_resolution > 0 ? by.train_resolution : by.resolution;
  base.dropout = by.dropout;
  if (!std::string_view(by.name).empty()) base.name = by.name;
  return base;
}

/// The constants of compound scaling: depth alpha^phi, width beta^phi, resolution gamma^phi, under
/// alpha * beta^2 * gamma^2 = 2, so that FLOPs grow by 2^phi (EfficientNet, equation 3).
struct compound_constants {
  double alpha = 1.2, beta = 1.1, gamma = 1.15;

  /// FLOPs at phi + 1 over FLOPs at phi: 1.92 for the published constants.
  constexpr double flops_ratio() const { return alpha * beta * beta * gamma * gamma; }
  constexpr bool holds_flops_constraint(double tolerance = 0.1) const {
    return flops_ratio() > 2 - tolerance && flops_ratio() < 2 + tolerance;
  }
};

/// Multipliers at `phi`, for a network whose resolution at phi = 0 is `base_resolution`.
inline scaling compound_scaling(const compound_constants& by, double phi,
                                int base_resolution = 224) {
  return {.width = std::pow(by.beta, phi),
          .depth = std::pow(by.alpha, phi),
          .resolution = static_cast<int>(std::lround(base_resolution * std::pow(by.gamma, phi)))};
}

}  // namespace effnet
