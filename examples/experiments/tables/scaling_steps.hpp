#pragma once

#include <cmath>
#include <string>
#include <vector>

#include <effnet/arch/count.hpp>
#include <effnet/core/error.hpp>
#include <effnet/search/nonuniform_scaling.hpp>
#include <effnet/v1.hpp>
#include <effnet/v2.hpp>

#include "experiments/scale.hpp"

namespace example {

/// B0 scaled by some coefficients.
struct scaling_step {
  double width = 1, depth = 1, resolution = 1;
  double flops = 0, top1 = 0;  ///< published; 0: not

  std::string name() const {
    return effnet::sentence("w ", width, ", d ", depth, ", r ", resolution);
  }
};

struct scaling_series {
  const char* name;
  std::vector<scaling_step> steps;
};

inline constexpr scaling_step unscaled_b0 = {1, 1, 1, 0.4e9, 77.3};

/// EfficientNet, figure 8 and table 7: for about twice and four times the FLOPs.
inline std::vector<scaling_series> ways_to_scale() {
  const scaling_step b0 = unscaled_b0;
  return {{"width", {b0, {1.4, 1, 1}, {2, 1, 1, 1.8e9, 78.9}}},
          {"depth", {b0, {1, 2, 1}, {1, 4, 1, 1.8e9, 79.0}}},
          {"resolution", {b0, {1, 1, 1.4}, {1, 1, 2, 1.9e9, 79.1}}},
          {"compound", {b0, {1.1, 1.2, 1.15}, {1.2, 1.4, 1.3, 1.8e9, 81.1}}}};
}

/// EfficientNet, figure 4: width on four baselines.
inline std::vector<scaling_series> width_on_baselines() {
  return {{"d 1, r 1", {unscaled_b0, {1.4, 1, 1}, {2, 1, 1}}},
          {"d 1, r 1.3", {{1, 1, 1.3}, {1.4, 1, 1.3}, {2, 1, 1.3}}},
          {"d 2, r 1", {{1, 2, 1}, {1.4, 2, 1}, {2, 2, 1}}},
          {"d 2, r 1.3", {{1, 2, 1.3}, {1.4, 2, 1.3}, {2, 2, 1.3}}}};
}

/// The coefficients multiply the narrowing, so that layers and channels are rounded once.
inline effnet::network_spec scaled_b0(const scale& at, const scaling_step& by) {
  const int base = at.number({.smoke = 32, .mini = 40, .full = 224});
  const auto size = static_cast<int>(std::lround(base * by.resolution));
  if (at.is_full())
    return effnet::compound_scaled(effnet::b0,
                                   {.width = by.width, .depth = by.depth, .resolution = size});
  return at.network(effnet::b0, {.width = 0.25 * by.width, .depth = 0.5 * by.depth},
                    at.name == scale_name::smoke ? base : size);
}

struct scaled_network {
  const char* name;
  effnet::network_spec network;
};

/// V2-S, and made as large as V2-L: with all stages scaled alike, and with more layers in the last
/// stages and a cap on image sizes. By what rule V2-L has been made is not published; at full scale
/// it is V2-L itself. The small networks are scaled first and then narrowed, and so are their
/// sizes.
inline std::vector<scaled_network> scaled_v2_s(const scale& at) {
  const auto narrowed = [&](const effnet::network_spec& of) {
    const double size = 40.0 * of.eval_size / effnet::v2_s.eval_size;
    return at.network(of, {.width = 0.25, .depth = 0.2},
                      at.name == scale_name::smoke ? 32 : static_cast<int>(std::lround(size)));
  };
  const auto as_large_as_v2_l = [](const effnet::nonuniform_scaling& by) {
    const auto most = effnet::count_macs(effnet::v2_l, effnet::v2_l.eval_size);
    const auto fits = [=](const effnet::network_spec& spec) {
      return effnet::count_macs(spec, spec.eval_size) <= most;
    };
    return effnet::largest_that_fits(effnet::v2_s, by, fits).first;
  };
  const effnet::nonuniform_scaling uniform{.constants = {}, .most_size = 4096, .late_stages = 0};
  const effnet::network_spec late = at.is_full() ? effnet::v2_l : narrowed(as_large_as_v2_l({}));
  effnet::network_spec alike = narrowed(as_large_as_v2_l(uniform));
  // Layers and channels are rounded, and so the two come apart: sizes bring them together.
  if (!at.is_full() && at.name != scale_name::smoke) {
    const auto apart = [&](int size) {
      return std::abs(static_cast<double>(effnet::count_macs(alike, size)) /
                          static_cast<double>(effnet::count_macs(late, late.eval_size)) -
                      1);
    };
    for (int size = alike.eval_size / 2; size <= 2 * alike.eval_size; ++size)
      if (apart(size) < apart(alike.eval_size)) alike.eval_size = alike.train_size = size;
  }
  return {{"V2-S", narrowed(effnet::v2_s)}, {"V2-S, uniform", alike}, {"V2-S, non-uniform", late}};
}

}  // namespace example
