#pragma once

#include <cmath>

#include <effnet/core/config.hpp>

namespace effnet::math {

/// Softmax cross-entropy of one image: -sum w t log softmax(logits), where t is `target` (one-hot,
/// mixed or soft, its sum 1) smoothed to t (1 - smoothing) + smoothing / classes and w is
/// `class_weights`, or 1 where that is null. Writes d loss / d logits = softmax * (sum w t) - w t
/// to `diff_logits`; returns the loss. Sums are in double.
EFFNET_HD inline double softmax_cross_entropy(const float* logits, const float* target, int classes,
                                              float smoothing, const float* class_weights,
                                              float* diff_logits) {
  const auto weighted = [&](int k) {
    const double t = static_cast<double>(target[k]) * (1 - static_cast<double>(smoothing)) +
                     static_cast<double>(smoothing) / classes;
    return class_weights != nullptr ? static_cast<double>(class_weights[k]) * t : t;
  };
  double largest = static_cast<double>(logits[0]);
  for (int k = 1; k < classes; ++k)
    if (static_cast<double>(logits[k]) > largest) largest = static_cast<double>(logits[k]);
  double sum = 0, whole = 0;
  for (int k = 0; k < classes; ++k) {
    sum += std::exp(static_cast<double>(logits[k]) - largest);
    whole += weighted(k);
  }
  const double log_sum = std::log(sum) + largest;
  double loss = 0;
  for (int k = 0; k < classes; ++k) {
    const double t = weighted(k);
    const double log_probability = static_cast<double>(logits[k]) - log_sum;
    loss -= t * log_probability;
    diff_logits[k] = static_cast<float>(std::exp(log_probability) * whole - t);
  }
  return loss;
}

/// Sigmoid cross-entropy of one image, summed over classes (ImageNet-21k): each class is a question
/// of its own, whose `target` becomes t (1 - smoothing) + smoothing / 2 and whose loss counts
/// `class_weights` times (null: once). Writes d loss / d logits = w (sigmoid - t); returns the
/// loss.
EFFNET_HD inline double sigmoid_cross_entropy(const float* logits, const float* target, int classes,
                                              float smoothing, const float* class_weights,
                                              float* diff_logits) {
  double loss = 0;
  for (int k = 0; k < classes; ++k) {
    const double x = static_cast<double>(logits[k]);
    const double t = static_cast<double>(target[k]) * (1 - static_cast<double>(smoothing)) +
                     static_cast<double>(smoothing) / 2;
    const double w = class_weights != nullptr ? static_cast<double>(class_weights[k]) : 1.0;
    // max(x, 0) - x t + log(1 + exp(-|x|)): no overflow for any x
    loss += w * ((x > 0 ? x : 0) - x * t + std::log1p(std::exp(x > 0 ? -x : x)));
    diff_logits[k] = static_cast<float>(w * (1 / (1 + std::exp(-x)) - t));
  }
  return loss;
}

}  // namespace effnet::math
