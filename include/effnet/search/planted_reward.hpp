#pragma once

#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include <effnet/search/search_space.hpp>

namespace effnet {

/// A made-up reward whose best candidate is known: every decision that is not the best one's costs
/// something, and two of neighbouring stages that are both wrong cost more. Algorithms are compared
/// on it over thousands of trials, where training would take months.
class planted_reward {
 public:
  planted_reward(const search_space& space, std::uint64_t seed) : space_(&space) {
    random_draws draws(seed, 2, 0, draw_purpose::search);
    best_ = space.sample(draws);
    for (const search_space::decision& d : space.decisions()) {
      std::vector<double> of;
      for (int option = 0; option < d.options; ++option) of.push_back(draws.uniform(0.02, 0.2));
      costs_.push_back(std::move(of));
    }
    for (std::size_t d = 0; d < best_.size(); ++d) {
      costs_[d][static_cast<std::size_t>(best_[d])] = 0;
      together_.push_back(draws.uniform(0, 0.1));
    }
  }

  const candidate& best() const { return best_; }
  /// In (0, 1]; 1 of the best alone.
  double of(const candidate& c) const {
    double cost = 0;
    bool wrong_before = false;
    for (std::size_t d = 0; d < best_.size(); ++d) {
      if (!space_->matters(c, d) && !space_->matters(best_, d)) continue;
      const bool wrong = c[d] != best_[d];
      cost += costs_[d][static_cast<std::size_t>(c[d])];
      if (wrong && wrong_before) cost += together_[d];
      wrong_before = wrong;
    }
    return std::exp(-cost);
  }

 private:
  const search_space* space_;
  candidate best_;
  std::vector<std::vector<double>> costs_;  // [decision][option]
  std::vector<double> together_;            // with the decision before
};

}  // namespace effnet
