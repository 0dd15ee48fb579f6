#pragma once

#include <cmath>
#include <cstddef>
#include <span>

namespace effnet {

/// Euclidean norm of one tensor's gradient, summed in double and in order.
inline double gradient_norm(std::span<const float> gradient) {
  double sum = 0;
  for (float g : gradient) sum += static_cast<double>(g) * static_cast<double>(g);
  return std::sqrt(sum);
}

/// Euclidean norm of all tensors' gradients together.
inline double gradient_norm(std::span<const std::span<float>> gradients) {
  double sum = 0;
  for (std::span<const float> gradient : gradients) {
    const double norm = gradient_norm(gradient);
    sum += norm * norm;
  }
  return std::sqrt(sum);
}

/// Clips gradients as google/automl does: first each tensor's to norm `limit`, then all of them
/// together. A limit of 0 clips nothing. Returns the norm of all before clipping; where it is not
/// finite the gradients are left as they are, for the caller to find out whose they were.
inline double clip_gradients(std::span<const std::span<float>> gradients, double limit) {
  const double before = gradient_norm(gradients);
  if (!(limit > 0) || !std::isfinite(before)) return before;
  const auto scale = [](std::span<float> gradient, double factor) {
    for (float& g : gradient) g = static_cast<float>(static_cast<double>(g) * factor);
  };
  for (std::span<float> gradient : gradients)
    if (const double norm = gradient_norm(std::span<const float>(gradient)); norm > limit)
      scale(gradient, limit / norm);
  if (const double together = gradient_norm(gradients); together > limit)
    for (std::span<float> gradient : gradients) scale(gradient, limit / together);
  return before;
}

}  // namespace effnet
