#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include <effnet/cpu_training.hpp>
#include <effnet/search.hpp>

#include "search/search_record.hpp"
#include "search/stages_text.hpp"
#include "search/tabular_study.hpp"

namespace example {

/// Rewards of candidates that were never trained: their accuracy is guessed from those that a
/// journal has, what they cost is known.
class guessed_rewards {
 public:
  /// Throws `effnet::error` for a journal of too few trials, or of no latencies where the reward
  /// needs them.
  guessed_rewards(const search_record& record, effnet::reward_rule rule)
      : record_(record), reward_(record.reward(rule)), surrogate_(surrogate_of(record)) {}

  double of(const effnet::candidate& c) const {
    effnet::candidate_measures measures = record_.measures(record_.space.decode(c));
    measures.accuracy = surrogate_.of(c);
    return reward_.of(measures);
  }
  /// What the winners of a study are like: shares of their options, costs, and the measured step
  /// time of the best.
  void print_winners(const tabular_study& study) const {
    const std::vector<double> accuracies = accuracies_of(record_).second,
                              guessed = surrogate_.left_out();
    double off = 0;
    for (std::size_t i = 0; i < guessed.size(); ++i)
      off += std::abs(guessed[i] - accuracies[i]) / static_cast<double>(guessed.size());
    std::printf(
        "\naccuracies are guessed from %zu trained candidates; guessed without itself each is off "
        "by %.1f points on average, rank correlation %.2f\nreward %s\n",
        accuracies.size(), 100 * off, effnet::error_of(guessed, accuracies).spearman,
        std::string(effnet::name_of(reward_.rule)).c_str());
    for (const algorithm_results& of : study.results()) {
      const auto best = static_cast<std::size_t>(std::max_element(of.best.begin(), of.best.end()) -
                                                 of.best.begin());
      const effnet::network_spec spec = record_.space.decode(of.winners[best]);
      const effnet::candidate_measures measures = record_.measures(spec);
      const int size = spec.eval_size;
      const double step = effnet::measured_step(
          spec, size, size, effnet::cpu_training_backend(record_.settings.training.threads),
          {.batch = record_.settings.step_batch, .seconds = 0.5});
      std::printf(
          "\n%s: best winner %s, step %.2f ms (measured %.2f ms), %.0f parameters, %.2f M "
          "MACs\n%s",
          of.name.c_str(), stages_text(spec).c_str(), 1e3 * measures.step_seconds, 1e3 * step,
          measures.parameters, measures.flops / 1e6, shares_table(of.winners).text().c_str());
    }
  }

 private:
  static std::pair<std::vector<effnet::candidate>, std::vector<double>> accuracies_of(
      const search_record& record) {
    std::pair<std::vector<effnet::candidate>, std::vector<double>> all;
    for (const auto& [number, trial] : record.trials) {
      if (!trial.is_trained() || trial.stopped) continue;  // what is cut short says less
      all.first.push_back(trial.of);
      all.second.push_back(trial.measures.accuracy);
    }
    return all;
  }
  static effnet::accuracy_surrogate surrogate_of(const search_record& record) {
    const auto [candidates, accuracies] = accuracies_of(record);
    return {record.space, candidates, accuracies};
  }
  /// A row a stage, a column a decision.
  text_table shares_table(const std::vector<effnet::candidate>& of) const {
    const auto shares = effnet::option_shares(record_.space, of);
    text_table table;
    table.column("stage");
    table.column("what the winners of all seeds have, %", text_table::side::left);
    for (std::size_t s = 0; s < record_.space.stages().size(); ++s) {
      std::string text;
      for (std::size_t d = 0; d < shares.size(); ++d) {
        if (record_.space.decisions()[d].stage != s) continue;
        for (std::size_t option = 0; option < shares[d].size(); ++option) {
          if (shares[d][option] < 0.005) continue;
          text += effnet::sentence(text.empty() ? "" : ", ",
                                   effnet::name_of(record_.space.decisions()[d].what), ' ',
                                   record_.space.option_text(d, static_cast<int>(option)), ": ",
                                   std::lround(100 * shares[d][option]));
        }
      }
      table.row({std::to_string(s + 1), text});
    }
    return table;
  }

  const search_record& record_;
  effnet::reward reward_;
  effnet::accuracy_surrogate surrogate_;
};

}  // namespace example
