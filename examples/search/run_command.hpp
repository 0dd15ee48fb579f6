#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <effnet/io/table_code.hpp>

#include "program.hpp"
#include "search/architecture_search.hpp"
#include "search/held_out_data.hpp"
#include "search/journal_facts.hpp"
#include "search/option_checks.hpp"
#include "search/space_options.hpp"
#include "search/training_options.hpp"
#include "search/trial_table.hpp"

namespace example {

struct run_search_options {
  space_options space;
  short_training_options training;
  std::string algorithm = "evolution", reward = "step_and_parameters", journal;
  int trials = 40, round = 0, population = 0;
  std::uint64_t seed = 0;
  double target = 0, most_parameters = 0, most_step = 0;
  bool resume = false, trains_all = false, json = false, cpp = false, quiet = false;
};

inline void add_run_search(CLI::App& app, run_search_options& chosen) {
  add_space_options(app, chosen.space);
  add_training_options(app, chosen.training);
  app.add_option("--journal", chosen.journal, "File that every trial goes to, a line each")
      ->required()
      ->type_name("FILE");
  app.add_flag("--resume", chosen.resume,
               "Go on with the search in the journal; all but --trials and --workers is as it was");
  add_choice(app, "--algorithm", chosen.algorithm, {"random", "evolution", "rl"},
             "How candidates are chosen (default evolution)");
  app.add_option("--trials", chosen.trials,
                 "Candidates, all in all (default 40; with --resume, as before)")
      ->check(between(1, 1'000'000))
      ->type_name("N");
  app.add_option("--seed", chosen.seed, "Of proposals and trainings (default 0)")->type_name("N");
  app.add_option("--round", chosen.round,
                 "Candidates between two times of learning (default 4, with rl 20)")
      ->check(between(1, 10'000))
      ->type_name("N");
  app.add_option("--population", chosen.population,
                 "Of evolution (default: a quarter of the trials, at most 50)")
      ->check(between(1, 100'000))
      ->type_name("N");
  add_choice(app, "--reward", chosen.reward,
             {effnet::reward_rule_names.begin(), effnet::reward_rule_names.end()},
             "A S^w P^v (default), A (FLOPs/T)^w, or A (latency/T)^w, soft or hard");
  app.add_option("--target", chosen.target,
                 "T: multiply-adds, or milliseconds (default: what the skeleton has)")
      ->check(CLI::PositiveNumber.description(""))
      ->type_name("T");
  app.add_option("--most-parameters", chosen.most_parameters,
                 "Networks of more are not trained, and get no reward")
      ->check(CLI::PositiveNumber.description(""))
      ->type_name("N");
  app.add_option("--most-step", chosen.most_step,
                 "Networks whose training step takes more milliseconds are not trained either")
      ->check(CLI::PositiveNumber.description(""))
      ->type_name("MS");
  app.add_flag("--no-early-stopping", chosen.trains_all,
               "Train all to the end; otherwise what falls behind half of the others is given up");
  app.add_flag("--json", chosen.json, "Print JSON instead of a table");
  app.add_flag("--cpp", chosen.cpp, "Print the best network's table as C++");
  app.add_flag("--quiet", chosen.quiet, "No progress on stderr");
}

namespace detail {

inline search_settings settings_of(const run_search_options& chosen,
                                   const std::vector<std::string>& classes) {
  search_settings s{.space = chosen.space.name,
                    .skeleton = chosen.space.skeleton(),
                    .algorithm = chosen.algorithm,
                    .seed = chosen.seed,
                    .trials = static_cast<std::size_t>(chosen.trials),
                    .reward = {},
                    .most_parameters = chosen.most_parameters,
                    .most_step_seconds = chosen.most_step / 1e3,
                    .stops_early = !chosen.trains_all,
                    .training = chosen.training.how()};
  s.skeleton.train_size = s.skeleton.eval_size = chosen.training.size;
  s.skeleton.classes = static_cast<int>(classes.size());
  s.round = static_cast<std::size_t>(chosen.round > 0           ? chosen.round
                                     : chosen.algorithm == "rl" ? 20
                                                                : 4);
  s.population = static_cast<std::size_t>(
      chosen.population > 0 ? chosen.population : std::clamp(chosen.trials / 4, 2, 50));
  s.sample = std::clamp<std::size_t>(2 * s.population / 5, 2, 10);
  s.reward.rule = reward_rule_of(chosen.reward);
  s.reward.target = needs_latency(s.reward.rule) ? chosen.target / 1e3 : chosen.target;
  return s;
}

/// The journal to write, its header as the options say or as it was.
inline journal journal_of(const run_search_options& chosen) {
  if (chosen.resume) return journal::opened(chosen.journal);
  journal::require_new(chosen.journal);
  if (chosen.training.data.empty())
    throw usage_error("--data is required, such as --data shapes for a first try");
  const held_out_data data = open_held_out(chosen.training.data);
  const search_settings settings = settings_of(chosen, data.train.classes());
  check_budget(space_of(settings.space, settings.skeleton), settings.most_parameters, 1,
               " parameters", [](const effnet::network_spec& spec) {
                 return static_cast<double>(effnet::count_parameters(spec));
               });
  nlohmann::ordered_json header = json_of(settings);
  add_facts(header, data.train.count());
  return journal::created(chosen.journal, std::move(header));
}

inline void print_trials(const search_record& record) {
  std::vector<std::pair<std::size_t, const recorded_trial*>> order;
  double seconds = 0;
  for (const auto& [number, trial] : record.trials) {
    if (trial.is_trained()) order.emplace_back(number, &trial);
    seconds += trial.seconds;
  }
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return a.second->reward > b.second->reward;
  });
  trial_table table(record.space);
  for (std::size_t i = 0; i < std::min<std::size_t>(10, order.size()); ++i)
    table.add(order[i].first, *order[i].second);
  std::printf("%zu trials, %zu networks trained in %s of training; reward %s\n\n%s",
              record.trials.size(), order.size(), clock_text(seconds).c_str(),
              std::string(effnet::name_of(record.settings.reward.rule)).c_str(),
              table.table().text().c_str());
}

inline nlohmann::ordered_json result_json(const search_record& record) {
  nlohmann::ordered_json all = {{"trials", record.trials.size()}};
  const std::optional<recorded_trial> best = record.best();
  if (!best) return all;
  all["best"] = {{"reward", best->reward},
                 {"accuracy", best->measures.accuracy},
                 {"step_seconds", best->measures.step_seconds},
                 {"parameters", best->measures.parameters},
                 {"flops", best->measures.flops},
                 {"candidate", best->of},
                 {"network", nlohmann::ordered_json::parse(
                                 effnet::spec_to_json(record.space.decode(best->of)))}};
  return all;
}

}  // namespace detail

inline exit_status run_search(const program& program, const CLI::App& app,
                              const run_search_options& chosen) {
  if (chosen.json && chosen.cpp) throw usage_error("--json and --cpp exclude each other");
  if (chosen.resume)
    refuse_others(app,
                  {"--journal", "--resume", "--trials", "--workers", "--json", "--cpp", "--quiet"},
                  "a search that goes on keeps the settings in its journal");
  journal to = detail::journal_of(chosen);
  const interruption asked;
  architecture_search search(to);
  const search_settings& settings = search.record().settings;
  const std::size_t trials =
      app.count("--trials") > 0 ? static_cast<std::size_t>(chosen.trials) : settings.trials;
  if (chosen.resume) {
    check_facts(program, to.text().header(), settings.training.data);
    if (!chosen.quiet)
      program.report(effnet::sentence("going on after ", search.record().trials.size(), " trials"));
  }
  try {
    search.time_blocks(!chosen.quiet, asked);
    try {
      search.check_step_budget();
    } catch (const effnet::error&) {
      if (!chosen.resume) to.remove();  // nothing came of it
      throw;
    }
    search.run(trials, static_cast<std::size_t>(chosen.training.workers), !chosen.quiet, asked);
  } catch (const interrupted&) {
    program.report(effnet::sentence("interrupted after ", search.record().trials.size(), " of ",
                                    trials, " trials; to go on: search run --resume --journal ",
                                    effnet::path_in_quotes(chosen.journal), " --trials ", trials));
    return failed;
  }
  const search_record& record = search.record();
  if (chosen.json)
    std::printf("%s\n", detail::result_json(record).dump(2).c_str());
  else if (!chosen.cpp)
    detail::print_trials(record);
  else if (const auto best = record.best())
    std::printf("#include <effnet/v2.hpp>\n\n%s",
                effnet::code_of(record.space.decode(best->of)).c_str());
  else
    throw effnet::error("no network was within the budgets, so that there is none to print");
  return succeeded;
}

}  // namespace example
