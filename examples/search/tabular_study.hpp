#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <effnet/search.hpp>

#include "progress_bar.hpp"
#include "text_table.hpp"

namespace example {

/// What an algorithm found in its runs, one a seed.
struct algorithm_results {
  std::string name;
  std::vector<double> best;                ///< reward of the best trial, by seed
  std::vector<effnet::candidate> winners;  ///< whose rewards these are
  int optima = 0;                          ///< runs that found the best candidate there is
  double seconds = 0;                      ///< of all runs
};

/// Differences between two algorithms' runs with equal seeds.
struct paired_difference {
  effnet::mean_and_error of;
  int wins = 0, losses = 0;

  paired_difference(const std::vector<double>& a, const std::vector<double>& b)
      : of(differences(a, b)) {
    for (std::size_t i = 0; i < a.size(); ++i) wins += a[i] > b[i], losses += a[i] < b[i];
  }

 private:
  static std::vector<double> differences(const std::vector<double>& a,
                                         const std::vector<double>& b) {
    std::vector<double> all;
    for (std::size_t i = 0; i < a.size(); ++i) all.push_back(a[i] - b[i]);
    return all;
  }
};

/// Algorithms side by side on rewards that cost nothing: `reward_for(seed)` gives what a run of
/// that seed is rewarded by, a function of candidates.
class tabular_study {
 public:
  tabular_study(const effnet::search_space& space, std::size_t trials, int seeds)
      : space_(space), trials_(trials), seeds_(seeds) {}

  /// Runs an algorithm, which `make(seed)` gives, for every seed; `progress` counts runs.
  template <class Make, class RewardFor>
  void run(const Make& make, const RewardFor& reward_for, progress_bar& progress) {
    algorithm_results of;
    const auto begin = std::chrono::steady_clock::now();
    for (int seed = 0; seed < seeds_; ++seed) {
      const auto number = static_cast<std::uint64_t>(seed);
      const auto reward = reward_for(number);
      auto algorithm = make(number);
      of.name = std::string(algorithm.name);
      effnet::search_trial best{{}, -1};
      for (effnet::search_trial& trial : effnet::run_search(algorithm, trials_, reward))
        if (trial.reward > best.reward) best = std::move(trial);
      of.best.push_back(best.reward);
      of.optima += best.reward == 1;
      of.winners.push_back(std::move(best.of));
      progress.advance();
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    of.seconds = took.count();
    results_.push_back(std::move(of));
  }

  const std::vector<algorithm_results>& results() const { return results_; }

  /// `planted`: rewards have a known best candidate, of reward 1.
  void print(bool planted) const {
    using enum text_table::side;
    text_table table;
    table.column("algorithm", left);
    table.column("best reward");
    if (planted) table.column("optimum found");
    for (const char* title : {"more than random", "runs won", "lost", "s per 1000 trials"})
      table.column(title);
    for (const algorithm_results& of : results_) {
      std::vector<std::string> row = {of.name, fixed(effnet::mean_and_error(of.best).mean, 4)};
      if (planted) row.push_back(effnet::sentence(of.optima, " of ", seeds_));
      if (const algorithm_results* other = random(); other != nullptr && other != &of) {
        const paired_difference more(of.best, other->best);
        row.push_back(effnet::sentence(fixed(more.of.mean, 4), " +- ", fixed(more.of.error, 4)));
        row.push_back(std::to_string(more.wins)), row.push_back(std::to_string(more.losses));
      } else {
        row.insert(row.end(), 3, "");
      }
      row.push_back(fixed(seconds_per_thousand(of), 2));
      table.row(std::move(row));
    }
    std::printf(
        "%zu trials a run, %d runs an algorithm, in a space of %.3g networks (%zu "
        "decisions)\n\n%s\n%s+-: standard error of the differences between runs with equal seeds\n",
        trials_, seeds_, space_.count(), space_.decisions().size(), table.text().c_str(),
        planted ? "rewards are made up, with a known best candidate, whose reward is 1; each seed "
                  "plants another\n"
                : "");
  }

  nlohmann::ordered_json json() const {
    nlohmann::ordered_json all = {{"networks", space_.count()},
                                  {"decisions", space_.decisions().size()},
                                  {"trials", trials_},
                                  {"seeds", seeds_},
                                  {"algorithms", nlohmann::ordered_json::array()}};
    for (const algorithm_results& of : results_) {
      nlohmann::ordered_json one = {
          {"algorithm", of.name}, {"mean_best", effnet::mean_and_error(of.best).mean},
          {"best", of.best},      {"winners", of.winners},
          {"optima", of.optima},  {"seconds_per_1000", seconds_per_thousand(of)}};
      if (const algorithm_results* other = random(); other != nullptr && other != &of) {
        const paired_difference more(of.best, other->best);
        one["more_than_random"] = {{"mean", more.of.mean},
                                   {"standard_error", more.of.error},
                                   {"wins", more.wins},
                                   {"losses", more.losses}};
      }
      all["algorithms"].push_back(std::move(one));
    }
    return all;
  }

 private:
  double seconds_per_thousand(const algorithm_results& of) const {
    return 1000 * of.seconds / (static_cast<double>(trials_) * seeds_);
  }
  const algorithm_results* random() const {
    const auto found =
        std::ranges::find(results_, effnet::random_search::name, &algorithm_results::name);
    return found == results_.end() ? nullptr : &*found;
  }

  const effnet::search_space& space_;
  std::size_t trials_;
  int seeds_;
  std::vector<algorithm_results> results_;
};

}  // namespace example
