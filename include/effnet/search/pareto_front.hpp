#pragma once

#include <cstddef>
#include <vector>

#include <effnet/search/reward.hpp>

namespace effnet {

/// Numbers of those that no other one beats: none is at least as accurate, as fast to train and as
/// small, and better in one of these. Of equal ones the first.
inline std::vector<std::size_t> pareto_front(const std::vector<candidate_measures>& of) {
  const auto at_least = [](const candidate_measures& a, const candidate_measures& b) {
    return a.accuracy >= b.accuracy && a.step_seconds <= b.step_seconds &&
           a.parameters <= b.parameters;
  };
  std::vector<std::size_t> front;
  for (std::size_t i = 0; i < of.size(); ++i) {
    bool beaten = false;
    for (std::size_t k = 0; k < of.size() && !beaten; ++k)
      beaten = k != i && at_least(of[k], of[i]) && (k < i || !at_least(of[i], of[k]));
    if (!beaten) front.push_back(i);
  }
  return front;
}

}  // namespace effnet
