#pragma once

#include <concepts>
#include <cstddef>

#include <effnet/search/search_space.hpp>

namespace effnet {

/// How a search chooses its candidates. Proposals depend on the seed and on what was learned before
/// them, and on nothing else, so that a search is repeated, or taken up again, by proposing and
/// learning once more.
///
///   name                  "random", "evolution", "rl"
///   batch()               proposals between two times of learning
///   propose()             the next candidate
///   learn(rewards)        those of the last batch, in the order of the proposals
template <class A>
concept search_algorithm = std::movable<A> &&
    requires(A algorithm, const A& fixed, const std::vector<double>& rewards) {
  { A::name } -> std::convertible_to<std::string_view>;
  { fixed.batch() } -> std::same_as<std::size_t>;
  { algorithm.propose() } -> std::same_as<candidate>;
  algorithm.learn(rewards);
};

}  // namespace effnet
