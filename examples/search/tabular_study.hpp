#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
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
  std::vector<double> best;  ///< reward of the best trial, by seed
  int optima = 0;            ///< runs that found the best candidate
  double seconds = 0;        ///< of all runs

  double mean() const {
    double sum = 0;
    for (const double reward : best) sum += reward;
    return sum / static_cast<double>(best.size());
  }
};

/// Mean and standard error of differences between two algorithms' runs with equal seeds.
struct paired_difference {
  double mean = 0, error = 0;
  int wins = 0, losses = 0;

  paired_difference(const std::vector<double>& a, const std::vector<double>& b) {
    const auto count = static_cast<double>(a.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      mean += (a[i] - b[i]) / count;
      wins += a[i] > b[i], losses += a[i] < b[i];
    }
    if (a.size() < 2) return;
    double squares = 0;
    for (std::size_t i = 0; i < a.size(); ++i) squares += std::pow(a[i] - b[i] - mean, 2);
    error = std::sqrt(squares / (count - 1) / count);
  }
};

/// Algorithms on rewards with a planted optimum, another one for each seed.
class tabular_study {
 public:
  tabular_study(const effnet::search_space& space, std::size_t trials, int seeds)
      : space_(space), trials_(trials), seeds_(seeds) {}

  /// Runs an algorithm, which `make(seed)` gives, for every seed; `progress` counts runs.
  template <class Make>
  void run(const Make& make, progress_bar& progress) {
    algorithm_results of;
    const auto begin = std::chrono::steady_clock::now();
    for (int seed = 0; seed < seeds_; ++seed) {
      const auto number = static_cast<std::uint64_t>(seed);
      const effnet::planted_reward reward(space_, number);
      auto algorithm = make(number);
      of.name = std::string(algorithm.name);
      double best = 0;
      for (const effnet::search_trial& trial : effnet::run_search(
               algorithm, trials_, [&](const effnet::candidate& c) { return reward.of(c); }))
        best = std::max(best, trial.reward);
      of.best.push_back(best);
      of.optima += best == 1;
      progress.advance();
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    of.seconds = took.count();
    results_.push_back(std::move(of));
  }

  void print() const {
    using enum text_table::side;
    text_table table;
    table.column("algorithm", left);
    for (const char* title : {"best reward", "optimum found", "more than random", "runs won",
                              "lost", "s per 1000 trials"})
      table.column(title);
    for (const algorithm_results& of : results_) {
      std::vector<std::string> row = {of.name, fixed(of.mean(), 4),
                                      effnet::sentence(of.optima, " of ", seeds_)};
      if (const algorithm_results* other = random(); other != nullptr && other != &of) {
        const paired_difference more(of.best, other->best);
        row.push_back(effnet::sentence(fixed(more.mean, 4), " +- ", fixed(more.error, 4)));
        row.push_back(std::to_string(more.wins)), row.push_back(std::to_string(more.losses));
      } else {
        row.insert(row.end(), 3, "");
      }
      row.push_back(fixed(seconds_per_thousand(of), 2));
      table.row(std::move(row));
    }
    std::printf(
        "%zu trials a run, %d runs an algorithm, in a space of %.3g networks (%zu "
        "decisions)\n\n%s\n"
        "rewards are made up, with a known best candidate, whose reward is 1; each seed plants "
        "another\n+-: standard error of the differences between runs with equal seeds\n",
        trials_, seeds_, space_.count(), space_.decisions().size(), table.text().c_str());
  }

  nlohmann::ordered_json json() const {
    nlohmann::ordered_json all = {{"networks", space_.count()},
                                  {"decisions", space_.decisions().size()},
                                  {"trials", trials_},
                                  {"seeds", seeds_},
                                  {"algorithms", nlohmann::ordered_json::array()}};
    for (const algorithm_results& of : results_) {
      nlohmann::ordered_json one = {{"algorithm", of.name},
                                    {"mean_best", of.mean()},
                                    {"best", of.best},
                                    {"optima", of.optima},
                                    {"seconds_per_1000", seconds_per_thousand(of)}};
      if (const algorithm_results* other = random(); other != nullptr && other != &of) {
        const paired_difference more(of.best, other->best);
        one["more_than_random"] = {{"mean", more.mean},
                                   {"standard_error", more.error},
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
