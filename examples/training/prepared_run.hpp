#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <effnet/arch/count.hpp>
#include <effnet/train/resume.hpp>

#include "backend_options.hpp"
#include "training/batch_choice.hpp"
#include "training/run_choices.hpp"
#include "training/start_weights.hpp"
#include "training/training_data.hpp"

namespace example {

/// What a run is about, once everything has been chosen and opened.
struct prepared_run {
  run_recipe recipe;
  training_data data;
  effnet::weights start;
  effnet::training_run run;
  std::vector<planned_memory> memory;
};

namespace detail {

/// The recipe that the user's options stand on: of the run to go on with, or of --recipe.
inline std::optional<run_recipe> recipe_before(const run_options& given) {
  const std::string of_run =
      given.resume ? (std::filesystem::path(given.out) / "recipe.json").string() : std::string();
  if (!of_run.empty() && std::filesystem::exists(of_run)) {
    if (!given.recipe.empty())
      throw usage_error(effnet::sentence("--recipe does not go with --resume: the run in ",
                                         effnet::path_in_quotes(given.out), " has its own recipe"));
    return read_recipe(of_run);
  }
  if (!given.recipe.empty()) return read_recipe(given.recipe);
  return std::nullopt;
}

/// Names and files; the settings follow when the network is known.
inline run_recipe named_things(const run_options& given, const std::optional<run_recipe>& base) {
  run_recipe recipe = base.value_or(run_recipe{});
  for (const auto& [to, from] :
       {std::pair(&recipe.model, &given.model), std::pair(&recipe.data, &given.data),
        std::pair(&recipe.val, &given.val), std::pair(&recipe.init, &given.init),
        std::pair(&recipe.convention, &given.convention),
        std::pair(&recipe.classes, &given.classes)})
    if (!from->empty()) *to = *from;
  recipe.deterministic = given.deterministic.value_or(recipe.deterministic);
  recipe.cpu.winograd = given.winograd.value_or(recipe.cpu.winograd);
  recipe.cpu.bf16 = given.bf16.value_or(recipe.cpu.bf16);
  recipe.tf32 = given.tf32.value_or(recipe.tf32);
  check_rounding(given.backend, recipe.tf32, recipe.cpu.bf16);
  if (recipe.model.empty())
    throw usage_error("--model is required, such as --model efficientnetv2_b0");
  if (recipe.data.empty())
    throw usage_error("--data is required, such as --data shapes for a first try");
  return recipe;
}

}  // namespace detail

/// Opens and chooses everything, for a run on `place`. On resuming, what the run had is what
/// counts.
template <class Place>
prepared_run prepare(const program& program, const run_options& given, const Place& place) {
  const std::optional<run_recipe> base = detail::recipe_before(given);
  run_recipe recipe = detail::named_things(given, base);
  const effnet::weights from = untrained_or_loaded(recipe);
  training_data data = open_training_data(recipe, from.labels);
  if (!given.quiet)
    for (const std::string& remark : data.remarks) program.report("warning: " + remark);

  effnet::run_settings& settings = recipe.settings;
  settings = chosen_settings(given, base ? &*base : nullptr, recipe.init, from.spec);
  if (!given.class_weights.empty())
    settings.class_weights = class_weights(given.class_weights, data.train);
  const auto images = static_cast<std::int64_t>(data.train.count());
  effnet::weights start = start_weights(from, data.train.classes(), settings);
  memory_planner planner(start, recipe, place.training(recipe));
  const bool is_open = !given_batch(given);
  const bool has_batch = base && (given.resume || given.batch.empty());
  if (is_open && has_batch && settings.stages.size() == base->settings.stages.size()) {
    settings.batch = base->settings.batch;
    for (std::size_t i = 0; i < settings.stages.size(); ++i) {
      settings.stages[i].batch_factor = base->settings.stages[i].batch_factor;
      settings.stages[i].learning_rate_factor = base->settings.stages[i].learning_rate_factor;
    }
  } else if (is_open) {
    const std::int64_t of_preset = settings.batch;
    choose_batch(settings, given, images, place.free_memory(), planner);
    if (given.batch.empty() && settings.batch < of_preset && !given.quiet)
      program.report(effnet::sentence("the preset's batch of ", of_preset, " is cut to ",
                                      settings.batch,
                                      ", which data and memory allow; the learning rate follows"));
  }
  if (settings.batch > images)
    throw effnet::setting_error(
        effnet::sentence("a batch of ", settings.batch, " is more than the ", images,
                         " pictures to train on; choose a smaller --batch"));
  if (given.resume && base) {
    const std::string difference = effnet::first_difference(
        effnet::texts_of(named_values_of(*base)), effnet::texts_of(named_values_of(recipe)));
    if (!difference.empty())
      throw effnet::setting_error(
          effnet::sentence("cannot go on with the run in ", effnet::path_in_quotes(given.out), ": ",
                           difference, "; leave the option out, or choose another --out"));
  }
  effnet::training_run run(settings, images);
  std::vector<planned_memory> memory = planned(run, planner);
  return {std::move(recipe), std::move(data), std::move(start), std::move(run), std::move(memory)};
}

inline std::string plan_text(const prepared_run& made, const std::string& place) {
  const effnet::network_spec& spec = made.start.spec;
  const effnet::run_settings& s = made.recipe.settings;
  return effnet::sentence(
      std::string_view(spec.name), ", ", grouped(effnet::count_parameters(spec)), " parameters, ",
      spec.classes, " classes; ", made.data.train.count(), " pictures to train on, ",
      made.data.val.count(), " to validate on at ", made.start.rule.input.size, " px; preset ",
      s.preset, ", ", effnet::progressive_mode_names[static_cast<std::size_t>(s.mode)], ", ",
      effnet::optimizer_names[static_cast<std::size_t>(s.optimizer.kind)], ", ",
      made.run.total_steps(), " steps on ", place, "\n\n", schedule_table(made.run).text(), "\n",
      memory_table(made.memory).text());
}

}  // namespace example
