// Trains a network: from pictures to weights that classify and evaluate take, with progressive
// learning.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <effnet/arch/count.hpp>
#include <effnet/cpu/cpu_training_backend.hpp>
#include <effnet/io/spec_table.hpp>
#include <effnet/io/write_weights.hpp>
#include <effnet/train/largest_batch.hpp>
#include <effnet/train/trainer.hpp>

#include "memory_limit.hpp"
#include "network_runner.hpp"
#include "picture_sheet.hpp"
#include "prediction.hpp"
#include "run_choices.hpp"
#include "short_spins.hpp"
#include "stage_pictures.hpp"
#include "start_weights.hpp"
#include "training_report.hpp"
#include "training_session.hpp"
#include "training_tables.hpp"

namespace {

namespace fs = std::filesystem;
using effnet::sentence;
using network_type = effnet::training_network<effnet::cpu_training_backend>;

/// What a run is about, once everything has been chosen and opened.
struct prepared_run {
  example::run_recipe recipe;
  example::training_data data;
  effnet::weights start;
  effnet::training_run run;
  std::vector<example::planned_memory> memory;
};

std::string in(const fs::path& folder, const char* name) {
  return (folder / name).string();
}

void check(const example::run_options& given) {
  if (given.out.empty() && !given.dry_run)
    throw example::usage_error("--out is required: the folder for what comes out");
  example::given_batch(given);
  if (!given.out.empty() && !given.resume && !given.dry_run) {
    std::error_code gone;
    if (fs::exists(given.out, gone) &&
        !(fs::is_directory(given.out, gone) && fs::is_empty(given.out)))
      throw effnet::error(
          sentence(effnet::path_in_quotes(given.out),
                   fs::is_directory(given.out, gone) ? " is not empty" : " is a file",
                   ": choose another --out, or give --resume to go on with the run "
                   "in it"));
  }
}

/// The recipe that the user's options stand on: of the run to go on with, or of --recipe.
std::optional<example::run_recipe> recipe_before(const example::run_options& given) {
  const std::string of_run = given.resume ? in(given.out, "recipe.json") : std::string();
  if (!of_run.empty() && fs::exists(of_run)) return example::read_recipe(of_run);
  if (!given.recipe.empty()) return example::read_recipe(given.recipe);
  return std::nullopt;
}

/// Names and files; the settings follow when the network is known.
example::run_recipe named_things(const example::run_options& given,
                                 const std::optional<example::run_recipe>& base) {
  example::run_recipe recipe = base.value_or(example::run_recipe{});
  for (const auto& [to, from] :
       {std::pair(&recipe.model, &given.model), std::pair(&recipe.data, &given.data),
        std::pair(&recipe.val, &given.val), std::pair(&recipe.init, &given.init),
        std::pair(&recipe.convention, &given.convention),
        std::pair(&recipe.classes, &given.classes)})
    if (!from->empty()) *to = *from;
  recipe.deterministic = given.deterministic.value_or(recipe.deterministic);
  if (recipe.model.empty())
    throw example::usage_error("--model is required, such as --model efficientnetv2_b0");
  if (recipe.data.empty())
    throw example::usage_error("--data is required, such as --data shapes for a first try");
  return recipe;
}

/// Plans steps on a network's behalf.
class memory_planner {
 public:
  memory_planner(const effnet::weights& start, const example::run_recipe& recipe, int threads)
      : network_(start, effnet::cpu_training_backend(threads, recipe.deterministic),
                 recipe.settings.network),
        parts_(recipe.settings.accumulation) {
    std::size_t elements = 0;
    for (std::size_t i = 0; i < network_.tensors().size(); ++i)
      elements += network_.values(i).size();
    const auto slots = effnet::with_optimizer(recipe.settings.optimizer, [](const auto& rule) {
      return std::size_t{std::decay_t<decltype(rule)>::slot_count};
    });
    state_ = sizeof(float) * elements * (slots + (recipe.settings.averaged ? 1 : 0) + (parts_ > 1));
  }

  effnet::memory_plan plan(effnet::shape4 images) {
    images.n = (images.n + parts_ - 1) / parts_;
    return network_.plan(images);
  }
  /// Optimizer and averages.
  std::size_t state() const { return state_; }
  /// Batches that wait.
  static std::size_t loading(effnet::shape4 images) {
    return 4 * sizeof(float) * images.elements();
  }

 private:
  network_type network_;
  int parts_;
  std::size_t state_ = 0;
};

/// Whole eights, or the largest power of two below.
int round_batch(int batch) {
  if (batch >= 8) return batch / 8 * 8;
  int rounded = 1;
  while (rounded * 2 <= batch) rounded *= 2;
  return rounded;
}

/// Chooses the batch that the user left open.
void choose_batch(effnet::run_settings& settings, const example::run_options& given,
                  std::int64_t images, memory_planner& planner) {
  constexpr std::int64_t most_unasked = 256;
  const auto limit = static_cast<std::size_t>(
      given.memory ? *given.memory * 1e9 : static_cast<double>(example::available_memory()) / 2);
  // A sixteenth of the data leaves steps enough in an epoch.
  const std::int64_t of_data = std::max<std::int64_t>(8, images / 16);
  const bool fits = given.batch.starts_with("auto");
  const int most = static_cast<int>(std::min<std::int64_t>(
      images,
      fits || settings.batch > most_unasked ? std::min(most_unasked, of_data) : settings.batch));
  const auto largest = [&](int size) {
    return effnet::largest_batch(size, 3, limit, planner.state(), most, [&](effnet::shape4 shape) {
      effnet::memory_plan plan = planner.plan(shape);
      plan.scratch += memory_planner::loading(shape);
      return plan;
    });
  };
  int at_end = largest(settings.stages.back().size);
  if (fits || at_end < most) at_end = round_batch(at_end);
  settings.batch = at_end;
  if (given.batch != "auto-per-stage") return;
  for (effnet::training_stage& stage : settings.stages) {
    const int here = std::max(at_end, round_batch(largest(stage.size)));
    stage.batch_factor = static_cast<float>(here) / static_cast<float>(at_end);
    stage.learning_rate_factor = stage.batch_factor;
  }
}

std::vector<example::planned_memory> planned(const effnet::training_run& run,
                                             memory_planner& planner) {
  std::vector<example::planned_memory> memory;
  for (const auto& row : run.rows()) {
    const effnet::shape4 images{static_cast<int>(row.batch), row.stage.size, row.stage.size, 3};
    const bool known = std::ranges::any_of(memory, [&](const auto& one) {
      return one.title == sentence(images.h, " px x ", images.n);
    });
    if (known || row.last < row.first) continue;
    memory.push_back({.title = sentence(images.h, " px x ", images.n),
                      .plan = planner.plan(images),
                      .state = planner.state()});
  }
  return memory;
}

/// Opens and chooses everything. On resuming, what the run had is what counts.
prepared_run prepare(const example::program& program, const example::run_options& given) {
  const std::optional<example::run_recipe> base = recipe_before(given);
  example::run_recipe recipe = named_things(given, base);
  const effnet::weights from = example::untrained_or_loaded(recipe);
  example::training_data data = example::open_training_data(recipe, from.labels);
  if (!given.quiet)
    for (const std::string& remark : data.remarks) program.report("warning: " + remark);

  effnet::run_settings& settings = recipe.settings;
  settings = example::chosen_settings(given, base ? &*base : nullptr, recipe.init, from.spec);
  if (!given.class_weights.empty())
    settings.class_weights = example::class_weights(given.class_weights, data.train);
  const auto images = static_cast<std::int64_t>(data.train.count());
  effnet::weights start = example::start_weights(from, data.train.classes(), settings);
  memory_planner planner(start, recipe, given.threads);
  const bool is_open = !example::given_batch(given);
  const bool has_batch = base && (given.resume || given.batch.empty());
  if (is_open && has_batch && settings.stages.size() == base->settings.stages.size()) {
    settings.batch = base->settings.batch;
  } else if (is_open) {
    choose_batch(settings, given, images, planner);
  }
  if (settings.batch > images)
    throw effnet::setting_error(sentence("a batch of ", settings.batch, " is more than the ",
                                         images,
                                         " pictures to train on; choose a smaller --batch"));
  if (given.resume && base) {
    const std::string difference =
        effnet::first_difference(effnet::texts_of(example::named_values_of(*base)),
                                 effnet::texts_of(example::named_values_of(recipe)));
    if (!difference.empty())
      throw effnet::setting_error(sentence("cannot go on with the run in ",
                                           effnet::path_in_quotes(given.out), ": ", difference,
                                           "; leave the option out, or choose another --out"));
  }
  effnet::training_run run(settings, images);
  std::vector<example::planned_memory> memory = planned(run, planner);
  return {std::move(recipe), std::move(data), std::move(start), std::move(run), std::move(memory)};
}

std::string plan_text(const prepared_run& made, int threads) {
  const effnet::network_spec& spec = made.start.spec;
  const effnet::run_settings& s = made.recipe.settings;
  return sentence(
      std::string_view(spec.name), ", ", example::grouped(effnet::count_parameters(spec)),
      " parameters, ", spec.classes, " classes; ", made.data.train.count(),
      " pictures to train on, ", made.data.val.count(), " to validate on at ",
      made.start.rule.input.size, " px; preset ", s.preset, ", ",
      effnet::progressive_mode_names[static_cast<std::size_t>(s.mode)], ", ",
      effnet::optimizer_names[static_cast<std::size_t>(s.optimizer.kind)], ", ",
      made.run.total_steps(), " steps on ", threads, threads == 1 ? " thread\n\n" : " threads\n\n",
      example::schedule_table(made.run).text(), "\n", example::memory_table(made.memory).text());
}

/// What decides the bits besides the settings.
effnet::named_texts kernels(const effnet::cpu_training_backend& on) {
  const dnnl_version_t& dnnl = *dnnl_version();
  effnet::named_texts texts = {{"processor", example::instruction_sets()},
                               {"oneDNN", sentence(dnnl.major, ".", dnnl.minor, ".", dnnl.patch)},
                               {"effnet", EFFNET_VERSION}};
  if (!on.deterministic()) texts.emplace_back("threads", sentence(on.threads()));
  return texts;
}

effnet::checkpoint_notes notes_of(const prepared_run& made,
                                  const effnet::cpu_training_backend& on) {
  effnet::checkpoint_notes notes;
  notes.settings = effnet::texts_of(example::named_values_of(made.recipe));
  notes.settings.emplace_back("pictures to train on", sentence(made.data.train.count()));
  std::string classes;
  for (const std::string& name : made.data.train.classes())
    classes += sentence(classes.empty() ? "" : ", ", name);
  notes.settings.emplace_back("classes of the data", classes);
  notes.kernels = kernels(on);
  return notes;
}

/// The newest checkpoint that is whole; nothing where there is none at all.
std::optional<effnet::checkpoint> last_checkpoint(const example::program& program,
                                                  const fs::path& folder) {
  const std::string last = in(folder, "last.ckpt"), previous = effnet::previous_checkpoint(last);
  if (!fs::exists(last) && !fs::exists(previous)) return std::nullopt;
  try {
    return effnet::read_checkpoint(last);
  } catch (const effnet::file_error& e) {
    if (!fs::exists(previous)) throw;
    program.report(sentence("warning: ", e.what(), "; going on from the checkpoint before"));
    return effnet::read_checkpoint(previous);
  }
}

/// What the program prints in the end.
struct run_result {
  double top1 = 0, top5 = 0, loss = 0, best_top1 = 0, seconds = 0;
};

void print_result(const prepared_run& made, const fs::path& folder, bool json,
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
              result.best_top1, result.top5, example::clock_text(result.seconds).c_str());
  std::printf("weights   %s\npictures  %s\nreport    %s\n",
              in(folder, "weights.safetensors").c_str(), in(folder, "sheet.png").c_str(),
              in(folder, "report.html").c_str());
}

/// The result of a run that was finished before.
run_result result_of(const example::logged_rows& rows) {
  run_result result{.seconds = rows.seconds()};
  for (const example::logged_evaluation& row : rows.evaluations) {
    result.top1 = row.top1, result.top5 = row.top5, result.loss = row.loss;
    result.best_top1 = std::max(result.best_top1, row.top1);
  }
  return result;
}

void write_result(const fs::path& folder, const effnet::weights& result) {
  const bool is_resnet = effnet::detail::is_resnet(result.spec);
  effnet::write_weights(in(folder, "weights.safetensors"), result,
                        is_resnet ? effnet::naming::torchvision : effnet::naming::timm,
                        {{"effnet.table.json", effnet::spec_to_json(result.spec)}});
}

template <class Session>
void write_report(const prepared_run& made, const fs::path& folder, const Session& session,
                  const effnet::loader_options& loading, int threads) {
  example::training_report report{
      .title = sentence(std::string_view(made.start.spec.name), " on ", made.recipe.data),
      .how = sentence("Preset ", made.recipe.settings.preset, "; ", made.data.train.count(),
                      " pictures to train on, ", made.data.val.count(), " to validate on at ",
                      made.start.rule.input.size, " x ", made.start.rule.input.size, " pixels; ",
                      threads, threads == 1 ? " thread of " : " threads of ",
                      example::processor_name(), "."),
      .schedule = made.run.schedule(),
      .schedule_table = example::schedule_table(made.run),
      .memory_table = example::memory_table(made.memory),
      .settings = {},
      .batches = example::stage_pictures(made.run, made.data.train, loading),
      .warnings = made.data.remarks};
  for (const auto& [name, value] : example::named_values_of(made.recipe))
    report.settings.emplace_back(name, effnet::text_of(value));
  if (session.broken() > 0)
    report.warnings.push_back(sentence(session.broken(), " pictures could not be read"));
  for (const std::string& warning : session.broken_warnings()) report.warnings.push_back(warning);
  const example::accuracy& results = session.judgement().results;
  std::vector<example::shown_mistake> mistakes;
  for (const example::verdict& v : results.worst())
    mistakes.push_back(
        {made.data.val.name(v.image), example::thumbnail(made.data.val.image(v.image), 224), v});
  example::class_list classes{made.data.train.classes(), {}, "the data"};
  report.page(session.rows(), results, classes, mistakes).write(in(folder, "report.html"));
}

/// Some pictures of the validation set with what the network sees in them.
void write_sheet(const prepared_run& made, const fs::path& folder, const effnet::weights& result) {
  constexpr std::size_t most = 40;
  const effnet::any_data_set& set = made.data.val;
  const effnet::dynamic_network<effnet::cpu_backend> network(result);
  example::network_runner<effnet::cpu_backend> runner(network);
  const effnet::input_rule rule = runner.input_rule();
  const bool held_out = made.recipe.val.empty();
  example::picture_sheet sheet(
      sentence(std::string_view(result.spec.name), " on ", held_out ? "a tenth of " : "",
               held_out ? made.recipe.data : made.recipe.val, ", none of it trained on"));
  const std::size_t count = std::min(most, set.count());
  for (std::size_t i = 0; i < count; ++i) try {
      const std::size_t at = i * set.count() / count;
      const effnet::image picture = set.image(at);
      runner.run(example::prepared(picture, rule).data(), {1, rule.size, rule.size, 3});
      std::vector<example::picture_sheet::guess> guesses;
      for (const auto& [index, probability] : example::best_of(runner.logits(), 3))
        guesses.push_back({set.classes()[static_cast<std::size_t>(index)], probability});
      const std::string& truth = set.classes()[static_cast<std::size_t>(set.label(at))];
      sheet.add(truth + ": " + fs::path(set.name(at)).filename().string(),
                example::thumbnail(picture, example::picture_sheet::picture_side),
                std::move(guesses));
    } catch (const effnet::error&) {
      continue;  // of a picture that cannot be read the evaluation has told
    }
  sheet.write(in(folder, "sheet.png"));
}

template <effnet::optimizer Rule>
int train(const example::program& program, const example::run_options& given,
          const prepared_run& made, const Rule& rule) {
  const fs::path folder = given.out;
  const effnet::cpu_training_backend on(given.threads, made.recipe.deterministic);
  effnet::trainer trainer(made.start, rule, made.run.options(), on, made.recipe.settings.network);
  example::session_settings how{
      .folder = folder,
      .checkpoint_every = given.checkpoint_every,
      .stop_after = given.stop_after,
      .evaluate_every = given.evaluate_every,
      .threads = on.threads(),
      .quiet = given.quiet,
      .loading = {.threads = given.loader_threads,
                  .cache_bytes = static_cast<std::size_t>(given.cache * 1e9),
                  .seed = made.recipe.settings.seed,
                  .input = made.start.rule.input},
      .notes = notes_of(made, on)};
  if (made.recipe.settings.loss == effnet::loss_kind::sigmoid)
    how.loading.targets = effnet::label_targets::multi_hot;
  if (const auto before = given.resume ? last_checkpoint(program, folder) : std::nullopt) {
    for (const std::string& warning : effnet::resume(trainer, *before, how.notes))
      program.report("warning: " + warning);
    const bool complete = trainer.steps_done() == made.run.total_steps() &&
                          fs::exists(folder / "weights.safetensors") &&
                          fs::exists(folder / "report.html");
    if (complete) {
      program.report(sentence("the run in ", effnet::path_in_quotes(given.out),
                              " is finished; there is nothing to do"));
      print_result(
          made, folder, given.json,
          result_of(example::read_training_log(folder / "log.jsonl", trainer.steps_done())));
      return example::succeeded;
    }
  }
  effnet::remove_leftovers(in(folder, "last.ckpt"));
  const bool goes_on = trainer.steps_done() > 0;
  if (!given.quiet) std::fprintf(stderr, "%s\n", plan_text(made, on.threads()).c_str());
  if (goes_on && !given.quiet)
    program.report(sentence("going on after step ", trainer.steps_done()));
  example::write_recipe(in(folder, "recipe.json"), made.recipe);

  example::training_session session(trainer, made.run, made.data, how);
  const example::session_end end = session.run();
  if (session.broken() > 0)
    program.report(sentence("warning: ", session.broken(), " pictures could not be read, as ",
                            session.broken_warnings().front()));
  if (end != example::session_end::finished) {
    write_report(made, folder, session, how.loading, on.threads());
    program.report(sentence(end == example::session_end::interrupted ? "interrupted" : "stopped",
                            " after step ", trainer.steps_done(), " of ", made.run.total_steps(),
                            "; to go on: train --resume --out ", given.out));
    return end == example::session_end::interrupted ? example::failed : example::succeeded;
  }
  if (session.judgement().results.total().images == 0 && !session.evaluate())
    return example::failed;
  const effnet::weights trained = session.result();
  write_result(folder, trained);
  write_sheet(made, folder, trained);
  write_report(made, folder, session, how.loading, on.threads());
  run_result result = result_of(session.rows());
  result.best_top1 = session.best_top1();
  print_result(made, folder, given.json, result);
  return example::succeeded;
}

}  // namespace

int main(int argc, char** argv) {
  example::use_short_spins(argv);
  example::program program(
      "train",
      "Trains a network on pictures: progressive learning with adaptive regularization, or one of "
      "the other recipes. Writes weights.safetensors, report.html, a log and checkpoints to --out.",
      "  train --model efficientnetv2_b0 --data shapes:5000x64 --preset scratch --size 64 --epochs "
      "8 --out shapes\n"
      "  train --model efficientnet_lite0 --init lite0.safetensors --data photos/ --out "
      "photos_net\n"
      "  train --model efficientnetv2_s --data imagenet/ --val imagenet_val.tar --out v2_s\n"
      "  train --resume --out v2_s");
  example::run_options given;
  example::add_run_options(program.options, given);

  return program.run(argc, argv, [&] {
    check(given);
    const prepared_run made = prepare(program, given);
    if (given.dry_run) {
      const int threads = effnet::cpu_backend(given.threads).threads();
      std::printf("%s", plan_text(made, threads).c_str());
      return static_cast<int>(example::succeeded);
    }
    std::error_code failure;
    fs::create_directories(given.out, failure);
    if (failure)
      throw effnet::file_error(sentence(
          "cannot make the folder ", effnet::path_in_quotes(given.out), ": ", failure.message()));
    return effnet::with_optimizer(made.recipe.settings.optimizer, [&](const auto& rule) {
      return train(program, given, made, rule);
    });
  });
}
