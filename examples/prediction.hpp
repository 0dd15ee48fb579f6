#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>
#include <vector>

namespace example {

/// A class and how sure the network is of it.
struct prediction {
  int index = 0;
  float probability = 0;
};

/// Logits as probabilities.
inline std::vector<float> softmax(std::span<const float> logits) {
  const double largest = static_cast<double>(std::ranges::max(logits));
  std::vector<float> parts(logits.size());
  double sum = 0;
  for (float logit : logits) sum += std::exp(static_cast<double>(logit) - largest);
  for (std::size_t i = 0; i < parts.size(); ++i)
    parts[i] = static_cast<float>(std::exp(static_cast<double>(logits[i]) - largest) / sum);
  return parts;
}

/// The `count` most probable classes, best first; of equal ones the lower index.
inline std::vector<prediction> best_of(std::span<const float> logits, int count) {
  const std::vector<float> parts = softmax(logits);
  std::vector<int> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  const auto kept = std::min<std::ptrdiff_t>(count, std::ssize(order));
  std::partial_sort(order.begin(), order.begin() + kept, order.end(), [&](int a, int b) {
    const float x = logits[static_cast<std::size_t>(a)], y = logits[static_cast<std::size_t>(b)];
    return x != y ? x > y : a < b;
  });
  std::vector<prediction> best;
  for (int index : std::span(order).first(static_cast<std::size_t>(kept)))
    best.push_back({index, parts[static_cast<std::size_t>(index)]});
  return best;
}

}  // namespace example
