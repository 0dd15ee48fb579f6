#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include <effnet/search/search_space.hpp>

namespace effnet {

/// How often candidates take each option, decision by decision, as shares of those whose network
/// the decision changes; all 0 where that is none.
inline std::vector<std::vector<double>> option_shares(const search_space& space,
                                                      const std::vector<candidate>& of) {
  std::vector<std::vector<double>> shares;
  for (std::size_t d = 0; d < space.decisions().size(); ++d) {
    std::vector<double> here(static_cast<std::size_t>(space.decisions()[d].options));
    double counted = 0;
    for (const candidate& c : of) {
      if (!space.matters(c, d)) continue;
      ++here[static_cast<std::size_t>(c[d])];
      ++counted;
    }
    if (counted > 0)
      for (double& share : here) share /= counted;
    shares.push_back(std::move(here));
  }
  return shares;
}

}  // namespace effnet
