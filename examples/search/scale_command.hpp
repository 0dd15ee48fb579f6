#pragma once

#include <cmath>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include <effnet/cpu_training.hpp>
#include <effnet/search.hpp>

#include "program.hpp"
#include "search/held_out_data.hpp"
#include "search/journal_facts.hpp"
#include "search/option_checks.hpp"
#include "search/scaled_family.hpp"
#include "search/scaling_report.hpp"
#include "search/scaling_search.hpp"
#include "search/space_options.hpp"
#include "search/training_options.hpp"

namespace example {

struct scale_options {
  skeleton_options base{.model = "efficientnet_b0"};
  effnet::nonuniform_scaling by{.constants = {}, .most_size = 1 << 20, .late_depth = 1};
  int most_phi = 7;
  std::vector<double> most_parameters;
  double most_step = 0;
  short_training_options training;
  std::string journal;
  double grid_step = 0.2;
  int seeds = 1, trained_phi = 2;
  bool resume = false, json = false, cpp = false, quiet = false;
};

inline void add_scale(CLI::App& app, scale_options& chosen) {
  add_skeleton_options(app, chosen.base,
                       "What is scaled: name of a network or FILE.json (default: efficientnet_b0)");
  app.add_option("--alpha", chosen.by.constants.alpha, "Depth grows by this (default 1.2)")
      ->type_name("A");
  app.add_option("--beta", chosen.by.constants.beta, "Width grows by this (default 1.1)")
      ->type_name("B");
  app.add_option("--gamma", chosen.by.constants.gamma, "Image size grows by this (default 1.15)")
      ->type_name("G");
  app.add_option("--most-size", chosen.by.most_size,
                 "Image sides end here; EfficientNetV2's at 480 (default: they grow on)")
      ->check(between(32, 1 << 20))
      ->type_name("N");
  app.add_option("--late-depth", chosen.by.late_depth,
                 "The last two stages grow deeper by this besides, as EfficientNetV2's (default 1)")
      ->check(CLI::Range(1.0, 4.0).description(""))
      ->type_name("D");
  app.add_option("--phi", chosen.most_phi, "The largest exponent (default 7)")
      ->check(between(1, 12))
      ->type_name("N");
  app.add_option("--most-parameters", chosen.most_parameters,
                 "Instead of whole exponents the largest network within each of these budgets")
      ->check(CLI::PositiveNumber.description(""))
      ->type_name("N...");
  app.add_option("--most-step", chosen.most_step,
                 "And within this many milliseconds for a training step of 4 images")
      ->check(CLI::PositiveNumber.description(""))
      ->type_name("MS");
  app.add_flag("--json", chosen.json, "Print JSON instead of a table");
  app.add_flag("--cpp", chosen.cpp, "Print the networks' tables as C++");
  app.add_flag("--quiet", chosen.quiet, "No progress on stderr");
  const std::string group = "Search for alpha, beta and gamma, by trainings at phi 1";
  app.add_option("--journal", chosen.journal, "File that every training goes to: searches")
      ->type_name("FILE")
      ->group(group);
  app.add_flag("--resume", chosen.resume,
               "Go on with the search in the journal; all but --workers is as it was")
      ->group(group);
  app.add_option("--grid-step", chosen.grid_step,
                 "Steps of alpha, twice those of beta; gamma follows (default 0.2)")
      ->check(CLI::Range(0.01, 1.0).description(""))
      ->type_name("S")
      ->group(group);
  app.add_option("--seeds", chosen.seeds, "Trainings of each network (default 1)")
      ->check(between(1, 1000))
      ->type_name("N")
      ->group(group);
  app.add_option("--trained-phi", chosen.trained_phi,
                 "Each dimension alone is trained up to this, beside what was found (default 2)")
      ->check(between(1, 5))
      ->type_name("N")
      ->group(group);
  add_training_options(app, chosen.training, group);
}

namespace detail {

inline journal scaling_journal_of(const scale_options& chosen) {
  if (chosen.resume) return journal::opened(chosen.journal);
  journal::require_new(chosen.journal);
  if (chosen.training.data.empty())
    throw usage_error("--journal searches, and needs --data, such as --data shapes");
  const held_out_data data = open_held_out(chosen.training.data);
  scaling_record record{.base = chosen.base.skeleton(),
                        .step = chosen.grid_step,
                        .seeds = chosen.seeds,
                        .trained_phi = chosen.trained_phi,
                        .how = chosen.training.how()};
  record.base.train_size = record.base.eval_size = chosen.training.size;
  record.base.classes = static_cast<int>(data.train.classes().size());
  nlohmann::ordered_json header = json_of(record);
  add_facts(header, data.train.count());
  return journal::created(chosen.journal, std::move(header));
}

/// The largest network for each parameter budget.
inline std::vector<std::pair<effnet::network_spec, double>> within_budgets(
    const scale_options& chosen, const effnet::network_spec& base) {
  const effnet::cpu_training_backend on;
  std::vector<std::pair<effnet::network_spec, double>> found;
  for (const double most : chosen.most_parameters) {
    const auto fits = [&](const effnet::network_spec& spec) {
      if (static_cast<double>(effnet::count_parameters(spec)) > most) return false;
      return chosen.most_step == 0 ||
             1e3 * effnet::measured_step(spec, spec.train_size, spec.train_size, on,
                                         {.batch = 4, .seconds = 0, .least_runs = 2}) <=
                 chosen.most_step;
    };
    if (!fits(base))
      throw effnet::error(effnet::sentence(
          "the network that is scaled is not within a budget of ", most, " parameters",
          chosen.most_step == 0 ? "" : effnet::sentence(" and ", chosen.most_step, " ms a step"),
          ": it has ", effnet::count_parameters(base), " parameters; allow more"));
    found.push_back(effnet::largest_that_fits(base, chosen.by, fits));
    found.back().first.name = effnet::spec_name(
        effnet::sentence(std::string_view(base.name), "_within_", std::llround(most / 1e3), "k"));
  }
  return found;
}

inline exit_status search_constants(const program& program, const CLI::App& app,
                                    const scale_options& chosen) {
  refuse(app,
         {"--alpha", "--beta", "--gamma", "--most-size", "--late-depth", "--most-parameters",
          "--most-step"},
         "a search finds the constants, and scales uniformly");
  if (chosen.resume)
    refuse_others(app,
                  {"--journal", "--resume", "--workers", "--phi", "--json", "--cpp", "--quiet"},
                  "a search that goes on keeps the settings in its journal");
  journal to = scaling_journal_of(chosen);
  const interruption asked;
  scaling_search search(to);
  if (chosen.resume) check_facts(program, to.text().header(), search.record().how.data);
  try {
    search.run(static_cast<std::size_t>(chosen.training.workers), !chosen.quiet, asked);
  } catch (const interrupted&) {
    program.report("interrupted; to go on: search scale --resume --journal " +
                   effnet::path_in_quotes(chosen.journal));
    return failed;
  }
  const scaled_family family = family_of(search.record(), chosen.most_phi);
  if (chosen.json)
    std::printf("%s\n", family.json().dump(2).c_str());
  else if (chosen.cpp)
    std::fputs(family.code().c_str(), stdout);
  else
    std::printf("%s\n", trained_table(search.record()).text().c_str()), family.print();
  return succeeded;
}

}  // namespace detail

inline exit_status scale(const program& program, const CLI::App& app, const scale_options& chosen) {
  if (chosen.json && chosen.cpp) throw usage_error("--json and --cpp exclude each other");
  if (chosen.journal.empty())
    refuse(app,
           {"--resume", "--grid-step", "--seeds", "--trained-phi", "--data", "--size", "--epochs",
            "--batch", "--rate", "--cache", "--workers", "--threads"},
           "a search for the constants needs --journal FILE");
  if (chosen.most_step > 0 && chosen.most_parameters.empty())
    throw usage_error("--most-step goes with --most-parameters");
  if (!chosen.journal.empty()) return detail::search_constants(program, app, chosen);
  const effnet::network_spec base = chosen.base.skeleton();
  scaled_family family(base, chosen.by, chosen.most_phi);
  if (!chosen.most_parameters.empty())
    family = scaled_family(base, chosen.by, detail::within_budgets(chosen, base));
  if (chosen.json)
    std::printf("%s\n", family.json().dump(2).c_str());
  else
    chosen.cpp ? void(std::fputs(family.code().c_str(), stdout)) : family.print();
  return succeeded;
}

}  // namespace example
