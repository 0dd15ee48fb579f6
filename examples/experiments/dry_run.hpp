#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <effnet/cpu_training.hpp>
#include <effnet/train/training_run.hpp>

#include "experiments/experiment_set.hpp"
#include "experiments/fitting_batch.hpp"
#include "roofline.hpp"
#include "training/batch_choice.hpp"
#include "training/run_choices.hpp"
#include "training/training_tables.hpp"

namespace example {

/// A training as `train` would plan it.
class planned_training {
 public:
  planned_training(const training& of, std::int64_t pictures, double gigabytes)
      : of_(of), run_(settings(pictures, gigabytes), pictures) {}

  std::string text() const {
    return effnet::sentence(std::string_view(of_.network.name), ", ", of_.epochs, " epochs, ",
                            run_.total_steps(), " steps\n\n", schedule_table(run_).text(), "\n",
                            memory_table(memory_).text(), "\n");
  }
  /// On one H100 in bf16, at the least: a step as three forward passes at the roofline.
  double seconds() const {
    const accelerator& on = accelerators[1];
    double sum = 0;
    for (const auto& row : run_.rows()) {
      if (row.last < row.first) continue;
      const effnet::shape4 images{static_cast<int>(row.batch), row.stage.size, row.stage.size, 3};
      const double pass = roofline_of(of_.network, images, on).total_seconds(number_kind::bf16);
      sum += 3 * pass * static_cast<double>(row.last - row.first + 1);
    }
    return sum;
  }

 private:
  effnet::run_settings settings(std::int64_t pictures, double gigabytes) {
    run_options given;
    CLI::App app;
    add_run_options(app, given);
    std::vector<std::string> options = of_.options;
    options.insert(options.end(),
                   {"--size", std::to_string(of_.size), "--epochs", std::to_string(of_.epochs)});
    std::ranges::reverse(options);  // as CLI11 takes them
    app.parse(options);
    given.memory = gigabytes;
    run_recipe recipe;
    recipe.settings = chosen_settings(given, nullptr, "", of_.network);
    memory_planner planner(zero_weights(of_.network), recipe, effnet::cpu_training_backend(0));
    if (!given_batch(given))
      choose_batch(recipe.settings, given, pictures, static_cast<std::size_t>(gigabytes * 1e9),
                   planner);
    recipe.settings.batch = std::min(recipe.settings.batch, pictures);
    memory_ = planned(effnet::training_run(recipe.settings, pictures), planner);
    return recipe.settings;
  }

  const training& of_;
  std::vector<planned_memory> memory_;
  effnet::training_run run_;
};

/// Prints what a run would do: sizes beside the published ones, and of every kind of training its
/// schedule, its memory and its time. Needs no data: without them there are as many pictures as in
/// ImageNet, or in a small set.
inline void plan_experiments(const std::vector<experiment>& some, const scale& at,
                             std::size_t pictures, double gigabytes) {
  if (pictures == 0) pictures = pictures_of(at);
  double all = 0;
  for (const experiment& one : some) {
    std::printf("== %s: %s (%s)\n\n%s\n", one.name.c_str(), one.title.c_str(), one.source.c_str(),
                one.report({}).tables_text().c_str());
    double sum = 0;
    for (std::size_t i = 0; i < one.trials.size(); ++i) {
      const auto* run = std::get_if<training>(&one.trials[i].what);
      if (run == nullptr) continue;
      const planned_training plan(*run, static_cast<std::int64_t>(pictures), gigabytes);
      sum += plan.seconds();
      const bool is_first_seed = i == 0 || one.trials[i - 1].name != one.trials[i].name;
      if (is_first_seed) std::printf("-- %s: %s", one.trials[i].name.c_str(), plan.text().c_str());
    }
    if (sum > 0)
      std::printf("%s: at least %s hours on one %s, all seeds\n\n", one.name.c_str(),
                  fixed(sum / 3600, 1).c_str(), std::string(accelerators[1].text).c_str());
    all += sum;
  }
  std::printf(
      "all: at least %s hours on one %s in bf16, counting a step as three forward passes at the "
      "data sheet's rates; memory: batches that fit in %.4g GB, as planned by the processor's "
      "kernels\n",
      fixed(all / 3600, 1).c_str(), std::string(accelerators[1].text).c_str(), gigabytes);
}

}  // namespace example
