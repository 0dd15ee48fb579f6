#pragma once

#include <cmath>
#include <vector>

#include <effnet/arch/scaling.hpp>
#include <effnet/core/error.hpp>

namespace effnet {

/// Constants that double FLOPs with each phi: alpha in steps of `step` from 1, beta of half of it,
/// and the gamma that makes alpha * beta^2 * gamma^2 = 2, as long as it is at least 1
/// (EfficientNet, section 3.3, step 1). The three that scale one dimension alone come first: depth,
/// width, resolution. Throws `error` for a step outside of [0.01, 1].
inline std::vector<compound_constants> scaling_grid(double step) {
  if (!(step >= 0.01 && step <= 1))
    throw error(sentence("a grid of compound constants has steps of 0.01 to 1, not ", step));
  const double most = std::sqrt(2.0);
  std::vector<compound_constants> grid = {{2, 1, 1}, {1, most, 1}, {1, 1, most}};
  constexpr double nearly = 1e-9;
  for (int a = 0; 1 + a * step < 2 - nearly; ++a)
    for (int b = 0;; ++b) {
      const double alpha = 1 + a * step, beta = 1 + b * step / 2;
      const double left = 2 / (alpha * beta * beta);
      if (left < 1 + nearly) break;
      if (a > 0 || b > 0) grid.push_back({alpha, beta, std::sqrt(left)});
    }
  return grid;
}

}  // namespace effnet
