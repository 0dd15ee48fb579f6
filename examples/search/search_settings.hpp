#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include <effnet/io/spec_table.hpp>
#include <effnet/search.hpp>

#include "search/entry_reader.hpp"
#include "search/training_task.hpp"

namespace example {

/// What a search looks for, and how: all that decides what it finds.
struct search_settings {
  std::string space = "v2";       ///< one of `space_names`
  effnet::network_spec skeleton;  ///< its `eval_size` is that of the pictures, its `classes` theirs
  std::string algorithm = "evolution";
  std::uint64_t seed = 0;
  std::size_t trials = 40;
  std::size_t round = 4;                     ///< candidates between two times of learning
  std::size_t population = 50, sample = 10;  ///< of evolution
  effnet::reward reward;
  double most_parameters = 0, most_step_seconds = 0;  ///< 0: any
  bool stops_early = true;
  short_training training;
  int step_batch = 16;     ///< images of the steps that are timed
  int calibrated_on = 10;  ///< whole networks that are timed besides
};

inline constexpr std::array<std::string_view, 2> space_names = {"v2", "mnasnet"};
inline constexpr std::array<std::string_view, 3> algorithm_names = {"random", "evolution", "rl"};

/// One of `effnet::reward_rule_names`.
inline effnet::reward_rule reward_rule_of(const std::string& name) {
  const auto& names = effnet::reward_rule_names;
  return static_cast<effnet::reward_rule>(std::find(names.begin(), names.end(), name) -
                                          names.begin());
}

/// The space. Throws `effnet::spec_error` where a skeleton gives none.
inline effnet::search_space space_of(const std::string& name,
                                     const effnet::network_spec& skeleton) {
  return name == "mnasnet" ? effnet::mnasnet_space(skeleton) : effnet::v2_space(skeleton);
}

/// Calls `use(algorithm)` with the one that the settings name.
template <class Use>
void with_algorithm(const search_settings& s, const effnet::search_space& space, Use&& use) {
  if (s.algorithm == "random") {
    use(effnet::random_search(space, s.seed, s.round));
  } else if (s.algorithm == "evolution") {
    use(effnet::evolution(space, s.seed,
                          {.population = s.population, .sample = s.sample, .batch = s.round}));
  } else {
    effnet::reinforcement_settings how;
    how.batch = s.round;
    use(effnet::reinforcement(space, s.seed, how));
  }
}

inline bool needs_latency(effnet::reward_rule rule) {
  return rule == effnet::reward_rule::latency_soft || rule == effnet::reward_rule::latency_hard;
}

inline nlohmann::ordered_json json_of(const search_settings& s) {
  return {{"journal", 1},
          {"kind", "search"},
          {"space", s.space},
          {"skeleton", nlohmann::ordered_json::parse(effnet::spec_to_json(s.skeleton))},
          {"algorithm", s.algorithm},
          {"seed", s.seed},
          {"trials", s.trials},
          {"round", s.round},
          {"population", s.population},
          {"sample", s.sample},
          {"reward", effnet::name_of(s.reward.rule)},
          {"step_exponent", s.reward.step_exponent},
          {"parameter_exponent", s.reward.parameter_exponent},
          {"cost_exponent", s.reward.cost_exponent},
          {"target", s.reward.target},
          {"most_parameters", s.most_parameters},
          {"most_step_seconds", s.most_step_seconds},
          {"stops_early", s.stops_early},
          {"training", json_of(s.training)},
          {"step_batch", s.step_batch},
          {"calibrated_on", s.calibrated_on}};
}

/// Throws `effnet::file_error` for a header that is none of a search.
inline search_settings search_settings_from(const entry_reader& from) {
  if (from.text("kind") != "search")
    throw effnet::file_error(from.where() + " is of something else than 'search run'");
  const auto count = [&](const char* key) {
    return static_cast<std::size_t>(from.whole(key, 1, 1'000'000));
  };
  search_settings s;
  s.space = from.one_of("space", space_names);
  s.skeleton = from.network("skeleton");
  s.algorithm = from.one_of("algorithm", algorithm_names);
  s.seed = from.whole("seed", 0, ~std::uint64_t{0});
  s.trials = count("trials");
  s.round = count("round"), s.population = count("population"), s.sample = count("sample");
  s.reward.rule = reward_rule_of(from.one_of("reward", effnet::reward_rule_names));
  s.reward.step_exponent = from.number("step_exponent", -100, 100);
  s.reward.parameter_exponent = from.number("parameter_exponent", -100, 100);
  s.reward.cost_exponent = from.number("cost_exponent", -100, 100);
  s.reward.target = from.number("target", 0, 1e18);
  s.most_parameters = from.number("most_parameters", 0, 1e18);
  s.most_step_seconds = from.number("most_step_seconds", 0, 1e18);
  s.stops_early = from.boolean("stops_early");
  s.training = short_training_from(from.object("training"));
  s.step_batch = from.integer("step_batch", 2, 4096);
  s.calibrated_on = from.integer("calibrated_on", 0, 10'000);
  return s;
}

}  // namespace example
