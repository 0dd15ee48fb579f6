#pragma once

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include <effnet/data/open_data_set.hpp>

#include "backend_options.hpp"
#include "experiments/dry_run.hpp"
#include "experiments/experiment_set.hpp"
#include "experiments/set_lock.hpp"
#include "experiments/trial_runner.hpp"
#include "program.hpp"

namespace example {

struct run_set_options {
  set_options set;
  std::vector<std::string> names;
  std::optional<double> budget;
  int seeds = 1;
  int workers = 0;
  double memory = 80;
  bool dry_run = false, quiet = false;
};

inline void add_run_set(CLI::App& app, run_set_options& chosen) {
  app.add_option("NAME", chosen.names, "Experiments (default: all)")->type_name("");
  add_set_options(app, chosen.set);
  app.add_option("--seeds", chosen.seeds,
                 "Trainings of each kind, if that is more than there are (3 of some, 1 of others)")
      ->check(between(1, 1000))
      ->type_name("N");
  app.add_option("--budget", chosen.budget,
                 "Minutes after which it stops, to go on with the same command")
      ->check(CLI::Range(0.01, 1e6).description(""))
      ->type_name("MINUTES");
  app.add_option(
         "--workers", chosen.workers,
         "Trainings at once, but for those whose time counts (default: one a core, on a GPU one)")
      ->check(between(1, 1024))
      ->type_name("N");
  app.add_flag("--dry-run", chosen.dry_run,
               "Print networks, schedules, memory plans and estimated times, and stop");
  app.add_option("--memory", chosen.memory,
                 "Of --dry-run: what batches have to fit in (default 80)")
      ->check(CLI::Range(0.1, 1e6).description(""))
      ->type_name("GB");
  app.add_flag("--quiet", chosen.quiet, "No progress on stderr");
}

/// Runs what has not been run yet, and prints what the experiments say then.
inline exit_status run_experiments(const program& program, const run_set_options& chosen) {
  // A plan is of no set that is there.
  const set_options set = chosen.dry_run ? with_defaults(chosen.set) : whole_options(chosen.set);
  std::vector<experiment> some = experiments_named(chosen.names, set, chosen.seeds);
  if (chosen.dry_run) {
    const std::size_t count = set.data.empty() ? 0 : effnet::open_data_set(set.data).count();
    plan_experiments(some, scale_of(set), count, chosen.memory);
    return succeeded;
  }
#if !EXAMPLE_WITH_CUDA
  if (set.backend == "cuda") throw effnet::backend_error(built_without_cuda);
#endif
  if (set.other_data.empty() && std::erase_if(some, needs_other_set) > 0) {
    const char* const missing = "pretrain_finetune needs a second set: --other-data";
    if (!chosen.names.empty()) throw usage_error(missing);
    program.report(effnet::sentence("left out: ", missing));
  }
  const bool trains = std::ranges::any_of(some, [](const experiment& one) {
    return std::ranges::any_of(one.trials, &trial::is_training);
  });
  std::size_t pictures = 0;
  if (trains) {
    if (set.data.empty())
      throw usage_error("--data is required, such as --data shapes:2000x64 for a first try");
    pictures = effnet::open_data_set(set.data).count();
    for (const std::string* other : {&set.val, &set.other_data, &set.other_val})
      if (!other->empty()) effnet::open_data_set(*other);  // which says what is wrong with it
  }
  const int cores = effnet::cpu_backend(0).threads();
  const int unasked = set.backend == "cuda" ? 1 : cores;  // a GPU is not shared
  ::signal(SIGCHLD, SIG_DFL);  // else the ends of trainings could not be waited for
  const set_lock lock(set.out);
  trial_runner runner(set,
                      {.workers = chosen.workers > 0 ? chosen.workers : unasked,
                       .seconds = chosen.budget ? std::optional(60 * *chosen.budget) : std::nullopt,
                       .pictures = pictures,
                       .quiet = chosen.quiet});
  for (const experiment& one : some) runner.add(one);
  remember(set);
  const interruption asked;
  const trial_runner::end end = runner.run(asked);
  for (const experiment& one : some)
    std::printf("%s (%s)\n\n%s\n", one.title.c_str(), one.source.c_str(),
                state_of(one, set).says.text().c_str());
  for (const std::string& failure : runner.failures()) program.report(failure);
  const exit_status of_trials = runner.failures().empty() ? succeeded : failed;
  if (end == trial_runner::end::finished) return of_trials;
  program.report(
      effnet::sentence(end == trial_runner::end::interrupted ? "interrupted" : "the time is over",
                       "; the same command goes on"));
  return end == trial_runner::end::interrupted ? failed : of_trials;
}

}  // namespace example
