#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <effnet/data/batch_request.hpp>
#include <effnet/train/run_settings.hpp>

namespace effnet {

/// A decay of the moving average that remembers about the last tenth of a run, at most the 0.9999
/// of the published recipes, which takes tens of thousands of steps to forget the start.
inline double suited_ema_decay(std::int64_t total_steps) {
  return std::clamp(1 - 10 / static_cast<double>(std::max<std::int64_t>(total_steps, 1)), 0.0,
                    0.9999);
}

/// The arithmetic of a run: which step sees what, all of it a pure function of settings and the
/// number of training images, so that a run can be taken up at any step.
class training_run {
 public:
  /// Throws `setting_error` where the settings make no sense.
  training_run(run_settings settings, std::int64_t images)
      : settings_(std::move(settings)), images_(images) {
    check();
    schedule_ = {.stages = settings_.stages,
                 .mode = settings_.mode,
                 .total_steps = 0,
                 .seed = settings_.seed};
    schedule_.check();
    mean_batch_ = mean_batch();
    const double steps = settings_.epochs * static_cast<double>(images_) / mean_batch_;
    constexpr double most_steps = 1e12;
    if (!(steps < most_steps && static_cast<double>(settings_.min_steps) < most_steps))
      throw setting_error(sentence("a run of ", settings_.epochs, " epochs and at least ",
                                   settings_.min_steps, " steps is too long"));
    schedule_.total_steps =
        std::max({settings_.min_steps, static_cast<std::int64_t>(steps), std::int64_t{1}});
    if (draws_batches()) tabulate();
    rate().check();
  }

  const run_settings& settings() const { return settings_; }
  const progressive_schedule& schedule() const { return schedule_; }
  std::int64_t images() const { return images_; }
  std::int64_t total_steps() const { return schedule_.total_steps; }
  /// With its fraction; where stages have batches of their own, on average over the run.
  double steps_per_epoch() const { return static_cast<double>(images_) / mean_batch_; }
  /// Images of step `step`.
  std::int64_t batch_at(std::int64_t step) const {
    return schedule_.stages[schedule_.stage_at(step)].batch(settings_.batch);
  }
  /// How many samples the steps before `step` see.
  std::int64_t samples_before(std::int64_t step) const {
    if (draws_batches()) {
      std::int64_t at = step / table_interval * table_interval;
      std::int64_t samples = table_[static_cast<std::size_t>(at / table_interval)];
      for (; at < step; ++at) samples += batch_at(at);
      return samples;
    }
    if (!is_staged()) return step * batch_at(step);
    std::int64_t samples = 0, begin = 0;
    for (std::size_t i = 0; begin < step; ++i) {
      const bool last = i + 1 == schedule_.stages.size();
      const std::int64_t end = last ? step : std::min(step, schedule_.end_of(i));
      samples += (end - begin) * schedule_.stages[i].batch(settings_.batch);
      begin = end;
    }
    return samples;
  }
  /// Epochs that the steps before `step` are.
  double epoch_at(std::int64_t step) const {
    return static_cast<double>(samples_before(step)) / static_cast<double>(images_);
  }

  /// What step `step` is fed with; nothing from the last one on.
  std::optional<batch_request> request(std::int64_t step) const {
    if (step < 0 || step >= total_steps()) return std::nullopt;
    return batch_request{.step = step,
                         .first_sample = samples_before(step),
                         .count = static_cast<int>(batch_at(step)),
                         .look = look(schedule_.at(step))};
  }
  /// How a stage's images are made.
  sample_look look(const training_stage& stage) const {
    sample_look made = settings_.look;
    made.size = stage.size;
    made.magnitude = stage.rand_augment;
    made.mixup = stage.mixup;
    made.cutmix = stage.cutmix;
    made.random_erasing = stage.random_erasing;
    return made;
  }

  /// The learning rate before a stage's own factor.
  learning_rate rate() const {
    return {.base = settings_.base_rate,
            .batch = static_cast<double>(settings_.batch),
            .steps_per_epoch = steps_per_epoch(),
            .total_steps = total_steps(),
            .decay = settings_.decay,
            .warmup_epochs = settings_.warmup_epochs,
            .factor = settings_.factor,
            .factor_epochs = settings_.factor_epochs,
            .floor = settings_.floor};
  }
  training_options options() const {
    const run_settings& s = settings_;
    return {.rate = rate(),
            .average = {.decay = s.ema_decay > 0 ? s.ema_decay : suited_ema_decay(total_steps()),
                        .warm_up = s.ema_warm_up},
            .averaged = s.averaged,
            .decayed = s.decayed,
            .clip = s.clip,
            .accumulation = s.accumulation,
            .loss = s.loss,
            .label_smoothing = s.label_smoothing,
            .class_weights = s.class_weights,
            .layer_decay = s.layer_decay,
            .seed = s.seed};
  }

  /// One line of the schedule.
  struct stage_row {
    std::int64_t first = 0, last = 0;  ///< steps, the last one included; empty where last < first
    std::int64_t batch = 0;
    double first_rate = 0, last_rate = 0;
    training_stage stage;
  };
  /// The stages one after the other; where sizes are drawn, every size with all steps.
  std::vector<stage_row> rows() const {
    std::vector<stage_row> rows;
    const learning_rate rate = this->rate();
    for (std::size_t i = 0; i < schedule_.stages.size(); ++i) {
      if (settings_.mode == progressive_mode::fixed && i + 1 < schedule_.stages.size()) continue;
      stage_row row{
          .first = 0, .last = total_steps() - 1, .batch = 0, .stage = schedule_.as_used(i)};
      if (is_staged()) {
        row.first = i == 0 ? 0 : schedule_.end_of(i - 1);
        row.last = schedule_.end_of(i) - 1;
      }
      row.batch = row.stage.batch(settings_.batch);
      const double factor = static_cast<double>(row.stage.learning_rate_factor);
      row.first_rate = rate.at(row.first) * factor;
      row.last_rate = rate.at(row.last) * factor;
      rows.push_back(row);
    }
    return rows;
  }
  bool is_staged() const {
    return settings_.mode == progressive_mode::progressive ||
           settings_.mode == progressive_mode::resize_only;
  }
  bool is_drawn() const {
    return settings_.mode == progressive_mode::random_resize ||
           settings_.mode == progressive_mode::random_resize_adaptive;
  }

 private:
  static constexpr std::int64_t table_interval = 1024;

  void check() const {
    const run_settings& s = settings_;
    if (images_ < 1) throw setting_error(sentence("there are ", images_, " images to train on"));
    if (!(s.epochs > 0 && std::isfinite(s.epochs)))
      throw setting_error(
          sentence("training for ", s.epochs, " epochs was asked for; it has to be above 0"));
    if (s.min_steps < 0)
      throw setting_error(sentence("training for at least ", s.min_steps,
                                   " steps was asked for; it has to be at least 0"));
    if (s.batch < 1 || s.batch > 1'000'000)
      throw setting_error(
          sentence("a batch of ", s.batch, " images was asked for; 1 to 1000000 are possible"));
    if (!(s.ema_decay >= 0 && s.ema_decay < 1))
      throw setting_error(sentence("ema_decay is ", s.ema_decay,
                                   "; it has to lie in [0, 1), where 0 suits it to the run"));
    if (s.estimate_batches < 0)
      throw setting_error(
          sentence("estimate_batches is ", s.estimate_batches, "; it has to be at least 0"));
    for (const training_stage& stage : s.stages)
      if (!(static_cast<double>(stage.batch_factor) * static_cast<double>(s.batch) <= 1e6))
        throw setting_error(sentence("a stage's batch of ", stage.batch_factor, " times ", s.batch,
                                     " images is too large; at most 1000000 are possible"));
    for (const training_stage& stage : s.stages) {
      if (s.accumulation > stage.batch(s.batch))
        throw setting_error(sentence("a batch of ", stage.batch(s.batch),
                                     " images cannot be run in ", s.accumulation, " parts"));
      effnet::check(look(stage));
    }
  }

  double mean_batch() const {
    if (settings_.mode == progressive_mode::fixed)
      return static_cast<double>(settings_.stages.back().batch(settings_.batch));
    double sum = 0;
    for (const training_stage& stage : settings_.stages)
      sum += static_cast<double>(stage.batch(settings_.batch));
    return sum / static_cast<double>(settings_.stages.size());
  }
  /// Whether batches are drawn with the sizes.
  bool draws_batches() const {
    return is_drawn() && std::ranges::any_of(settings_.stages, [&](const training_stage& stage) {
             return stage.batch(settings_.batch) != settings_.stages.front().batch(settings_.batch);
           });
  }
  void tabulate() {
    std::int64_t samples = 0;
    for (std::int64_t step = 0; step <= total_steps(); ++step) {
      if (step % table_interval == 0) table_.push_back(samples);
      samples += batch_at(step);
    }
  }

  run_settings settings_;
  std::int64_t images_;
  progressive_schedule schedule_;
  double mean_batch_ = 1;
  std::vector<std::int64_t> table_;  // samples before every 1024th step, where batches are drawn
};

}  // namespace effnet
