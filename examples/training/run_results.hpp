#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <effnet/io/spec_table.hpp>
#include <effnet/io/write_weights.hpp>

#include "network_runner.hpp"
#include "picture_sheet.hpp"
#include "prediction.hpp"
#include "training/prepared_run.hpp"
#include "training/set_judgement.hpp"
#include "training/stage_pictures.hpp"
#include "training/training_report.hpp"

namespace example {

/// A file in the run's folder.
inline std::string in(const std::filesystem::path& folder, const char* name) {
  return (folder / name).string();
}

/// What the program prints in the end.
struct run_result {
  double top1 = 0, top5 = 0, loss = 0, best_top1 = 0, seconds = 0;
};

inline void print_result(const prepared_run& made, const std::filesystem::path& folder, bool json,
                         const run_result& result) {
  if (json) {
    const nlohmann::ordered_json object = {{"steps", made.run.total_steps()},
                                           {"epochs", made.run.epoch_at(made.run.total_steps())},
                                           {"top1", result.top1},
                                           {"top5", result.top5},
                                           {"val_loss", result.loss},
                                           {"best_top1", result.best_top1},
                                           {"seconds", result.seconds},
                                           {"weights", in(folder, "weights.safetensors")},
                                           {"sheet", in(folder, "sheet.png")},
                                           {"report", in(folder, "report.html")}};
    std::printf("%s\n",
                object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
    return;
  }
  std::printf("top-1     %.2f %%  (best %.2f %%)\ntop-5     %.2f %%\ntime      %s\n", result.top1,
              result.best_top1, result.top5, clock_text(result.seconds).c_str());
  std::printf("weights   %s\npictures  %s\nreport    %s\n",
              in(folder, "weights.safetensors").c_str(), in(folder, "sheet.png").c_str(),
              in(folder, "report.html").c_str());
}

/// The result of a run that was finished before.
inline run_result result_of(const logged_rows& rows) {
  run_result result{.seconds = rows.seconds()};
  for (const logged_evaluation& row : rows.evaluations) {
    result.top1 = row.top1, result.top5 = row.top5, result.loss = row.loss;
    result.best_top1 = std::max(result.best_top1, row.top1);
  }
  return result;
}

inline void write_result(const std::filesystem::path& folder, const effnet::weights& result) {
  const bool is_resnet = effnet::detail::is_resnet(result.spec);
  effnet::write_weights(in(folder, "weights.safetensors"), result,
                        is_resnet ? effnet::naming::torchvision : effnet::naming::timm,
                        {{"effnet.table.json", effnet::spec_to_json(result.spec)}});
}

template <class Session>
void write_report(const prepared_run& made, const std::filesystem::path& folder,
                  const Session& session, const effnet::loader_options& loading,
                  const std::string& place) {
  training_report report{
      .title = effnet::sentence(std::string_view(made.start.spec.name), " on ", made.recipe.data),
      .how = effnet::sentence("Preset ", made.recipe.settings.preset, "; ", made.data.train.count(),
                              " pictures to train on, ", made.data.val.count(),
                              " to validate on at ", made.start.rule.input.size, " x ",
                              made.start.rule.input.size, " pixels; ", place, "."),
      .schedule = made.run.schedule(),
      .schedule_table = schedule_table(made.run),
      .memory_table = memory_table(made.memory),
      .settings = {},
      .batches = stage_pictures(made.run, made.data.train, loading),
      .warnings = made.data.remarks};
  for (const auto& [name, value] : named_values_of(made.recipe))
    report.settings.emplace_back(name, effnet::text_of(value));
  if (session.broken() > 0)
    report.warnings.push_back(effnet::sentence(session.broken(), " pictures could not be read"));
  for (const std::string& warning : session.broken_warnings()) report.warnings.push_back(warning);
  if (const set_judgement& judged = session.judgement(); judged.unreadable > 0)
    report.warnings.push_back(
        effnet::sentence(judged.unreadable, " of ", made.data.val.count(),
                         " pictures to validate on could not be read: ", judged.first_problem));
  const accuracy& results = session.judgement().results;
  std::vector<shown_mistake> mistakes;
  for (const verdict& v : results.worst())
    mistakes.push_back(
        {made.data.val.name(v.image), thumbnail(made.data.val.image(v.image), 224), v});
  class_list classes{made.data.train.classes(), {}, "the data"};
  report.page(session.rows(), results, classes, mistakes).write(in(folder, "report.html"));
}

/// Some pictures of the validation set with what the network sees in them.
template <effnet::backend B>
void write_sheet(const prepared_run& made, const std::filesystem::path& folder,
                 const effnet::weights& result, const B& on) {
  constexpr std::size_t most = 40;
  const effnet::any_data_set& set = made.data.val;
  const effnet::dynamic_network<B> network(result, on);
  network_runner<B> runner(network);
  const effnet::input_rule rule = runner.input_rule();
  const bool held_out = made.recipe.val.empty();
  picture_sheet sheet(
      effnet::sentence(std::string_view(result.spec.name), " on ", held_out ? "a tenth of " : "",
                       held_out ? made.recipe.data : made.recipe.val, ", none of it trained on"));
  const std::size_t count = std::min(most, set.count());
  for (std::size_t i = 0; i < count; ++i) try {
      const std::size_t at = i * set.count() / count;
      const effnet::image picture = set.image(at);
      runner.run(prepared(picture, rule).data(), {1, rule.size, rule.size, 3});
      std::vector<picture_sheet::guess> guesses;
      for (const auto& [index, probability] : best_of(runner.logits(), 3))
        guesses.push_back({set.classes()[static_cast<std::size_t>(index)], probability});
      const std::string& truth = set.classes()[static_cast<std::size_t>(set.label(at))];
      sheet.add(truth + ": " + std::filesystem::path(set.name(at)).filename().string(),
                thumbnail(picture, picture_sheet::picture_side), std::move(guesses));
    } catch (const effnet::error&) {
      continue;  // of a picture that cannot be read the evaluation has told
    }
  sheet.write(in(folder, "sheet.png"));
}

}  // namespace example
