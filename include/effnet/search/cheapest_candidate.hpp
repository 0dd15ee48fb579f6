#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include <effnet/search/stage_rows.hpp>

namespace effnet {

/// A candidate whose network costs little, by `cost(spec)`: stage by stage takes its cheapest row,
/// until none is left. It is the cheapest of all where stages cost what they do whatever the others
/// chose, as with parameters, multiply-adds and sums of block times of spaces that leave channels
/// to the skeleton, and near it elsewhere.
template <class Cost>
std::pair<candidate, double> cheapest_candidate(const search_space& space, Cost&& cost) {
  candidate best = space.canonical(candidate(space.decisions().size(), 0));
  const std::size_t stages = space.stages().size();
  std::vector<std::vector<std::vector<int>>> rows;
  for (std::size_t s = 0; s < stages; ++s) rows.push_back(stage_rows(space, s));
  double least = cost(space.decode(best));
  for (bool found = true; found;) {
    found = false;
    std::size_t first = 0;
    for (std::size_t s = 0; s < stages; ++s) {
      for (const std::vector<int>& row : rows[s]) {
        candidate other = best;
        std::copy(row.begin(), row.end(), other.begin() + static_cast<std::ptrdiff_t>(first));
        const double costs = cost(space.decode(other));
        if (costs < least) best = std::move(other), least = costs, found = true;
      }
      first += rows[s].front().size();
    }
  }
  return {best, least};
}

}  // namespace effnet
