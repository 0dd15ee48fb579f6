#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <effnet/search.hpp>

#include "program.hpp"
#include "progress_bar.hpp"
#include "search/guessed_rewards.hpp"
#include "search/journal.hpp"
#include "search/option_checks.hpp"
#include "search/space_options.hpp"
#include "search/tabular_study.hpp"

namespace example {

struct tabular_options {
  space_options space;
  std::vector<std::string> algorithms;
  std::string journal, reward;
  int trials = 1000, seeds = 30;
  bool json = false, quiet = false;
};

inline void add_tabular(CLI::App& app, tabular_options& chosen) {
  add_space_options(app, chosen.space);
  app.add_option("--algorithm", chosen.algorithms, "Those to compare (default: all)")
      ->check(CLI::IsMember({"random", "evolution", "rl"}).description(""))
      ->type_name("random|evolution|rl");
  app.add_option("--trials", chosen.trials, "Candidates a run (default 1000)")
      ->check(between(1, 1'000'000))
      ->type_name("N");
  app.add_option("--seeds", chosen.seeds, "Runs an algorithm (default 30)")
      ->check(between(1, 10'000))
      ->type_name("N");
  app.add_option("--journal", chosen.journal,
                 "Of 'search run': its space, and accuracies guessed from its trials, instead of "
                 "made-up rewards")
      ->type_name("FILE");
  add_choice(app, "--reward", chosen.reward,
             {effnet::reward_rule_names.begin(), effnet::reward_rule_names.end()},
             "With --journal: another reward than the journal's");
  app.add_flag("--json", chosen.json, "Print JSON instead of a table");
  app.add_flag("--quiet", chosen.quiet, "No progress on stderr");
}

namespace detail {

template <class RewardFor>
tabular_study studied(const tabular_options& chosen, const effnet::search_space& of,
                      const RewardFor& reward_for) {
  Eigen::setNbThreads(1);  // the controller's matrices are too small to be shared
  tabular_study study(of, static_cast<std::size_t>(chosen.trials), chosen.seeds);
  const auto wanted = [&](std::string_view name) {
    return chosen.algorithms.empty() ||
           std::ranges::find(chosen.algorithms, name) != chosen.algorithms.end();
  };
  const int algorithms = wanted("random") + wanted("evolution") + wanted("rl");
  progress_bar progress("runs", static_cast<std::size_t>(chosen.seeds * algorithms), !chosen.quiet);
  const auto run = [&](const auto& make) { study.run(make, reward_for, progress); };
  if (wanted("random")) run([&](std::uint64_t seed) { return effnet::random_search(of, seed); });
  if (wanted("evolution")) run([&](std::uint64_t seed) { return effnet::evolution(of, seed); });
  if (wanted("rl")) run([&](std::uint64_t seed) { return effnet::reinforcement(of, seed); });
  progress.clear();
  return study;
}

}  // namespace detail

inline void compare_algorithms(const CLI::App& app, const tabular_options& chosen) {
  if (chosen.journal.empty()) {
    if (!chosen.reward.empty()) throw usage_error("--reward goes with --journal");
    const effnet::search_space of = chosen.space.space();
    const tabular_study study = detail::studied(chosen, of, [&](std::uint64_t seed) {
      return [reward = effnet::planted_reward(of, seed)](const effnet::candidate& c) {
        return reward.of(c);
      };
    });
    chosen.json ? void(std::printf("%s\n", study.json().dump(2).c_str())) : study.print(true);
    return;
  }
  refuse(app, {"--space", "--model", "--width", "--depth"}, "a journal has its own space");
  const search_record record = search_record_of(journal::read(chosen.journal));
  const guessed_rewards rewards(
      record, chosen.reward.empty() ? record.settings.reward.rule : reward_rule_of(chosen.reward));
  const tabular_study study = detail::studied(chosen, record.space, [&](std::uint64_t) {
    return [&](const effnet::candidate& c) { return rewards.of(c); };
  });
  if (chosen.json) {
    std::printf("%s\n", study.json().dump(2).c_str());
  } else {
    study.print(false);
    rewards.print_winners(study);
  }
}

}  // namespace example
