#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <string_view>

#include <effnet/core/error.hpp>

namespace effnet {

/// What is known of a candidate.
struct candidate_measures {
  double accuracy = 0;      ///< of a short training, 0 to 1
  double step_seconds = 0;  ///< of a training step
  double parameters = 0;
  double flops = 0;            ///< multiply-adds of an image, as the papers count FLOPs
  double latency_seconds = 0;  ///< of an inference
};

/// How a search weighs accuracy against cost.
enum class reward_rule {
  accuracy,
  step_and_parameters,  ///< A S^w P^v (EfficientNetV2, section 3.2)
  flops,                ///< ACC (FLOPS / T)^w (EfficientNet, section 3)
  latency_soft,         ///< ACC (LAT / T)^w (MnasNet, equation 2, alpha = beta = w)
  latency_hard,         ///< the same, only where LAT > T, and there with w = -1
};

inline constexpr std::array<std::string_view, 5> reward_rule_names = {
    "accuracy", "step_and_parameters", "flops", "latency_soft", "latency_hard"};

constexpr std::string_view name_of(reward_rule rule) {
  return reward_rule_names[static_cast<std::size_t>(rule)];
}

/// The papers' rewards. S and P are relative to `unit`, which the paper leaves open: the skeleton's
/// make the reward of the skeleton its accuracy.
struct reward {
  reward_rule rule = reward_rule::step_and_parameters;
  double step_exponent = -0.07, parameter_exponent = -0.05;
  double cost_exponent = -0.07;  ///< of FLOPs and latency
  double target = 0;             ///< T, in multiply-adds or seconds
  candidate_measures unit = {};  ///< its step time and parameters

  /// Throws `error` where it divides by nothing.
  void check() const {
    const auto needs = [&](double value, std::string_view what) {
      if (!(value > 0 && std::isfinite(value)))
        throw error(
            sentence("reward '", name_of(rule), "' needs a positive ", what, ", but has ", value));
    };
    if (rule == reward_rule::step_and_parameters) {
      needs(unit.step_seconds, "step time of the unit");
      needs(unit.parameters, "parameter count of the unit");
    } else if (rule != reward_rule::accuracy) {
      needs(target, "target");
    }
  }

  double of(const candidate_measures& m) const {
    switch (rule) {
      case reward_rule::accuracy:
        return m.accuracy;
      case reward_rule::step_and_parameters:
        return m.accuracy * std::pow(m.step_seconds / unit.step_seconds, step_exponent) *
               std::pow(m.parameters / unit.parameters, parameter_exponent);
      case reward_rule::flops:
        return m.accuracy * std::pow(m.flops / target, cost_exponent);
      case reward_rule::latency_soft:
        return m.accuracy * std::pow(m.latency_seconds / target, cost_exponent);
      case reward_rule::latency_hard:
        return m.latency_seconds <= target ? m.accuracy : m.accuracy * target / m.latency_seconds;
    }
    return 0;
  }
};

}  // namespace effnet
