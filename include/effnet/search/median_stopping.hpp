#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

namespace effnet {

/// Median stopping rule (Golovin et al. 2017, Google Vizier, section 3.2.2): after an evaluation a
/// run is given up where its best is below the median of what earlier runs were on average up to
/// there. `curves` are the earlier runs' accuracies, evaluation by evaluation; fewer than
/// `least_runs` of them give nothing up.
struct median_stopping {
  std::size_t least_runs = 5;

  /// What the best of a run has to reach after each of `evaluations`; 0, which it always does,
  /// where nothing is known, and after the last one.
  std::vector<double> bars(const std::vector<std::vector<double>>& curves,
                           std::size_t evaluations) const {
    std::vector<double> made(evaluations, 0);
    for (std::size_t e = 0; e + 1 < evaluations; ++e) {
      std::vector<double> means;
      for (const std::vector<double>& curve : curves)
        if (curve.size() > e)
          means.push_back(std::accumulate(curve.begin(),
                                          curve.begin() + static_cast<std::ptrdiff_t>(e + 1), 0.0) /
                          static_cast<double>(e + 1));
      if (means.size() < std::max<std::size_t>(1, least_runs)) continue;
      const auto middle = means.begin() + static_cast<std::ptrdiff_t>(means.size() / 2);
      std::nth_element(means.begin(), middle, means.end());
      made[e] = *middle;
      if (means.size() % 2 == 0) made[e] = (made[e] + *std::max_element(means.begin(), middle)) / 2;
    }
    return made;
  }
};

}  // namespace effnet
