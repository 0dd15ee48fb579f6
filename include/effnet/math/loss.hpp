#pragma once

#include <cmath>

#include <effnet/core/config.hpp>

namespace effnet::math {

/// Softmax cross-entropy of one image: -sum t log softmax(logits), where t is `target` (one-hot,
/// mixed or soft, its sum 1) smoothed to t (1 - smoothing) + smoothing / classes. Writes d loss / d
/// logits = softmax - t to `diff_logits`; returns the loss. Sums are in double.
EFFNET_HD inline double softmax_cross_entropy(const float* logits, const float* target, int classes,
                                              float smoothing, float* diff_logits) {
  double largest = static_cast<double>(logits[0]);
  for (int k = 1; k < classes; ++k)
    if (static_cast<double>(logits[k]) > largest) largest = static_cast<double>(logits[k]);
  double sum = 0;
  for (int k = 0; k < classes; ++k) sum += std::exp(static_cast<double>(logits[k]) - largest);
  const double log_sum = std::log(sum) + largest;
  double loss = 0;
  for (int k = 0; k < classes; ++k) {
    const double smoothed = static_cast<double>(target[k]) * (1 - static_cast<double>(smoothing)) +
                            static_cast<double>(smoothing) / classes;
    const double log_probability = static_cast<double>(logits[k]) - log_sum;
    loss -= smoothed * log_probability;
    diff_logits[k] = static_cast<float>(std::exp(log_probability) - smoothed);
  }
  return loss;
}

/// Sigmoid cross-entropy of one image, summed over classes (ImageNet-21k): each class is a question
/// of its own, whose `target` becomes t (1 - smoothing) + smoothing / 2. Writes d loss / d logits =
/// sigmoid - t; returns the loss.
EFFNET_HD inline double sigmoid_cross_entropy(const float* logits, const float* target, int classes,
                                              float smoothing, float* diff_logits) {
  double loss = 0;
  for (int k = 0; k < classes; ++k) {
    const double x = static_cast<double>(logits[k]);
    const double t = static_cast<double>(target[k]) * (1 - static_cast<double>(smoothing)) +
                     static_cast<double>(smoothing) / 2;
    // max(x, 0) - x t + log(1 + exp(-|x|)): no overflow for any x
    loss += (x > 0 ? x : 0) - x * t + std::log1p(std::exp(x > 0 ? -x : x));
    diff_logits[k] = static_cast<float>(1 / (1 + std::exp(-x)) - t);
  }
  return loss;
}

}  // namespace effnet::math
