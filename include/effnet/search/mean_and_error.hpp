#pragma once

#include <cmath>
#include <vector>

namespace effnet {

/// Mean of some values, and its standard error; 0 of fewer than two.
struct mean_and_error {
  double mean = 0, error = 0;

  explicit mean_and_error(const std::vector<double>& of) {
    const auto count = static_cast<double>(of.size());
    for (const double value : of) mean += value / count;
    if (of.size() < 2) return;
    double squares = 0;
    for (const double value : of) squares += (value - mean) * (value - mean);
    error = std::sqrt(squares / (count - 1) / count);
  }
};

}  // namespace effnet
