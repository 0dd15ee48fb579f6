#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <effnet/cpu_training.hpp>
#include <effnet/search.hpp>

#include "progress_bar.hpp"
#include "search/journal.hpp"
#include "search/search_record.hpp"
#include "search/timed_in_rounds.hpp"
#include "search/worker_processes.hpp"

namespace example {

/// Throws `effnet::error` where no network of the space costs at most `most`, if that is not 0.
template <class Cost>
void check_budget(const effnet::search_space& space, double most, double unit, const char* what,
                  const Cost& cost) {
  if (most == 0) return;
  const double least = effnet::cheapest_candidate(space, cost).second;
  if (least > most)
    throw effnet::error(effnet::sentence("no network of the space has at most ", most / unit, what,
                                         "; the smallest that was found has ", least / unit,
                                         ": allow more, or choose a smaller skeleton (--width, "
                                         "--depth)"));
}

/// A search that keeps a journal: each network is trained for a short time by a worker process, and
/// what is known of it is on the disk before anything is learned from it. Trials are learned from
/// in their order, whoever finishes first, so that a search that was broken off and goes on finds
/// what an unbroken one does.
class architecture_search {
 public:
  /// Goes on with what the journal has. Throws `effnet::file_error` for a journal that is broken.
  explicit architecture_search(journal& to) : journal_(to), record_(search_record_of(to.text())) {}

  const search_record& record() const { return record_; }

  /// Times the blocks that networks of the space are made of, unless the journal has their times.
  void time_blocks(bool shown, const interruption& asked) {
    const int threads = record_.settings.training.threads;
    const effnet::timing steps{.batch = record_.settings.step_batch}, one{.batch = 1};
    if (!record_.step)
      record_.step = timed("step_times", shown, asked, [&](const auto& spec, int h, int w) {
        return effnet::measured_step(spec, h, w, effnet::cpu_training_backend(threads), steps);
      });
    if (needs_latency(record_.settings.reward.rule) && !record_.latency)
      record_.latency = timed("latency_times", shown, asked, [&](const auto& spec, int h, int w) {
        return effnet::measured_latency(spec, h, w, effnet::cpu_backend(threads), one);
      });
  }

  /// Throws `effnet::error` where no network of the space is within the budget of step time.
  void check_step_budget() const {
    check_budget(
        record_.space, record_.settings.most_step_seconds, 1e-3, " ms a training step",
        [&](const effnet::network_spec& spec) { return record_.measures(spec).step_seconds; });
  }

  /// Runs until there are `trials`.
  void run(std::size_t trials, std::size_t workers, bool shown, const interruption& asked) {
    const effnet::reward reward = record_.reward();
    worker_pool pool(workers, record_.settings.training);
    const std::size_t before = record_.trials.size();
    progress_bar progress("trials", std::max<std::size_t>(1, trials - std::min(trials, before)),
                          shown && before < trials);
    with_algorithm(record_.settings, record_.space, [&](auto algorithm) {
      effnet::search_in_rounds(algorithm, trials,
                               [&](std::size_t first, const std::vector<effnet::candidate>& round) {
                                 evaluate(first, round, reward, pool, progress, asked);
                                 std::vector<double> rewards;
                                 for (std::size_t i = 0; i < round.size(); ++i)
                                   rewards.push_back(record_.trials.at(first + i).reward);
                                 return rewards;
                               });
    });
    progress.clear();
  }

 private:
  template <class SecondsOf>
  effnet::calibrated_times timed(const char* what, bool shown, const interruption& asked,
                                 const SecondsOf& seconds_of) {
    const int size = record_.settings.skeleton.eval_size;
    timed_networks networks{.of_blocks = {record_.settings.skeleton}, .whole = {}, .unseen = {}};
    for (const effnet::candidate& c : effnet::covering_candidates(record_.space))
      networks.of_blocks.push_back(record_.space.decode(c));
    for (int n = 0; n < record_.settings.calibrated_on; ++n) {
      effnet::random_draws draws(record_.settings.seed, 4, static_cast<std::uint64_t>(n),
                                 effnet::draw_purpose::search);
      networks.whole.push_back(record_.space.decode(record_.space.sample(draws)));
    }
    const auto interruptible = [&](const effnet::network_spec& spec, int height, int width) {
      if (asked.asked()) throw interrupted("interrupted");
      return seconds_of(spec, height, width);
    };
    const effnet::calibrated_times times =
        timed_in_rounds(networks, size, interruptible, shown).first;
    journal_.add(json_of(what, times));
    return times;
  }

  void evaluate(std::size_t first, const std::vector<effnet::candidate>& round,
                const effnet::reward& reward, worker_pool& pool, progress_bar& progress,
                const interruption& asked) {
    std::vector<std::vector<double>> curves;  // of the trials before this round
    for (const auto& [number, trial] : record_.trials)
      if (number < first && trial.is_trained()) curves.push_back(trial.curve);
    const auto epochs = static_cast<std::size_t>(record_.settings.training.epochs);
    const std::vector<double> bars = record_.settings.stops_early
                                         ? effnet::median_stopping{}.bars(curves, epochs)
                                         : std::vector<double>{};
    const auto note = [&](std::size_t number, recorded_trial trial) {
      trial.reward = trial.curve.empty() ? 0 : reward.of(trial.measures);
      journal_.add(json_of(number, trial));
      record_.trials[number] = std::move(trial);
      progress.advance();
    };
    std::deque<training_task> tasks;
    std::vector<std::size_t> again;  // candidates that the search proposed before
    for (std::size_t i = 0; i < round.size(); ++i) {
      const std::size_t number = first + i;
      if (const auto known = record_.trials.find(number); known != record_.trials.end()) {
        if (known->second.of != round[i])
          throw effnet::file_error(effnet::sentence(
              effnet::path_in_quotes(journal_.path()), " is broken: trial ", number,
              " is another candidate than the search proposes; start with another --journal"));
        continue;
      }
      const effnet::network_spec spec = record_.space.decode(round[i]);
      const effnet::candidate_measures measures = record_.measures(spec);
      const bool was_before =
          std::find(round.begin(), round.begin() + static_cast<std::ptrdiff_t>(i), round[i]) !=
          round.begin() + static_cast<std::ptrdiff_t>(i);
      if (was_before || like(round[i], first))
        again.push_back(number);
      else if (!record_.fits(measures))
        note(number, {.of = round[i], .measures = measures});
      else
        tasks.push_back({number, spec, record_.settings.seed, bars});
    }
    pool.run(std::move(tasks), asked, [&](const training_outcome& made) {
      const effnet::candidate& of = round[made.number - first];
      recorded_trial trial{.of = of,
                           .measures = record_.measures(record_.space.decode(of)),
                           .curve = made.curve,
                           .stopped = made.stopped,
                           .seconds = made.seconds};
      if (trial.curve.empty()) trial.curve = {0};  // it diverged at once
      trial.measures.accuracy = made.accuracy();
      note(made.number, std::move(trial));
    });
    for (const std::size_t number : again) {
      const auto [earlier, known] = *like(round[number - first], number);
      recorded_trial trial = *known;
      trial.copy_of = earlier;
      trial.seconds = 0;
      note(number, std::move(trial));
    }
  }
  /// The first trial of the same candidate, if it is one before `before`.
  std::optional<std::pair<std::size_t, const recorded_trial*>> like(const effnet::candidate& of,
                                                                    std::size_t before) const {
    for (const auto& [number, trial] : record_.trials) {
      if (number >= before) break;
      if (trial.of == of) return std::pair(number, &trial);
    }
    return std::nullopt;
  }

  journal& journal_;
  search_record record_;
};

}  // namespace example
