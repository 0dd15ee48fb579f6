#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <effnet/cpu_training.hpp>
#include <effnet/search.hpp>

#include "program.hpp"
#include "progress_bar.hpp"
#include "search/journal.hpp"
#include "search/search_record.hpp"
#include "search/search_report.hpp"
#include "search/training_options.hpp"
#include "search/worker_processes.hpp"

namespace example {

struct compare_options {
  std::string journal;
  int epochs = 20, seeds = 3, workers = short_training_options{}.workers;
  bool quiet = false;
};

inline void add_compare(CLI::App& app, compare_options& chosen) {
  app.add_option("--journal", chosen.journal, "Of the search")->required()->type_name("FILE");
  app.add_option("--epochs", chosen.epochs, "That each network is trained for (default 20)")
      ->check(between(1, 10'000))
      ->type_name("N");
  app.add_option("--seeds", chosen.seeds, "Trainings of each (default 3)")
      ->check(between(1, 1000))
      ->type_name("N");
  app.add_option("--workers", chosen.workers, "Processes that train (default: one a core)")
      ->check(between(1, 1024))
      ->type_name("N");
  app.add_flag("--quiet", chosen.quiet, "No progress on stderr");
}

namespace detail {

/// The best network of a search, its skeleton, and the best with one operator throughout, as wide
/// as it takes to have as many parameters.
inline std::vector<recorded_rival> rivals_of(const search_record& record) {
  const std::optional<recorded_trial> best = record.best();
  if (!best) throw effnet::error("no network of the search has been trained yet; let it run first");
  effnet::network_spec found = record.space.decode(best->of);
  found.name = "found";
  const std::int64_t parameters = effnet::count_parameters(found);
  const auto of_one_op = [&](effnet::block_op op, const char* name) {
    effnet::network_spec spec = effnet::of_parameters(effnet::with_op(found, op), parameters);
    spec.name = name;
    return spec;
  };
  effnet::network_spec skeleton = record.settings.skeleton;
  skeleton.name = "skeleton";
  std::vector<recorded_rival> rivals;
  const auto add = [&](const char* name, const effnet::network_spec& spec) {
    rivals.push_back({.name = name, .spec = spec});
  };
  add("found", found), add("skeleton", skeleton);
  add("all MBConv", of_one_op(effnet::block_op::mbconv, "all_mbconv"));
  add("all Fused-MBConv", of_one_op(effnet::block_op::fused_mbconv, "all_fused_mbconv"));
  return rivals;
}

}  // namespace detail

/// Trains the best network of a search for longer, beside others. What is done goes to the journal
/// of the search, and is not done again.
inline exit_status compare_found(const program& program, const compare_options& chosen) {
  journal to = journal::opened(chosen.journal);
  const search_record record = search_record_of(to.text());
  const interruption asked;
  std::vector<recorded_rival> rivals = detail::rivals_of(record);
  short_training how = record.settings.training;
  how.epochs = chosen.epochs;
  std::deque<training_task> tasks;
  const auto seeds = static_cast<std::size_t>(chosen.seeds);
  for (std::size_t seed = 0; seed < seeds; ++seed)
    for (std::size_t r = 0; r < rivals.size(); ++r) {
      const bool done =
          std::any_of(record.rivals.begin(), record.rivals.end(), [&](const recorded_rival& other) {
            return other.spec == rivals[r].spec && other.seed == seed &&
                   other.curve.size() == static_cast<std::size_t>(chosen.epochs);
          });
      if (!done)
        tasks.push_back(
            {.number = seed * rivals.size() + r, .spec = rivals[r].spec, .seed = seed, .bars = {}});
    }
  if (!tasks.empty()) {
    const effnet::timing steps{.batch = record.settings.step_batch, .seconds = 1};
    for (recorded_rival& rival : rivals)
      rival.step_seconds =
          effnet::measured_step(rival.spec, rival.spec.eval_size, rival.spec.eval_size,
                                effnet::cpu_training_backend(how.threads), steps);
  }
  progress_bar progress("trainings", std::max<std::size_t>(1, tasks.size()),
                        !chosen.quiet && !tasks.empty());
  worker_pool pool(static_cast<std::size_t>(chosen.workers), how);
  try {
    pool.run(std::move(tasks), asked, [&](const training_outcome& made) {
      recorded_rival rival = rivals[made.number % rivals.size()];
      rival.seed = made.number / rivals.size();
      rival.curve = made.curve;
      rival.curve.resize(static_cast<std::size_t>(chosen.epochs));  // where it diverged
      rival.accuracy = made.accuracy();
      to.add(json_of(rival));
      progress.advance();
    });
  } catch (const interrupted&) {
    program.report("interrupted; the same command goes on");
    return failed;
  }
  progress.clear();
  std::printf("%s", rival_table(search_record_of(to.text())).text().c_str());
  return succeeded;
}

}  // namespace example
