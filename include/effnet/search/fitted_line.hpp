#pragma once

#include <cstddef>
#include <vector>

namespace effnet {

struct line {
  double offset = 0, factor = 1;

  double at(double x) const { return offset + factor * x; }
};

/// The line through points (x, y), y above 0, with the least squares of relative errors. Through
/// one point, or several of one x, goes a line without offset.
inline line fitted_line(const std::vector<double>& x, const std::vector<double>& y) {
  double w = 0, wx = 0, wxx = 0, wy = 0, wxy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double weight = 1 / (y[i] * y[i]);
    w += weight, wx += weight * x[i], wxx += weight * x[i] * x[i];
    wy += weight * y[i], wxy += weight * x[i] * y[i];
  }
  const double determinant = w * wxx - wx * wx;
  if (determinant > 1e-9 * w * wxx) {
    const double factor = (w * wxy - wx * wy) / determinant;
    return {(wy - factor * wx) / w, factor};
  }
  return wxx > 0 ? line{0, wxy / wxx} : line{};
}

}  // namespace effnet
