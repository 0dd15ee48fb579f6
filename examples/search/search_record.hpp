#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <effnet/arch/count.hpp>
#include <effnet/search.hpp>

#include "search/journal.hpp"
#include "search/search_settings.hpp"

namespace example {

/// What times are, by sums of blocks put right by whole networks.
struct predicted_times {
  effnet::block_times blocks;
  effnet::line put_right;
  effnet::prediction_error error;  ///< of the networks that it was put right by

  double of(const effnet::network_spec& spec) const {
    return put_right.at(blocks.of(spec, spec.eval_size));
  }
};

/// What a search knows of a candidate that it tried.
struct recorded_trial {
  effnet::candidate of;
  effnet::candidate_measures measures;
  double reward = 0;
  std::vector<double> curve = {};  ///< accuracy after each epoch; empty where it was not trained
  bool stopped = false;            ///< given up early
  double seconds = 0;              ///< of training
};

/// A network that was trained for longer beside the best one.
struct recorded_rival {
  std::string name;
  effnet::network_spec spec;
  std::uint64_t seed = 0;
  double accuracy = 0, step_seconds = 0;
  std::vector<double> curve = {};
};

/// A search, as its journal tells it.
struct search_record {
  search_settings settings;
  effnet::search_space space;
  std::optional<predicted_times> step = {}, latency = {};
  std::map<std::size_t, recorded_trial> trials = {};  ///< by number; some may be missing in between
  std::vector<recorded_rival> rivals = {};

  /// Parameters, multiply-adds and times of a network.
  effnet::candidate_measures measures(const effnet::network_spec& spec) const {
    return {.accuracy = 0,
            .step_seconds = step->of(spec),
            .parameters = static_cast<double>(effnet::count_parameters(spec)),
            .flops = static_cast<double>(effnet::count_macs(spec, spec.eval_size)),
            .latency_seconds = latency ? latency->of(spec) : 0};
  }
  /// The settings' reward, with what it is relative to: the skeleton, where nothing else is said.
  effnet::reward reward() const {
    effnet::reward made = settings.reward;
    made.unit = measures(settings.skeleton);
    if (made.target == 0)
      made.target = needs_latency(made.rule) ? made.unit.latency_seconds : made.unit.flops;
    made.check();
    return made;
  }
  bool fits(const effnet::candidate_measures& m) const {
    return (settings.most_parameters == 0 || m.parameters <= settings.most_parameters) &&
           (settings.most_step_seconds == 0 || m.step_seconds <= settings.most_step_seconds);
  }
  /// Trials from the first one on, up to where one is missing.
  std::vector<recorded_trial> in_order() const {
    std::vector<recorded_trial> made;
    for (const auto& [number, trial] : trials) {
      if (number != made.size()) break;
      made.push_back(trial);
    }
    return made;
  }
  /// The trial of the highest reward, the first of equals; null where there is none.
  const recorded_trial* best() const {
    const recorded_trial* found = nullptr;
    for (const auto& [number, trial] : trials)
      if (!trial.curve.empty() && (found == nullptr || trial.reward > found->reward))
        found = &trial;
    return found;
  }
};

inline nlohmann::ordered_json json_of(const char* what, const predicted_times& times) {
  return {{"entry", what},
          {"offset", times.put_right.offset},
          {"factor", times.put_right.factor},
          {"spearman", times.error.spearman},
          {"mean_relative_error", times.error.mean_relative},
          {"seconds", times.blocks.seconds()}};
}
inline nlohmann::ordered_json json_of(std::size_t number, const recorded_trial& trial) {
  return {{"entry", "trial"},
          {"trial", number},
          {"candidate", trial.of},
          {"reward", trial.reward},
          {"accuracy", trial.measures.accuracy},
          {"step_seconds", trial.measures.step_seconds},
          {"parameters", trial.measures.parameters},
          {"flops", trial.measures.flops},
          {"latency_seconds", trial.measures.latency_seconds},
          {"curve", trial.curve},
          {"stopped", trial.stopped},
          {"seconds", trial.seconds}};
}
inline nlohmann::ordered_json json_of(const recorded_rival& rival) {
  return {{"entry", "rival"},
          {"name", rival.name},
          {"network", nlohmann::ordered_json::parse(effnet::spec_to_json(rival.spec))},
          {"seed", rival.seed},
          {"accuracy", rival.accuracy},
          {"step_seconds", rival.step_seconds},
          {"curve", rival.curve}};
}

/// Throws `effnet::file_error` for entries that are none of a search.
inline search_record record_of(const nlohmann::ordered_json& header,
                               const std::vector<nlohmann::ordered_json>& entries,
                               const std::string& name) {
  search_settings settings = search_settings_from(header, name);
  effnet::search_space space = space_of(settings.space, settings.skeleton);
  search_record record{.settings = std::move(settings), .space = std::move(space)};
  for (const nlohmann::ordered_json& entry : entries) {
    const auto number = [&](const char* key) { return value_of<double>(entry, key, name); };
    const auto numbers = [&](const char* key) {
      return value_of<std::vector<double>>(entry, key, name);
    };
    const auto what = value_of<std::string>(entry, "entry", name);
    if (what == "step_times" || what == "latency_times") {
      (what == "step_times" ? record.step : record.latency) = predicted_times{
          .blocks =
              effnet::block_times(value_of<effnet::block_times::entries>(entry, "seconds", name)),
          .put_right = {number("offset"), number("factor")},
          .error = {number("spearman"), number("mean_relative_error")}};
    } else if (what == "trial") {
      recorded_trial trial{.of = value_of<effnet::candidate>(entry, "candidate", name),
                           .measures = {.accuracy = number("accuracy"),
                                        .step_seconds = number("step_seconds"),
                                        .parameters = number("parameters"),
                                        .flops = number("flops"),
                                        .latency_seconds = number("latency_seconds")},
                           .reward = number("reward"),
                           .curve = numbers("curve"),
                           .stopped = value_of<bool>(entry, "stopped", name),
                           .seconds = number("seconds")};
      record.space.decode(trial.of);  // throws for what is none of it
      record.trials[value_of<std::size_t>(entry, "trial", name)] = std::move(trial);
    } else if (what == "rival") {
      record.rivals.push_back(
          {.name = value_of<std::string>(entry, "name", name),
           .spec = effnet::spec_from_json(
               value_of<nlohmann::ordered_json>(entry, "network", name).dump(), name),
           .seed = value_of<std::uint64_t>(entry, "seed", name),
           .accuracy = number("accuracy"),
           .step_seconds = number("step_seconds"),
           .curve = numbers("curve")});
    } else {
      throw effnet::file_error(effnet::sentence(effnet::path_in_quotes(name),
                                                " has an unknown entry ", effnet::in_quotes(what)));
    }
  }
  return record;
}

}  // namespace example
