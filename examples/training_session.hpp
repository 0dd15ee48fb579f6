#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <effnet/cpu.hpp>
#include <effnet/data/loader.hpp>
#include <effnet/train/checkpoint_rotation.hpp>
#include <effnet/train/resume.hpp>
#include <effnet/train/training_run.hpp>

#include "interruption.hpp"
#include "set_judgement.hpp"
#include "time_left.hpp"
#include "training_data.hpp"
#include "training_log.hpp"
#include "training_progress.hpp"

namespace example {

/// How a session goes about a run; nothing of it changes what comes out.
struct session_settings {
  std::filesystem::path folder;
  std::int64_t checkpoint_every = 0;  ///< steps; 0: an epoch
  std::int64_t stop_after = 0;        ///< steps; 0: never
  double evaluate_every = 1;          ///< epochs
  int threads = 1;
  bool quiet = false;
  effnet::loader_options loading;
  effnet::checkpoint_notes notes;
};

enum class session_end { finished, stopped, interrupted };

/// One sitting of a training run: from where the trainer is to the end, or to where it is stopped;
/// with log, evaluations and checkpoints.
template <class Trainer>
class training_session {
 public:
  static constexpr std::size_t mistakes_shown = 24;

  training_session(Trainer& trainer, const effnet::training_run& run, const training_data& data,
                   session_settings how)
      : trainer_(trainer),
        run_(run),
        data_(data),
        how_(std::move(how)),
        log_(how_.folder, trainer.steps_done()),
        evaluated_after_(evaluation_steps()),
        left_(step_costs(), evaluated_after_),
        progress_(!how_.quiet),
        seconds_before_(log_.rows().seconds()) {
    if (how_.checkpoint_every == 0)
      how_.checkpoint_every = std::max<std::int64_t>(1, std::llround(run.steps_per_epoch()));
    for (const logged_evaluation& row : log_.rows().evaluations) best_ = std::max(best_, row.top1);
  }

  /// Throws `effnet::training_error` where training diverges.
  session_end run() {
    begin_ = clock::now();
    if (is_due_for_evaluation(trainer_.steps_done()) && !is_evaluated() && !evaluate())
      return session_end::interrupted;
    effnet::loader loader(
        data_.train, how_.loading, [this](std::int64_t step) { return run_.request(step); },
        trainer_.steps_done());
    interval_begin_ = clock::now();
    while (trainer_.steps_done() < run_.total_steps()) {
      train_one(loader);
      const std::int64_t steps = trainer_.steps_done();
      const bool stops = interrupted_.asked() || steps == how_.stop_after;
      const bool last = steps == run_.total_steps();
      const bool evaluates = is_due_for_evaluation(steps),
                 saves = steps % how_.checkpoint_every == 0;
      if (stops || last || evaluates || saves || steps % log_every() == 0) log_interval(loader);
      show(steps);
      // Evaluated before it is saved: what a checkpoint has behind it is in the log.
      const bool is_judged = !evaluates || stops ? !evaluates : evaluate();
      if (stops || last || saves || !is_judged) save("last.ckpt");
      if (!is_judged || (stops && !last))
        return steps == how_.stop_after ? session_end::stopped : session_end::interrupted;
    }
    broken_ = loader.warnings();
    broken_count_ = loader.broken();
    return session_end::finished;
  }

  const logged_rows& rows() const { return log_.rows(); }
  /// Of the evaluation at the end; none of it in a session that found the run finished.
  const set_judgement& judgement() const { return judgement_; }
  double best_top1() const { return std::max(best_, 0.0); }
  double seconds() const {
    return seconds_before_ + std::chrono::duration<double>(clock::now() - begin_).count();
  }
  std::size_t broken() const { return broken_count_; }
  const std::vector<std::string>& broken_warnings() const { return broken_; }

  /// What the run has come to: the averages; at the end with batch norm's statistics estimated
  /// anew, if the settings say so.
  effnet::weights result() const {
    effnet::weights averages = trainer_.averaged();
    const int batches = run_.settings().estimate_batches;
    if (batches == 0 || trainer_.steps_done() < run_.total_steps()) return averages;
    effnet::training_network network(averages, trainer_.network().device());
    const std::int64_t last = run_.total_steps() - 1;
    effnet::loader loader(data_.train, how_.loading, [&](std::int64_t step) {
      std::optional<effnet::batch_request> request = run_.request(last);
      request->first_sample = step * request->count;
      return step < batches ? request : std::nullopt;
    });
    for (int k = 1; k <= batches; ++k) {
      const effnet::loaded_batch& batch = loader.next();
      network.estimate_statistics({batch.images.data(), batch.shape}, 1.0f / static_cast<float>(k));
    }
    effnet::weights estimated = network.snapshot();
    estimated.labels = averages.labels;
    return estimated;
  }

  /// Judges the result so far; false where it was interrupted.
  bool evaluate() {
    const auto begin = clock::now();
    const effnet::dynamic_network<effnet::cpu_backend> network(trainer_.averaged(),
                                                               effnet::cpu_backend(how_.threads));
    set_judgement judged = judge_set(network, data_.val, static_cast<std::size_t>(how_.threads),
                                     mistakes_shown, [this] { return !interrupted_.asked(); });
    if (interrupted_.asked()) return false;
    judgement_ = std::move(judged);
    left_.add_evaluation(std::chrono::duration<double>(clock::now() - begin).count());
    interval_begin_ += clock::now() - begin;  // no training in it
    const std::int64_t steps = trainer_.steps_done();
    const accuracy::score& total = judgement_.results.total();
    const logged_evaluation row{.step = steps,
                                .epoch = run_.epoch_at(steps),
                                .stage = stage_before(steps) + 1,
                                .loss = judgement_.loss,
                                .top1 = total.percent(total.top1),
                                .top5 = total.percent(total.top5),
                                .seconds = seconds()};
    log_.add(row);
    progress_.tell(effnet::sentence("step ", steps, ", epoch ", fixed(row.epoch, 1), ": top-1 ",
                                    fixed(row.top1, 2), " %, top-5 ", fixed(row.top5, 2),
                                    " %, validation loss ", fixed(row.loss, 3)));
    if (row.top1 > best_) {
      best_ = row.top1;
      save("best.ckpt");
    }
    return true;
  }

  void save(const char* name) {
    const std::string path = (how_.folder / name).string();
    if (std::string_view(name) == "last.ckpt") effnet::keep_previous(path);
    effnet::save_checkpoint(path, trainer_, how_.notes);
  }

 private:
  using clock = std::chrono::steady_clock;

  /// Pixels of every step.
  std::vector<double> step_costs() const {
    std::vector<double> costs(static_cast<std::size_t>(run_.total_steps()));
    for (std::int64_t step = 0; step < run_.total_steps(); ++step) {
      const double size = run_.schedule().at(step).size;
      costs[static_cast<std::size_t>(step)] =
          static_cast<double>(run_.batch_at(step)) * size * size;
    }
    return costs;
  }

  /// After every so many epochs, after every stage, and at the end; ascending.
  std::vector<std::int64_t> evaluation_steps() const {
    std::vector<std::int64_t> after;
    const double distance = std::max(1.0, how_.evaluate_every * run_.steps_per_epoch());
    for (double at = distance; at < static_cast<double>(run_.total_steps()) + 0.5; at += distance)
      after.push_back(std::min<std::int64_t>(run_.total_steps(), std::llround(at)));
    if (run_.is_staged())
      for (std::size_t i = 0; i < run_.schedule().stages.size(); ++i)
        after.push_back(run_.schedule().end_of(i));
    after.push_back(run_.total_steps());
    std::ranges::sort(after);
    const auto repeated = std::ranges::unique(after);
    after.erase(repeated.begin(), repeated.end());
    std::erase(after, 0);
    return after;
  }
  bool is_due_for_evaluation(std::int64_t steps) const {
    return std::ranges::binary_search(evaluated_after_, steps);
  }
  bool is_evaluated() const {
    const auto& rows = log_.rows().evaluations;
    return !rows.empty() && rows.back().step == trainer_.steps_done();
  }

  std::int64_t log_every() const { return std::max<std::int64_t>(1, run_.total_steps() / 2000); }
  int stage_before(std::int64_t steps) const {
    return static_cast<int>(run_.schedule().stage_at(std::max<std::int64_t>(0, steps - 1)));
  }

  template <class Loader>
  void train_one(Loader& loader) {
    const auto begin = clock::now();
    const effnet::loaded_batch& batch = loader.next();
    const effnet::training_stage stage = run_.schedule().at(trainer_.steps_done());
    const effnet::step_report report =
        trainer_.step({.images = {batch.images.data(), batch.shape},
                       .targets = batch.targets.data(),
                       .dropout = stage.dropout,
                       .stochastic_depth = stage.stochastic_depth,
                       .learning_rate_factor = stage.learning_rate_factor});
    left_.add_step(report.step, std::chrono::duration<double>(clock::now() - begin).count());
    interval_loss_ += report.loss;
    interval_norm_ += report.gradient_norm;
    interval_rate_ = report.learning_rate;
    ++interval_steps_;
    interval_images_ += batch.shape.n;
    interval_batch_ = batch.shape.n;
    interval_size_ = batch.shape.h;
  }

  template <class Loader>
  void log_interval(const Loader& loader) {
    const auto now = clock::now();
    const double seconds =
        std::max(1e-9, std::chrono::duration<double>(now - interval_begin_).count());
    const double waited = loader.waited_seconds(), steps = static_cast<double>(interval_steps_);
    const std::int64_t done = trainer_.steps_done();
    last_ = {.step = done,
             .epoch = run_.epoch_at(done),
             .stage = stage_before(done) + 1,
             .size = interval_size_,
             .batch = interval_batch_,
             .loss = interval_loss_ / steps,
             .learning_rate = interval_rate_,
             .gradient_norm = interval_norm_ / steps,
             .images_per_second = static_cast<double>(interval_images_) / seconds,
             .waited = std::min(1.0, (waited - waited_before_) / seconds),
             .seconds = this->seconds()};
    log_.add(last_);
    interval_begin_ = now;
    waited_before_ = waited;
    interval_loss_ = interval_norm_ = 0;
    interval_steps_ = interval_images_ = 0;
  }

  void show(std::int64_t steps) {
    progress_.show({.step = steps,
                    .steps = run_.total_steps(),
                    .epoch = run_.epoch_at(steps),
                    .stage = stage_before(steps) + 1,
                    .stages = static_cast<int>(run_.schedule().stages.size()),
                    .size = interval_size_,
                    .loss = interval_steps_ > 0
                                ? interval_loss_ / static_cast<double>(interval_steps_)
                                : last_.loss,
                    .images_per_second = last_.images_per_second,
                    .waited = last_.waited,
                    .done = left_.done(steps),
                    .seconds_left = left_.seconds(steps)});
  }

  Trainer& trainer_;
  const effnet::training_run& run_;
  const training_data& data_;
  session_settings how_;
  training_log log_;
  std::vector<std::int64_t> evaluated_after_;
  time_left left_;
  training_progress progress_;
  interruption interrupted_;
  set_judgement judgement_;
  double seconds_before_ = 0, best_ = -1;
  clock::time_point begin_ = clock::now(), interval_begin_ = begin_;
  double interval_loss_ = 0, interval_norm_ = 0, interval_rate_ = 0, waited_before_ = 0;
  std::int64_t interval_steps_ = 0, interval_images_ = 0;
  int interval_batch_ = 0, interval_size_ = 0;
  logged_step last_;
  std::vector<std::string> broken_;
  std::size_t broken_count_ = 0;
};

}  // namespace example
