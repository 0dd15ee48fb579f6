#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

#include <effnet/core/rng.hpp>

namespace effnet {

/// How far a gradient is from finite differences.
struct gradient_report {
  double largest_error = 0;  ///< |analytic - numeric| over the largest numeric gradient seen
  std::size_t worst = 0;     ///< which element
  std::size_t checked = 0;
};

/// Compares `gradient` with central differences of `loss()` for up to `most` elements of `values`,
/// spread evenly (by `seed`) where there are more. `loss` reads `values` and returns a double: for
/// a block of your own, run it forward and sum its output against fixed random numbers; `gradient`
/// is then what its backward makes of those numbers. `values` are as before on return. With float32
/// ops, a `step` of 1e-2 for what is linear in `values` and 1e-3 to 3e-3 for the rest leaves errors
/// of about 1e-3.
template <class Loss>
gradient_report check_gradient(std::span<float> values, std::span<const float> gradient,
                               Loss&& loss, double step, std::size_t most = 64,
                               std::uint64_t seed = 1) {
  gradient_report report;
  double worst_error = 0, scale = 0;
  const std::size_t count = std::min(most, values.size());
  for (std::size_t k = 0; k < count; ++k) {
    const std::size_t i =
        values.size() <= most
            ? k
            : static_cast<std::size_t>((static_cast<double>(k) + uniform(seed, k)) *
                                       static_cast<double>(values.size()) /
                                       static_cast<double>(count));
    const float before = values[i];
    values[i] = static_cast<float>(static_cast<double>(before) + step);
    const double above_at = static_cast<double>(values[i]), above = loss();
    values[i] = static_cast<float>(static_cast<double>(before) - step);
    const double below_at = static_cast<double>(values[i]), below = loss();
    values[i] = before;
    const double numeric = (above - below) / (above_at - below_at);
    const double error = std::abs(static_cast<double>(gradient[i]) - numeric);
    scale = std::max(scale, std::abs(numeric));
    if (!(error <= worst_error)) worst_error = error, report.worst = i;  // a NaN must not pass
    ++report.checked;
  }
  report.largest_error = scale > 0 ? worst_error / scale : worst_error;
  return report;
}

}  // namespace effnet
