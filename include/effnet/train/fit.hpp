#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <effnet/train/batch_feed.hpp>
#include <effnet/train/cost_model.hpp>
#include <effnet/train/trainer.hpp>
#include <effnet/train/training_run.hpp>

namespace effnet {

struct fit_options {
  loader_options loader = {};         ///< its seed, targets and input rule are the run's
  std::int64_t stop_after = 0;        ///< steps done at which to stop; 0: all of the run
  std::int64_t checkpoint_every = 0;  ///< steps; 0: never
};

/// Where training is, after a step.
struct training_progress {
  std::int64_t step = 0, total = 0;  ///< steps done, and of the run
  double epoch = 0;
  std::size_t stage = 0;  ///< from 0
  int size = 0;
  std::int64_t batch = 0;
  double loss = 0, learning_rate = 0, gradient_norm = 0;
  double step_seconds = 0, waited_seconds = 0;  ///< of this step, waiting included; for its data
  double images_per_second = 0;                 ///< lately
  double waited_share = 0;                      ///< of the time lately
  double work_done = 0;     ///< share of the run's work, 0 to 1: later stages weigh more
  double seconds_left = 0;  ///< by the cost model
  std::size_t broken = 0;   ///< pictures that could not be read, since `fit` began
};

struct fit_report {
  bool finished = false;  ///< all steps of the run are done
  std::size_t broken = 0;
  std::vector<std::string> warnings = {};  ///< what was wrong with the first broken pictures
};

namespace detail {

/// Seconds that the steps [first, total) of a run take, by its cost model. Where sizes are drawn,
/// each is expected equally often.
inline double seconds_of(const training_run& run, const std::vector<training_run::stage_row>& rows,
                         const cost_model& cost, std::int64_t first) {
  double seconds = 0;
  for (const training_run::stage_row& row : rows) {
    const std::int64_t steps = row.last + 1 - std::max(first, row.first);
    if (steps <= 0) continue;
    const double share = run.is_drawn() ? 1 / static_cast<double>(rows.size()) : 1;
    seconds += share * static_cast<double>(steps) * static_cast<double>(row.batch) *
               cost.seconds_per_image(row.stage.size);
  }
  return seconds;
}

/// Speed and waiting of the last steps, the newest counting most.
class recent_speed {
 public:
  void add(double images, double seconds, double waited) {
    constexpr double kept = 0.9;
    images_ = kept * images_ + images;
    seconds_ = kept * seconds_ + seconds;
    waited_ = kept * waited_ + waited;
  }
  double images_per_second() const { return seconds_ > 0 ? images_ / seconds_ : 0; }
  double waited_share() const { return seconds_ > 0 ? std::min(1.0, waited_ / seconds_) : 0; }

 private:
  double images_ = 0, seconds_ = 0, waited_ = 0;
};

}  // namespace detail

/// Trains from where the trainer is to the end of the run. After every step
/// `after_step(training_progress)` is called, and training stops where that returns false; every
/// `checkpoint_every` steps `checkpoint()` is called after it. Throws what they, the trainer and
/// the loader throw; the trainer is then as after its last whole step.
///
/// The trainer has to be one of this run's options, and the set what the run counts its images of.
template <trainable Network, optimizer Rule, data_set Set, class AfterStep, class Checkpoint>
fit_report fit(trainer<Network, Rule>& trained, const Set& set, const training_run& run,
               const fit_options& options, AfterStep&& after_step, Checkpoint&& checkpoint) {
  if (static_cast<std::int64_t>(set.count()) != run.images())
    throw setting_error(sentence("the run was planned for ", run.images(),
                                 " images, but the set has ", set.count()));
  if (static_cast<std::int64_t>(set.classes().size()) != trained.network().spec().classes)
    throw setting_error(sentence("the set has ", set.classes().size(), " classes, but the network ",
                                 trained.network().spec().classes));
  const std::int64_t end =
      options.stop_after > 0 ? std::min(options.stop_after, run.total_steps()) : run.total_steps();
  if (trained.steps_done() >= end) return {.finished = trained.steps_done() >= run.total_steps()};

  const auto plan = [&run, end](std::int64_t step) {
    return step < end ? run.request(step) : std::nullopt;
  };
  loader_options loading = options.loader;
  loading.seed = run.settings().seed;
  loading.targets =
      run.settings().loss == loss_kind::sigmoid ? label_targets::multi_hot : label_targets::shares;
  loading.input = trained.network().rule().input;
  const auto& device = trained.network().device();
  batch_feed batches(set, loading, plan, trained.steps_done(), device);
  const std::vector<training_run::stage_row> rows = run.rows();
  cost_model cost;
  detail::recent_speed speed;
  auto begin = std::chrono::steady_clock::now();
  while (trained.steps_done() < end) {
    const double waited_before = batches.waited_seconds();
    const device_batch batch = batches.next();
    const std::int64_t step = trained.steps_done();
    const training_stage stage = run.schedule().at(step);
    const step_report report = trained.step({.images = batch.images,
                                             .targets = batch.targets,
                                             .dropout = stage.dropout,
                                             .stochastic_depth = stage.stochastic_depth,
                                             .learning_rate_factor = stage.learning_rate_factor});
    const auto now = std::chrono::steady_clock::now();
    const double seconds = std::chrono::duration<double>(now - begin).count();
    begin = now;
    const double waited = batches.waited_seconds() - waited_before;
    const int count = batch.images.shape.n;
    cost.add(stage.size, count, seconds);
    speed.add(count, seconds, waited);
    const double left = detail::seconds_of(run, rows, cost, step + 1);
    const double all = detail::seconds_of(run, rows, cost, 0);
    const bool go_on = after_step(training_progress{.step = step + 1,
                                                    .total = run.total_steps(),
                                                    .epoch = run.epoch_at(step + 1),
                                                    .stage = run.schedule().stage_at(step),
                                                    .size = stage.size,
                                                    .batch = count,
                                                    .loss = report.loss,
                                                    .learning_rate = report.learning_rate,
                                                    .gradient_norm = report.gradient_norm,
                                                    .step_seconds = seconds,
                                                    .waited_seconds = waited,
                                                    .images_per_second = speed.images_per_second(),
                                                    .waited_share = speed.waited_share(),
                                                    .work_done = step + 1 == run.total_steps() ? 1
                                                                 : all > 0 ? 1 - left / all
                                                                           : 0,
                                                    .seconds_left = left,
                                                    .broken = batches.broken()});
    if (options.checkpoint_every > 0 && (step + 1) % options.checkpoint_every == 0) checkpoint();
    if (!go_on) break;
    begin = std::chrono::steady_clock::now();  // what the caller did is no training
  }
  return {.finished = trained.steps_done() >= run.total_steps(),
          .broken = batches.broken(),
          .warnings = batches.warnings()};
}

template <trainable Network, optimizer Rule, data_set Set, class AfterStep>
fit_report fit(trainer<Network, Rule>& trained, const Set& set, const training_run& run,
               const fit_options& options, AfterStep&& after_step) {
  return fit(trained, set, run, options, std::forward<AfterStep>(after_step), [] {});
}

}  // namespace effnet
