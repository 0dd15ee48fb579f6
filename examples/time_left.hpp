#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace example {

/// How long a training run still takes, all stages and evaluations together. A step costs what its
/// pixels cost, at the rate that recent steps had, so that the first stages of progressive learning
/// do not promise what the larger images of the last cannot keep.
class time_left {
 public:
  /// `step_costs`: pixels of every step of the run; `evaluated_after`: the steps after which the
  /// network is evaluated, ascending.
  time_left(std::vector<double> step_costs, std::vector<std::int64_t> evaluated_after)
      : costs_(std::move(step_costs)), evaluated_after_(std::move(evaluated_after)) {
    for (std::size_t i = costs_.size(); i-- > 0;)
      costs_[i] += i + 1 < costs_.size() ? costs_[i + 1] : 0;  // of this step and all later ones
  }

  /// Part of the run's work that is done after `steps`.
  double done(std::int64_t steps) const {
    return costs_.empty() ? 1 : 1 - cost_from(steps) / costs_.front();
  }

  void add_step(std::int64_t step, double seconds) {
    const double cost = cost_from(step) - cost_from(step + 1);
    if (cost <= 0) return;
    // The first step of a shape plans its kernels; half of what it takes at most is believed.
    const double keep = 1 - std::max(0.02, 1.0 / static_cast<double>(++counted_));
    measured_seconds_ = measured_seconds_ * keep + seconds;
    measured_cost_ = measured_cost_ * keep + cost;
  }
  void add_evaluation(double seconds) { evaluation_seconds_ = seconds; }

  /// Seconds from after `steps` steps to the end; 0 where nothing was measured yet.
  double seconds(std::int64_t steps) const {
    if (measured_cost_ <= 0) return 0;
    const auto later = static_cast<double>(evaluated_after_.end() -
                                           std::ranges::upper_bound(evaluated_after_, steps));
    return cost_from(steps) * measured_seconds_ / measured_cost_ + later * evaluation_seconds_;
  }

 private:
  double cost_from(std::int64_t step) const {
    const auto at = static_cast<std::size_t>(std::max<std::int64_t>(0, step));
    return at < costs_.size() ? costs_[at] : 0;
  }

  std::vector<double> costs_;
  std::vector<std::int64_t> evaluated_after_;
  std::int64_t counted_ = 0;
  double measured_seconds_ = 0, measured_cost_ = 0, evaluation_seconds_ = 0;
};

}  // namespace example
