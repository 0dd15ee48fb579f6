#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <vector>

namespace effnet {

/// How well one row of numbers tells another.
struct prediction_error {
  double spearman = 0;       ///< correlation of ranks, -1 to 1; 0 where one row is constant
  double mean_relative = 0;  ///< mean of |predicted - measured| / measured
};

namespace detail {

/// From 1; equal numbers share the mean of their ranks.
inline std::vector<double> ranks_of(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (std::size_t first = 0, last = 0; first < order.size(); first = last) {
    while (last < order.size() && values[order[last]] == values[order[first]]) ++last;
    for (std::size_t i = first; i < last; ++i)
      ranks[order[i]] = static_cast<double>(first + 1 + last) / 2;
  }
  return ranks;
}

}  // namespace detail

/// Of as many predictions as measurements, which are above 0.
inline prediction_error error_of(const std::vector<double>& predicted,
                                 const std::vector<double>& measured) {
  prediction_error error;
  const auto count = static_cast<double>(measured.size());
  if (measured.empty()) return error;
  for (std::size_t i = 0; i < measured.size(); ++i)
    error.mean_relative += std::abs(predicted[i] - measured[i]) / measured[i] / count;
  const std::vector<double> a = detail::ranks_of(predicted), b = detail::ranks_of(measured);
  const double middle = (count + 1) / 2;
  double both = 0, of_a = 0, of_b = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    both += (a[i] - middle) * (b[i] - middle);
    of_a += (a[i] - middle) * (a[i] - middle);
    of_b += (b[i] - middle) * (b[i] - middle);
  }
  if (of_a > 0 && of_b > 0) error.spearman = both / std::sqrt(of_a * of_b);
  return error;
}

}  // namespace effnet
