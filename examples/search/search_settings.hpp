#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include <effnet/io/spec_table.hpp>
#include <effnet/search.hpp>

#include "search/journal.hpp"
#include "search/training_task.hpp"

namespace example {

/// What a search looks for, and how: all that decides what it finds.
struct search_settings {
  std::string space = "v2";       ///< "v2" or "mnasnet"
  effnet::network_spec skeleton;  ///< its `eval_size` is that of the pictures, its `classes` theirs
  std::string algorithm = "evolution";
  std::uint64_t seed = 0;
  std::size_t round = 4;                     ///< candidates between two times of learning
  std::size_t population = 50, sample = 10;  ///< of evolution
  effnet::reward reward;
  double most_parameters = 0, most_step_seconds = 0;  ///< 0: any
  bool stops_early = true;
  short_training training;
  int step_batch = 16;     ///< images of the steps that are timed
  int calibrated_on = 10;  ///< whole networks that are timed besides
};

inline constexpr std::array<std::string_view, 5> reward_names = {
    "accuracy", "step_and_parameters", "flops", "latency_soft", "latency_hard"};

/// One of `reward_names`.
inline effnet::reward_rule reward_rule_of(const std::string& name) {
  return static_cast<effnet::reward_rule>(
      std::find(reward_names.begin(), reward_names.end(), name) - reward_names.begin());
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
inline search_settings search_settings_from(const nlohmann::ordered_json& from,
                                            const std::string& name) {
  if (value_of<std::string>(from, "kind", name) != "search")
    throw effnet::file_error(effnet::sentence(
        effnet::path_in_quotes(name), " is the journal of something else than 'search run'"));
  const auto text = [&](const char* key) { return value_of<std::string>(from, key, name); };
  const auto number = [&](const char* key) { return value_of<double>(from, key, name); };
  const auto count = [&](const char* key) {
    return static_cast<std::size_t>(whole_number(from, key, 1, 1'000'000, name));
  };
  search_settings s;
  s.seed = value_of<std::uint64_t>(from, "seed", name);
  s.round = count("round"), s.population = count("population"), s.sample = count("sample");
  const auto one_of = [&](const char* key, std::initializer_list<std::string_view> known) {
    const std::string word = text(key);
    if (std::find(known.begin(), known.end(), word) == known.end())
      throw effnet::file_error(effnet::sentence(effnet::path_in_quotes(name), " is broken: \"", key,
                                                "\" is ", effnet::in_quotes(word)));
    return word;
  };
  s.space = one_of("space", {"v2", "mnasnet"});
  s.algorithm = one_of("algorithm", {"random", "evolution", "rl"});
  s.reward.rule = reward_rule_of(one_of(
      "reward", {"accuracy", "step_and_parameters", "flops", "latency_soft", "latency_hard"}));
  s.reward.step_exponent = number("step_exponent");
  s.reward.parameter_exponent = number("parameter_exponent");
  s.reward.cost_exponent = number("cost_exponent");
  s.reward.target = number("target");
  s.most_parameters = number("most_parameters");
  s.most_step_seconds = number("most_step_seconds");
  s.stops_early = value_of<bool>(from, "stops_early", name);
  s.step_batch = whole_number(from, "step_batch", 1, 4096, name);
  s.calibrated_on = whole_number(from, "calibrated_on", 0, 10'000, name);
  const auto object = [&](const char* key) {
    return value_of<nlohmann::ordered_json>(from, key, name);
  };
  s.skeleton = effnet::spec_from_json(object("skeleton").dump(), name);
  s.training = short_training_from(from, name);
  return s;
}

}  // namespace example
