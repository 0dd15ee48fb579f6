#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include <effnet/search/search_algorithm.hpp>

namespace effnet {

struct search_trial {
  candidate of;
  double reward = 0;
};

/// `trials` candidates with what `evaluate(candidate)` says of them, in the order of the proposals.
template <search_algorithm Algorithm, class Evaluate>
std::vector<search_trial> run_search(Algorithm& algorithm, std::size_t trials,
                                     Evaluate&& evaluate) {
  std::vector<search_trial> made;
  std::vector<double> rewards;
  while (made.size() < trials) {
    rewards.clear();
    while (rewards.size() < algorithm.batch() && made.size() < trials) {
      candidate next = algorithm.propose();
      const double reward = evaluate(std::as_const(next));
      made.push_back({std::move(next), reward});
      rewards.push_back(reward);
    }
    algorithm.learn(rewards);
  }
  return made;
}

}  // namespace effnet
