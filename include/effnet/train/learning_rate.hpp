#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>

#include <effnet/train/setting_error.hpp>

namespace effnet {

/// How the learning rate falls after the warm-up.
enum class decay_rule {
  constant,
  exponential,  ///< a staircase: times `factor` every `factor_epochs`
  cosine,       ///< half a wave over `total_steps`, no restart
  linear,       ///< a straight line to 0 at `total_steps`
};

/// The learning rate as a function of the step, as google/automl's efficientnetv2/utils.py has it
/// (tensorflow/tpu's is the same). Rates are given for a batch of 256 and scaled with the batch.
///
/// The decay counts from step 0, not from the end of the warm-up, so that the staircase has a jump
/// where the warm-up ends: with the defaults 0.25583 at step 1532, then 0.256 * 0.97^2 = 0.24087.
struct learning_rate {
  double base = 0.016;           ///< peak for a batch of 256
  double batch = 256;            ///< images a step
  double steps_per_epoch = 1;    ///< images / batch, with its fraction
  std::int64_t total_steps = 0;  ///< warm-up included; for `cosine` and `linear`
  decay_rule decay = decay_rule::exponential;
  double warmup_epochs = 5;
  double factor = 0.97;
  double factor_epochs = 2.4;
  double floor = 0;  ///< for a batch of 256; the warm-up may be below it

  /// What the warm-up leads to and the decay starts from.
  double peak() const { return base * batch / 256; }

  /// The first step that is not part of the warm-up.
  std::int64_t warmup_steps() const {
    return static_cast<std::int64_t>(warmup_epochs * steps_per_epoch);
  }

  /// The rate of step `step`, from 0. Past `total_steps` it stays what it was there.
  double at(std::int64_t step) const {
    const std::int64_t warmup = warmup_steps();
    if (step < warmup)
      return peak() * static_cast<double>(std::max<std::int64_t>(step, 0)) /
             static_cast<double>(warmup);
    return std::max(peak() * decayed(step), floor * batch / 256);
  }

  /// Throws `setting_error` where `at` would not give finite, non-negative rates.
  void check() const {
    if (!(std::isfinite(base) && base >= 0 && std::isfinite(floor) && floor >= 0))
      throw setting_error(sentence("the learning rate is ", base, " with a floor of ", floor,
                                   "; both have to be finite and at least 0"));
    if (!(batch > 0 && std::isfinite(batch) && steps_per_epoch > 0 &&
          std::isfinite(steps_per_epoch)))
      throw setting_error(sentence("the learning rate is scheduled for a batch of ", batch,
                                   " images and ", steps_per_epoch,
                                   " steps per epoch; both have to be above 0"));
    if (!(warmup_epochs >= 0 && warmup_epochs * steps_per_epoch < 1e15))
      throw setting_error(sentence("the warm-up is ", warmup_epochs,
                                   " epochs long; it has to be at least 0 and finite"));
    if (decay == decay_rule::exponential && !(factor > 0 && factor <= 1 && factor_epochs > 0))
      throw setting_error(sentence("the learning rate is multiplied by ", factor, " every ",
                                   factor_epochs,
                                   " epochs; the factor has to lie in (0, 1], the epochs above 0"));
    if ((decay == decay_rule::cosine || decay == decay_rule::linear) && total_steps < 1)
      throw setting_error(sentence("a learning rate that falls until the last step needs ",
                                   "total_steps of at least 1, not ", total_steps));
  }

  friend bool operator==(const learning_rate&, const learning_rate&) = default;

 private:
  /// The share of the peak that is left at `step`.
  double decayed(std::int64_t step) const {
    const double done = static_cast<double>(std::clamp<std::int64_t>(step, 0, total_steps)) /
                        static_cast<double>(std::max<std::int64_t>(total_steps, 1));
    switch (decay) {
      case decay_rule::constant:
        return 1;
      case decay_rule::exponential:
        return std::pow(factor,
                        std::floor(static_cast<double>(step) / (factor_epochs * steps_per_epoch)));
      case decay_rule::cosine:
        return 0.5 * (1 + std::cos(std::numbers::pi * done));
      case decay_rule::linear:
        return 1 - done;
    }
    return 1;
  }
};

}  // namespace effnet
