#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include <effnet/math/update.hpp>
#include <effnet/train/setting_error.hpp>

namespace effnet {

/// Exponential moving average of everything that evaluation reads: trained tensors and batch
/// norm's running mean and variance. The shadow starts as a copy of the values and is moved after
/// every optimizer step (google/automl's efficientnetv2; TensorFlow's moving_averages.py).
struct ema {
  double decay = 0.9999;
  bool warm_up = true;  ///< less decay in the first steps, so that the start is soon forgotten

  /// The decay in the step that follows `steps_done` steps: with warm-up at most
  /// (1 + n) / (10 + n), which is 0.99 at n = 890 and 0.9999 at n = 89,990.
  double decay_at(std::int64_t steps_done) const {
    if (!warm_up) return decay;
    const double n = static_cast<double>(std::max<std::int64_t>(steps_done, 0));
    return std::min(decay, (1 + n) / (10 + n));
  }

  /// Which share of the values goes into the shadow then.
  float moves_at(std::int64_t steps_done) const {
    return static_cast<float>(1 - decay_at(steps_done));
  }

  /// Moves one tensor's shadow towards its values. Throws `shape_error` where lengths differ.
  void update(std::span<float> shadow, std::span<const float> values,
              std::int64_t steps_done) const {
    if (shadow.size() != values.size())
      throw shape_error(sentence("a moving average of ", shadow.size(),
                                 " elements cannot follow a tensor of ", values.size()));
    const float moved = moves_at(steps_done);
    for (std::size_t i = 0; i < values.size(); ++i)
      math::moving_average(shadow[i], values[i], moved);
  }

  /// Throws `setting_error` unless the decay lies in [0, 1).
  void check() const {
    if (!(decay >= 0 && decay < 1))
      throw setting_error(sentence("the moving average keeps ", decay,
                                   " of itself in a step; this has to lie in [0, 1)"));
  }

  friend bool operator==(const ema&, const ema&) = default;
};

}  // namespace effnet
