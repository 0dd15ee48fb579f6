#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include <effnet/search/search_algorithm.hpp>

namespace effnet {

/// Proposes `trials` candidates, as many at a time as the algorithm learns from at once.
/// `evaluate(first, round)` gives the rewards of the candidates of a round, whose trials have the
/// numbers `first`, `first` + 1, ...; they may be evaluated side by side.
template <search_algorithm Algorithm, class Evaluate>
void search_in_rounds(Algorithm& algorithm, std::size_t trials, Evaluate&& evaluate) {
  std::vector<candidate> round;
  for (std::size_t first = 0; first < trials; first += round.size()) {
    round.clear();
    while (round.size() < algorithm.batch() && first + round.size() < trials)
      round.push_back(algorithm.propose());
    algorithm.learn(evaluate(first, std::as_const(round)));
  }
}

struct search_trial {
  candidate of;
  double reward = 0;
};

/// `trials` candidates with what `evaluate(candidate)` says of them, in the order of the proposals.
template <search_algorithm Algorithm, class Evaluate>
std::vector<search_trial> run_search(Algorithm& algorithm, std::size_t trials,
                                     Evaluate&& evaluate) {
  std::vector<search_trial> made;
  search_in_rounds(algorithm, trials, [&](std::size_t, const std::vector<candidate>& round) {
    std::vector<double> rewards;
    for (const candidate& next : round) {
      rewards.push_back(evaluate(next));
      made.push_back({next, rewards.back()});
    }
    return rewards;
  });
  return made;
}

}  // namespace effnet
