#pragma once

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "training/training_log.hpp"

namespace example {

/// What came out of a trial.
struct outcome {
  double seconds = 0;  ///< of training, all in all; or of the pass that was timed
  double top1 = 0;     ///< at the end, per cent
  logged_rows rows;    ///< of a training
  std::string machine;
};

/// The outcomes of an experiment, as far as it has been run.
class outcomes {
 public:
  void add(const std::string& name, int seed, outcome of) { all_[name][seed] = std::move(of); }

  /// By seed; empty where there are none yet.
  const std::map<int, outcome>& of(const std::string& name) const {
    static const std::map<int, outcome> none;
    const auto found = all_.find(name);
    return found == all_.end() ? none : found->second;
  }
  /// A number of each, by seed.
  template <class Number>
  std::map<int, double> values(const std::string& name, Number&& number) const {
    std::map<int, double> by_seed;
    for (const auto& [seed, one] : of(name)) by_seed[seed] = number(one);
    return by_seed;
  }
  std::map<int, double> top1(const std::string& name) const {
    return values(name, [](const outcome& one) { return one.top1; });
  }
  std::map<int, double> seconds(const std::string& name) const {
    return values(name, [](const outcome& one) { return one.seconds; });
  }
  /// Seconds of a timing, the shortest of its rounds.
  std::optional<double> time(const std::string& name) const {
    std::optional<double> shortest;
    for (const auto& [round, one] : of(name))
      shortest = std::min(one.seconds, shortest.value_or(one.seconds));
    return shortest;
  }
  /// What `number(outcomes of one round)` gives; no number where it gives none.
  template <class Number>
  std::map<int, double> by_round(Number&& number) const {
    std::map<int, outcomes> rounds;
    for (const auto& [name, seeds] : all_)
      for (const auto& [round, one] : seeds) rounds[round].add(name, round, one);
    std::map<int, double> numbers;
    for (const auto& [round, these] : rounds)
      numbers[round] = number(these).value_or(std::numeric_limits<double>::quiet_NaN());
    return numbers;
  }

 private:
  std::map<std::string, std::map<int, outcome>> all_;
};

}  // namespace example
