#pragma once

#include <cstddef>
#include <vector>

namespace effnet {

struct line {
  double offset = 0, factor = 1;

  double at(double x) const { return offset + factor * x; }
};

/// The line through points (x, y), both above 0, with the least squares of relative errors among
/// those whose offset is not below 0: what it says of a small x stays positive.
inline line fitted_line(const std::vector<double>& x, const std::vector<double>& y) {
  double w = 0, wx = 0, wxx = 0, wy = 0, wxy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double weight = 1 / (y[i] * y[i]);
    w += weight, wx += weight * x[i], wxx += weight * x[i] * x[i];
    wy += weight * y[i], wxy += weight * x[i] * y[i];
  }
  if (!(wxx > 0)) return {};
  const double determinant = w * wxx - wx * wx;
  if (determinant > 1e-9 * w * wxx) {
    const double factor = (w * wxy - wx * wy) / determinant;
    const double offset = (wy - factor * wx) / w;
    if (offset >= 0 && factor > 0) return {offset, factor};
  }
  return {0, wxy / wxx};
}

}  // namespace effnet
