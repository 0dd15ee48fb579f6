#pragma once

#include <utility>

#include <effnet/search/search_space.hpp>

namespace effnet {

/// The candidate whose network costs least, by `cost(spec)`: decision by decision takes its
/// cheapest option until none is left. That finds the cheapest of all where a stage's cost does not
/// turn on what the others chose, as with parameters, multiply-adds and sums of block times of
/// spaces that leave channels to the skeleton.
template <class Cost>
std::pair<candidate, double> cheapest_candidate(const search_space& space, Cost&& cost) {
  candidate best(space.decisions().size(), 0);
  best = space.canonical(best);
  double least = cost(space.decode(best));
  for (bool found = true; found;) {
    found = false;
    for (std::size_t d = 0; d < best.size(); ++d)
      for (int option = 0; option < space.decisions()[d].options; ++option) {
        candidate other = best;
        other[d] = option;
        other = space.canonical(other);
        const double costs = cost(space.decode(other));
        if (costs < least) best = std::move(other), least = costs, found = true;
      }
  }
  return {best, least};
}

}  // namespace effnet
