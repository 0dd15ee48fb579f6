#pragma once

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include <effnet/core/error.hpp>
#include <effnet/io/spec_table.hpp>

#include "experiments/experiment.hpp"
#include "experiments/set_options.hpp"
#include "experiments/tables/adaptive_regularization.hpp"
#include "experiments/tables/claims.hpp"
#include "experiments/tables/depthwise_by_stage.hpp"
#include "experiments/tables/fused_stages.hpp"
#include "experiments/tables/image_size_cost.hpp"
#include "experiments/tables/pretrain_finetune.hpp"
#include "experiments/tables/progressive.hpp"
#include "experiments/tables/progressive_elsewhere.hpp"
#include "experiments/tables/randaug_by_size.hpp"
#include "experiments/tables/results.hpp"
#include "experiments/tables/same_training.hpp"
#include "experiments/tables/scaling.hpp"
#include "experiments/tables/training_setup.hpp"
#include "experiments/trial_folder.hpp"

namespace example {

/// In the order of the papers' story.
inline std::vector<experiment> published_experiments(const set_options& chosen) {
  const scale at = scale_of(chosen);
  return {fused_stages(at),          depthwise_by_stage(at),      randaug_by_size(at),
          progressive(at),           adaptive_regularization(at), same_training(at),
          progressive_elsewhere(at), scaling_experiment(at),      image_size_cost(at),
          results_table(at),         pretrain_finetune(at),       training_setup(at),
          claims_table(at)};
}

/// All that an outcome depends on besides the machine.
inline nlohmann::ordered_json definition_of(const experiment& of, const trial& one,
                                            const set_options& chosen) {
  nlohmann::ordered_json json = {{"name", one.name}, {"seed", one.seed}};
  json["backend"] = chosen.backend;
  json["network"] = nlohmann::ordered_json::parse(effnet::spec_to_json(one.network()));
  if (const auto* run = std::get_if<training>(&one.what)) {
    json["size"] = run->size, json["epochs"] = run->epochs, json["options"] = run->options;
    json["data"] = set_name(run->on_other_set ? chosen.other_data : chosen.data);
    json["val"] = set_name(run->on_other_set ? chosen.other_val : chosen.val);
    for (const trial& other : of.trials)
      if (!run->start_from.empty() && other.name == run->start_from && other.seed == one.seed)
        json["start_from"] = definition_of(of, other, chosen);
  } else {
    const timing& t = std::get<timing>(one.what);
    json["size"] = t.size, json["batch"] = t.batch, json["threads"] = t.threads;
    json["pass"] = t.of_training ? "forward and backward" : "inference";
  }
  return json;
}

/// The folder of a trial in the set's.
inline trial_folder folder_of(const experiment& of, const trial& one, const set_options& chosen) {
  return {std::filesystem::path(chosen.out) / of.name, one, definition_of(of, one, chosen)};
}

/// With as many seeds of each training as are there or asked for; and timings again in later
/// rounds, some time apart, since machines have slow moments that outlast any one timing.
inline experiment repeated(experiment of, const set_options& set, int seeds) {
  const int rounds = scale_of(set).number({.smoke = 2, .mini = 3, .full = 3});
  std::vector<trial> more;
  for (const trial& one : of.trials) {
    const bool is_last = &one == &of.trials.back() || (&one)[1].name != one.name;
    if (!one.is_training() || !is_last) continue;
    trial next = one;
    while (++next.seed < seeds || std::filesystem::exists(folder_of(of, next, set).path()))
      more.push_back(next);
  }
  for (int round = 1; round < rounds; ++round)
    for (const trial& one : of.trials)
      if (!one.is_training()) more.push_back({one.name, round, one.what});
  of.trials.insert(of.trials.end(), more.begin(), more.end());
  return of;
}

/// All, each with `seeds` trainings of a kind or as many as it has anyway.
inline std::vector<experiment> all_experiments(const set_options& set, int seeds = 1) {
  std::vector<experiment> all = published_experiments(set);
  for (experiment& one : all) one = repeated(std::move(one), set, seeds);
  return all;
}

/// Those named, in that order; all where none is. Throws `usage_error` for a name of none.
inline std::vector<experiment> experiments_named(const std::vector<std::string>& names,
                                                 const set_options& chosen, int seeds = 1) {
  std::vector<experiment> all = all_experiments(chosen, seeds);
  if (names.empty()) return all;
  std::vector<experiment> some;
  for (const std::string& name : names) {
    const auto found = std::ranges::find(all, name, &experiment::name);
    if (found == all.end())
      throw usage_error(effnet::sentence("there is no experiment '", name,
                                         "'; 'experiments list' names them all"));
    if (std::ranges::find(some, name, &experiment::name) == some.end()) some.push_back(*found);
  }
  return some;
}

/// Whether a part of it is trained on the set's other data.
inline bool needs_other_set(const experiment& of) {
  return std::ranges::any_of(of.trials, [](const trial& one) {
    const auto* run = std::get_if<training>(&one.what);
    return run != nullptr && run->on_other_set;
  });
}

/// How far an experiment is, and what it says so far.
struct experiment_state {
  section says;
  std::vector<std::string> missing = {};  ///< titles of trials
  std::set<std::string> machines = {};
};

inline experiment_state state_of(const experiment& of, const set_options& chosen) {
  outcomes all;
  experiment_state state;
  for (const trial& one : of.trials) {
    auto made = folder_of(of, one, chosen).result();
    if (!made) {
      state.missing.push_back(one.title());
      continue;
    }
    state.machines.insert(made->machine);
    all.add(one.name, one.seed, std::move(*made));
  }
  state.says = of.report(all);
  if (state.missing.empty()) state.says.is_whole();
  return state;
}

}  // namespace example
