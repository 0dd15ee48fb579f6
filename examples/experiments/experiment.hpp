#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "experiments/outcome.hpp"
#include "experiments/scale.hpp"
#include "experiments/section.hpp"
#include "experiments/trial.hpp"

namespace example {

/// A table or figure of the papers, run again: what is run for it, and what is then said.
struct experiment {
  std::string name, title, source;
  std::string differs;  ///< how the scale differs from what was published
  std::vector<trial> trials = {};
  std::function<section(const outcomes&)> report = {};

  /// A training with several seeds.
  void train(const std::string& row, const training& how, int seeds) {
    for (int seed = 0; seed < seeds; ++seed) trials.push_back({row, seed, how});
  }
  /// A timing, of one round so far.
  void time(const std::string& row, const timing& how) { trials.push_back({row, 0, how}); }
};

}  // namespace example
