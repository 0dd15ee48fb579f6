#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <effnet/train/batch_feed.hpp>
#include <effnet/train/checkpoint_rotation.hpp>
#include <effnet/train/estimate_batch_norm.hpp>
#include <effnet/train/fit.hpp>
#include <effnet/train/resume.hpp>
#include <effnet/train/training_run.hpp>

#include "training/interruption.hpp"
#include "training/set_judgement.hpp"
#include "training/training_data.hpp"
#include "training/training_log.hpp"
#include "training/training_progress.hpp"

namespace example {

/// How a session goes about a run; nothing of it changes what comes out.
struct session_settings {
  std::filesystem::path folder;
  std::int64_t checkpoint_every = 0;  ///< steps; 0: an epoch
  std::int64_t stop_after = 0;        ///< steps; 0: never
  double evaluate_every = 1;          ///< epochs
  int judging_threads = 1;
  bool quiet = false;
  effnet::loader_options loading;
  effnet::checkpoint_notes notes;
};

enum class session_end { finished, stopped, interrupted };

/// One sitting of a training run: from where the trainer is to the end, or to where it is stopped;
/// with log, evaluations and checkpoints. `Judge` is the backend that evaluations run on.
template <class Trainer, effnet::backend Judge>
class training_session {
 public:
  static constexpr std::size_t mistakes_shown = 24;

  training_session(Trainer& trainer, const effnet::training_run& run, const training_data& data,
                   Judge judge, session_settings how)
      : trainer_(trainer),
        run_(run),
        data_(data),
        judge_(std::move(judge)),
        how_(std::move(how)),
        log_(how_.folder, trainer.steps_done()),
        evaluated_after_(evaluation_steps()),
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
    bool is_judged = true;
    const effnet::fit_report report = effnet::fit(
        trainer_, data_.train, run_,
        {.loader = how_.loading,
         .stop_after = how_.stop_after,
         .checkpoint_every = how_.checkpoint_every},
        [&](const effnet::training_progress& now) {
          if (now.broken > 0 && !std::exchange(told_broken_, true))
            progress_.tell("warning: a picture could not be read; more at the end");
          const bool last = now.step == now.total;
          const bool stops = interrupted_.asked() || (now.step == how_.stop_after && !last);
          const bool evaluates = is_due_for_evaluation(now.step);
          note(now, stops || last || evaluates || now.step % how_.checkpoint_every == 0);
          // Evaluated before it is saved: what a checkpoint has behind it is in the log.
          if (evaluates) is_judged = !stops && evaluate();
          return is_judged && !stops;
        },
        [&] { save("last.ckpt"); });
    progress_.clear();
    broken_ = report.broken;
    warnings_ = report.warnings;
    save("last.ckpt");
    if (report.finished && is_judged) return session_end::finished;
    return interrupted_.asked() ? session_end::interrupted : session_end::stopped;
  }

  const logged_rows& rows() const { return log_.rows(); }
  /// Of the evaluation at the end; none of it in a session that found the run finished.
  const set_judgement& judgement() const { return judgement_; }
  double best_top1() const { return std::max(best_, 0.0); }
  double seconds() const {
    return seconds_before_ + std::chrono::duration<double>(clock::now() - begin_).count();
  }
  /// Pictures that could not be read, and what was wrong with the first.
  std::size_t broken() const { return broken_; }
  const std::vector<std::string>& broken_warnings() const { return warnings_; }

  /// What the run has come to: the averages; at the end with batch norm's statistics estimated
  /// anew, if the settings say so.
  effnet::weights result() const {
    effnet::weights averages = trainer_.averaged();
    const int batches = run_.settings().estimate_batches;
    if (batches == 0 || trainer_.steps_done() < run_.total_steps()) return averages;
    effnet::training_network network(averages, trainer_.network().device(),
                                     {.variance = run_.settings().network.variance});
    const std::int64_t last = run_.total_steps() - 1;
    const auto plan = [&](std::int64_t step) {
      std::optional<effnet::batch_request> request = run_.request(last);
      request->first_sample = step * request->count;
      return step < batches ? request : std::nullopt;
    };
    effnet::batch_feed feed(data_.train, how_.loading, plan, 0, trainer_.network().device());
    effnet::const_tensor_view images;
    effnet::estimate_batch_norm(network, [&, left = batches]() mutable {
      if (left-- == 0) return static_cast<const effnet::const_tensor_view*>(nullptr);
      images = feed.next().images;
      return static_cast<const effnet::const_tensor_view*>(&images);
    });
    effnet::weights estimated = network.snapshot();
    estimated.labels = averages.labels;
    return estimated;
  }

  /// Judges the result so far; false where it was interrupted.
  bool evaluate() {
    const auto begin = clock::now();
    set_judgement judged = judgement_of_result();
    if (interrupted_.asked()) return false;
    judgement_ = std::move(judged);
    if (judgement_.results.total().images == 0)
      throw effnet::image_error(effnet::sentence("none of the ", data_.val.count(),
                                                 " pictures to validate on can be read; the "
                                                 "first: ",
                                                 judgement_.first_problem));
    if (judgement_.unreadable > 0 && !std::exchange(told_unreadable_, true))
      progress_.tell(effnet::sentence(
          "warning: ", judgement_.unreadable, " of ", data_.val.count(),
          " pictures to validate on could not be read: ", judgement_.first_problem));
    evaluation_seconds_ = std::chrono::duration<double>(clock::now() - begin).count();
    const std::int64_t steps = trainer_.steps_done();
    const accuracy::score& total = judgement_.results.total();
    const logged_evaluation row{.step = steps,
                                .epoch = run_.epoch_at(steps),
                                .stage = stage_before(steps) + 1,
                                .loss = judgement_.loss,
                                .top1 = total.percent(total.top1),
                                .top5 = total.percent(total.top5),
                                .seconds = seconds()};
    if (is_evaluated()) return true;  // in a sitting that was ended before it wrote its results
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

  void save(const std::string& name) {
    const std::string path = (how_.folder / name).string();
    const bool is_last = name == "last.ckpt";
    if (is_last && std::exchange(saved_after_, trainer_.steps_done()) == trainer_.steps_done())
      return;
    if (is_last) effnet::keep_previous(path);
    effnet::save_checkpoint(path, trainer_, how_.notes);
  }

 private:
  using clock = std::chrono::steady_clock;

  set_judgement judgement_of_result() const {
    try {
      const effnet::dynamic_network<Judge> network(result(), judge_);
      return judge_set(network, data_.val, run_.settings().loss,
                       static_cast<std::size_t>(how_.judging_threads), mistakes_shown,
                       [this] { return !interrupted_.asked(); });
    } catch (const effnet::weight_error& e) {
      throw effnet::training_error(
          effnet::sentence("training diverged before step ", trainer_.steps_done(), ": ", e.what(),
                           "; lower the learning rate or lengthen the warm-up"));
    }
  }

  /// After every stage, at the end, and after every so many epochs unless one of those is near;
  /// ascending.
  std::vector<std::int64_t> evaluation_steps() const {
    std::vector<std::int64_t> after = {run_.total_steps()};
    if (run_.is_staged())
      for (std::size_t i = 0; i < run_.schedule().stages.size(); ++i)
        after.push_back(run_.schedule().end_of(i));
    const std::vector<std::int64_t> ends = after;
    const double distance = std::max(1.0, how_.evaluate_every * run_.steps_per_epoch());
    for (double at = distance; at < static_cast<double>(run_.total_steps()); at += distance)
      if (std::ranges::none_of(ends, [&](std::int64_t end) {
            return std::abs(static_cast<double>(end) - at) < distance / 4;
          }))
        after.push_back(std::llround(at));
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

  /// Takes a step into the log, with those since the row before, and shows it.
  void note(const effnet::training_progress& now, bool ends_row) {
    row_.loss += now.loss;
    row_.gradient_norm += now.gradient_norm;
    row_.waited += now.waited_seconds;
    row_seconds_ += now.step_seconds;
    row_images_ += now.batch;
    ++row_steps_;
    if (ends_row || now.step % log_every() == 0) {
      const double steps = static_cast<double>(row_steps_);
      row_.step = now.step;
      row_.epoch = now.epoch;
      row_.stage = static_cast<int>(now.stage) + 1;
      row_.size = now.size;
      row_.batch = static_cast<int>(now.batch);
      row_.loss /= steps;
      row_.learning_rate = now.learning_rate;
      row_.gradient_norm /= steps;
      row_.images_per_second = static_cast<double>(row_images_) / std::max(1e-9, row_seconds_);
      row_.waited = std::min(1.0, row_.waited / std::max(1e-9, row_seconds_));
      row_.seconds = seconds();
      log_.add(row_);
      row_ = {};
      row_seconds_ = 0;
      row_steps_ = row_images_ = 0;
    }
    const auto later = static_cast<double>(
        evaluated_after_.end() - std::ranges::upper_bound(evaluated_after_, now.step - 1));
    progress_.show({.step = now.step,
                    .steps = now.total,
                    .epoch = now.epoch,
                    .stage = static_cast<int>(now.stage) + 1,
                    .stages = static_cast<int>(run_.schedule().stages.size()),
                    .size = now.size,
                    .loss = now.loss,
                    .images_per_second = now.images_per_second,
                    .waited = now.waited_share,
                    .done = now.work_done,
                    .seconds_left = now.seconds_left + later * evaluation_seconds_});
  }

  Trainer& trainer_;
  const effnet::training_run& run_;
  const training_data& data_;
  Judge judge_;
  session_settings how_;
  training_log log_;
  std::vector<std::int64_t> evaluated_after_;
  training_progress progress_;
  interruption interrupted_;
  set_judgement judgement_;
  double seconds_before_ = 0, best_ = -1;
  clock::time_point begin_ = clock::now();
  double evaluation_seconds_ = 0;
  logged_step row_;  ///< sums, until it is written
  double row_seconds_ = 0;
  std::int64_t row_steps_ = 0, row_images_ = 0;
  std::int64_t saved_after_ = -1;  ///< steps
  bool told_unreadable_ = false, told_broken_ = false;
  std::size_t broken_ = 0;
  std::vector<std::string> warnings_;
};

}  // namespace example
