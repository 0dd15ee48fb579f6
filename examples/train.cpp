// Trains a network: from pictures to weights that classify and evaluate take, with progressive
// learning.

#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include <effnet/train/trainer.hpp>

#include "make_folder.hpp"
#include "short_spins.hpp"
#include "training/prepared_run.hpp"
#include "training/run_results.hpp"
#include "training/training_place.hpp"
#include "training/training_session.hpp"

namespace {

namespace fs = std::filesystem;
using effnet::sentence;
using example::in;
using example::prepared_run;

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

effnet::checkpoint_notes notes_of(const prepared_run& made, effnet::named_texts kernels) {
  effnet::checkpoint_notes notes;
  notes.settings = effnet::texts_of(example::named_values_of(made.recipe));
  notes.settings.emplace_back("pictures to train on", sentence(made.data.train.count()));
  std::string classes;
  for (const std::string& name : made.data.train.classes())
    classes += sentence(classes.empty() ? "" : ", ", name);
  notes.settings.emplace_back("classes of the data", classes);
  notes.kernels = std::move(kernels);
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

template <class Place, effnet::optimizer Rule>
int train(const example::program& program, const example::run_options& given,
          const prepared_run& made, const Place& place, const Rule& rule) {
  const fs::path folder = given.out;
  const auto on = place.training(made.recipe);
  effnet::trainer trainer(made.start, rule, made.run.options(), on, made.recipe.settings.network);
  example::session_settings how{
      .folder = folder,
      .checkpoint_every = given.checkpoint_every,
      .stop_after = given.stop_after,
      .evaluate_every = given.evaluate_every,
      .judging_threads = place.judging_threads(),
      .quiet = given.quiet,
      .loading = {.threads = given.loader_threads,
                  .cache_bytes = static_cast<std::size_t>(given.cache * 1e9),
                  .seed = made.recipe.settings.seed,
                  .input = made.start.rule.input},
      .notes = notes_of(made, place.kernels(on))};
  if (made.recipe.settings.loss == effnet::loss_kind::sigmoid)
    how.loading.targets = effnet::label_targets::multi_hot;
  if (const auto before = given.resume ? last_checkpoint(program, folder) : std::nullopt) {
    for (const std::string& warning : effnet::resume(trainer, *before, how.notes))
      program.report("warning: " + warning);
    const bool complete = trainer.steps_done() == made.run.total_steps() &&
                          fs::exists(folder / "weights.safetensors");  // which come last
    if (complete) {
      program.report(sentence("the run in ", effnet::path_in_quotes(given.out),
                              " is finished; there is nothing to do"));
      print_result(made, folder, given.json,
                   example::result_of(
                       example::read_training_log(folder / "log.jsonl", trainer.steps_done())));
      return example::succeeded;
    }
  }
  for (const char* file : {"last.ckpt", "best.ckpt", "weights.safetensors"})
    effnet::remove_leftovers(in(folder, file));
  const bool goes_on = trainer.steps_done() > 0;
  if (!given.quiet) std::fprintf(stderr, "%s\n", example::plan_text(made, place.name()).c_str());
  if (goes_on && !given.quiet)
    program.report(sentence("going on after step ", trainer.steps_done()));
  example::write_recipe(in(folder, "recipe.json"), made.recipe);

  example::training_session session(trainer, made.run, made.data, place.judging(made.recipe), how);
  const example::session_end end = session.run();
  if (session.broken() > 0)
    program.report(sentence("warning: ", session.broken(),
                            session.broken() == 1 ? " picture" : " pictures",
                            " could not be read: ", session.broken_warnings().front()));
  const auto tell_how_to_go_on = [&](const char* what) {
    program.report(sentence(what, " after step ", trainer.steps_done(), " of ",
                            made.run.total_steps(), "; to go on: train --resume --out ",
                            effnet::path_in_quotes(given.out), " with the other options as here"));
  };
  if (end != example::session_end::finished) {
    example::write_report(made, folder, session, how.loading, place.name());
    const bool interrupted = end == example::session_end::interrupted;
    tell_how_to_go_on(interrupted ? "interrupted" : "stopped");
    return interrupted ? example::failed : example::succeeded;
  }
  // Nothing of it in a sitting that finds all steps done but no results.
  if (session.judgement().results.total().images == 0 && !session.evaluate()) {
    tell_how_to_go_on("interrupted");
    return example::failed;
  }
  const effnet::weights trained = session.result();
  example::write_sheet(made, folder, trained, place.judging(made.recipe));
  example::write_report(made, folder, session, how.loading, place.name());
  example::write_result(folder, trained);
  example::run_result result = example::result_of(session.rows());
  result.best_top1 = session.best_top1();
  example::print_result(made, folder, given.json, result);
  return example::succeeded;
}

template <class Place>
int prepare_and_train(const example::program& program, const example::run_options& given,
                      const Place& place) {
  const prepared_run made = example::prepare(program, given, place);
  if (given.dry_run) {
    std::printf("%s", example::plan_text(made, place.name()).c_str());
    return example::succeeded;
  }
  example::make_folder(given.out);
  return effnet::with_optimizer(made.recipe.settings.optimizer, [&](const auto& rule) {
    return train(program, given, made, place, rule);
  });
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
    return example::with_training_place(
        given, [&](const auto& place) { return prepare_and_train(program, given, place); });
  });
}
