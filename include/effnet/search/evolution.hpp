#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include <effnet/search/search_algorithm.hpp>

namespace effnet {

struct evolution_settings {
  std::size_t population = 50;  ///< candidates that live; the first so many are drawn
  std::size_t sample = 10;      ///< of which the best is mutated
  std::size_t batch = 1;        ///< proposals between two times of learning
};

/// Regularised evolution (Real et al. 2019, algorithm 1): the best of a sample of the population
/// has a mutated child, and the oldest dies, however good it was.
class evolution {
 public:
  static constexpr std::string_view name = "evolution";

  /// Throws `error` for settings that leave nothing to choose from.
  evolution(const search_space& space, std::uint64_t seed, const evolution_settings& settings = {})
      : space_(&space), seed_(seed), settings_(settings) {
    if (settings.population < 1 || settings.sample < 1 || settings.batch < 1)
      throw error("evolution needs a population, a sample and a batch of at least 1");
  }

  std::size_t batch() const { return settings_.batch; }
  candidate propose() {
    const std::uint64_t number = proposed_++;
    random_draws draws(seed_, 0, number, draw_purpose::search);
    const bool draws_first = number < settings_.population || alive_.empty();
    waiting_.push_back(draws_first ? space_->sample(draws) : child(draws));
    return waiting_.back();
  }
  void learn(const std::vector<double>& rewards) {
    for (std::size_t i = 0; i < rewards.size() && i < waiting_.size(); ++i)
      alive_.push_back({std::move(waiting_[i]), rewards[i]});
    waiting_.clear();
    while (alive_.size() > settings_.population) alive_.pop_front();
  }

 private:
  struct individual {
    candidate genes;
    double reward;
  };

  candidate child(random_draws& draws) const {
    const individual* best = nullptr;
    for (std::size_t i = 0; i < settings_.sample; ++i) {
      const auto at = draws.integer(0, static_cast<std::int64_t>(alive_.size()));
      const individual& one = alive_[static_cast<std::size_t>(at)];
      if (best == nullptr || one.reward > best->reward) best = &one;
    }
    return space_->mutated(best->genes, draws);
  }

  const search_space* space_;
  std::uint64_t seed_, proposed_ = 0;
  evolution_settings settings_;
  std::deque<individual> alive_;  // oldest first
  std::vector<candidate> waiting_;
};

}  // namespace effnet
