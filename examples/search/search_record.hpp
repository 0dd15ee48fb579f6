#pragma once

#include <cstddef>
#include <cstdint>
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

/// What a search knows of a candidate that it tried.
struct recorded_trial {
  effnet::candidate of;
  effnet::candidate_measures measures;
  double reward = 0;
  std::vector<double> curve = {};  ///< accuracy after each epoch; empty where it was not trained
  bool stopped = false;            ///< given up early
  double seconds = 0;              ///< of training
  std::optional<std::size_t> copy_of = {};  ///< an earlier trial of the same candidate

  /// Whether a network was trained for it.
  bool is_trained() const { return !curve.empty() && !copy_of; }
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
  std::optional<effnet::calibrated_times> step = {}, latency = {};
  std::map<std::size_t, recorded_trial> trials = {};  ///< by number; some may be missing in between
  std::vector<recorded_rival> rivals = {};

  /// Parameters, multiply-adds and times of a network. Throws `effnet::error` where step times are
  /// not known yet.
  effnet::candidate_measures measures(const effnet::network_spec& spec) const {
    if (!step) throw effnet::error("the journal has no step times yet; let its search run first");
    const auto seconds = [&](const effnet::calibrated_times& times) {
      const double predicted = times.of(spec, spec.eval_size);
      if (!(predicted > 0))  // a line that this program does not fit
        throw effnet::error(effnet::sentence("the journal's times make ", 1e3 * predicted,
                                             " ms of a network; they have to be above 0"));
      return predicted;
    };
    return {.accuracy = 0,
            .step_seconds = seconds(*step),
            .parameters = static_cast<double>(effnet::count_parameters(spec)),
            .flops = static_cast<double>(effnet::count_macs(spec, spec.eval_size)),
            .latency_seconds = latency ? seconds(*latency) : 0};
  }
  /// A reward relative to the skeleton where nothing else is said: the settings' one or, with their
  /// exponents, another. Throws `effnet::error` where latencies are needed and not known.
  effnet::reward reward(effnet::reward_rule rule) const {
    if (needs_latency(rule) && !latency)
      throw effnet::error(effnet::sentence("reward ", effnet::name_of(rule),
                                           " needs latencies, and the journal has none: its search "
                                           "had reward ",
                                           effnet::name_of(settings.reward.rule)));
    effnet::reward made = settings.reward;
    made.unit = measures(settings.skeleton);
    if (rule != made.rule || made.target == 0)
      made.target = needs_latency(rule) ? made.unit.latency_seconds : made.unit.flops;
    made.rule = rule;
    made.check();
    return made;
  }
  effnet::reward reward() const { return reward(settings.reward.rule); }

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
  /// The trial of the highest reward among those in order, the first of equals; nothing where no
  /// network was trained.
  std::optional<recorded_trial> best() const {
    std::optional<recorded_trial> found;
    for (const recorded_trial& trial : in_order())
      if (trial.is_trained() && (!found || trial.reward > found->reward)) found = trial;
    return found;
  }
};

inline nlohmann::ordered_json json_of(const char* what, const effnet::calibrated_times& times) {
  return {{"entry", what},
          {"offset", times.by.offset},
          {"factor", times.by.factor},
          {"spearman", times.error.spearman},
          {"mean_relative_error", times.error.mean_relative},
          {"seconds", times.blocks.seconds()}};
}
inline nlohmann::ordered_json json_of(std::size_t number, const recorded_trial& trial) {
  nlohmann::ordered_json made = {{"entry", "trial"},
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
  if (trial.copy_of) made["copy_of"] = *trial.copy_of;
  return made;
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

namespace detail {

constexpr std::uint64_t most_trials = 1'000'000;

inline effnet::calibrated_times times_from(const entry_reader& from) {
  effnet::block_times::entries seconds;
  for (auto& [shape, time] : from.named_numbers("seconds")) seconds[shape] = time;
  return {.blocks = effnet::block_times(std::move(seconds)),
          .by = {from.number("offset", -1e18, 1e18), from.positive("factor")},
          .error = {from.number("spearman", -1, 1), from.number("mean_relative_error", 0, 1e18)}};
}
inline recorded_trial trial_from(const entry_reader& from, const search_record& record) {
  const std::size_t decisions = record.space.decisions().size();
  const auto epochs = static_cast<std::size_t>(record.settings.training.epochs);
  recorded_trial trial{.of = from.integers("candidate", 1'000'000, decisions),
                       .measures = {.accuracy = from.number("accuracy", 0, 1),
                                    .step_seconds = from.positive("step_seconds"),
                                    .parameters = from.positive("parameters"),
                                    .flops = from.positive("flops"),
                                    .latency_seconds = from.number("latency_seconds", 0, 1e18)},
                       .reward = from.number("reward", 0, 1e18),
                       .curve = from.numbers("curve", 0, 1, epochs),
                       .stopped = from.boolean("stopped"),
                       .seconds = from.number("seconds", 0, 1e9)};
  if (from.has("copy_of"))
    trial.copy_of = static_cast<std::size_t>(from.whole("copy_of", 0, most_trials));
  try {
    record.space.decode(trial.of);
  } catch (const effnet::spec_error& e) {
    throw effnet::file_error(effnet::sentence(from.where(), ": ", e.what()));
  }
  return trial;
}
inline recorded_rival rival_from(const entry_reader& from) {
  return {.name = from.text("name"),
          .spec = from.network("network"),
          .seed = from.whole("seed", 0, ~std::uint64_t{0}),
          .accuracy = from.number("accuracy", 0, 1),
          .step_seconds = from.positive("step_seconds"),
          .curve = from.numbers("curve", 0, 1, 10'000)};
}

}  // namespace detail

/// Throws `effnet::file_error` for a journal that is none of a search.
inline search_record search_record_of(const journal_text& text) {
  search_settings settings = search_settings_from(text.header());
  effnet::search_space space = space_of(settings.space, settings.skeleton);
  search_record record{.settings = std::move(settings), .space = std::move(space)};
  constexpr std::string_view kinds[] = {"step_times", "latency_times", "trial", "rival"};
  for (const entry_reader& entry : text.entries()) {
    const std::string what = entry.one_of("entry", kinds);
    if (what == "step_times") record.step = detail::times_from(entry);
    if (what == "latency_times") record.latency = detail::times_from(entry);
    if (what == "trial")
      record.trials[static_cast<std::size_t>(entry.whole("trial", 0, detail::most_trials))] =
          detail::trial_from(entry, record);
    if (what == "rival") record.rivals.push_back(detail::rival_from(entry));
  }
  return record;
}

}  // namespace example
