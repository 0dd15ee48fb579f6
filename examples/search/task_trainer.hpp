#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iostream>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include <effnet/cpu_training.hpp>
#include <effnet/data/validation_sample.hpp>
#include <effnet/nn/network.hpp>
#include <effnet/train.hpp>

#include "search/held_out_data.hpp"
#include "search/training_task.hpp"

namespace example {

namespace detail {

/// Held-out pictures as networks are judged on them, made once for a size.
class judged_pictures {
 public:
  explicit judged_pictures(const effnet::any_data_set& set) : set_(set) {}

  /// Share of pictures whose likeliest class is the right one.
  double accuracy(const effnet::weights& of, int threads) {
    const effnet::input_rule& rule = of.rule.input;
    if (rule.size != size_) make(rule);
    const effnet::dynamic_network<effnet::cpu_backend> network(of, effnet::cpu_backend(threads));
    effnet::session<effnet::cpu_backend> session = network.make_session();
    const auto classes = static_cast<std::size_t>(of.spec.classes);
    const std::size_t one = static_cast<std::size_t>(size_) * static_cast<std::size_t>(size_) * 3;
    constexpr std::size_t batch = 32;
    std::size_t right = 0;
    for (std::size_t first = 0; first < set_.count(); first += batch) {
      const std::size_t count = std::min(batch, set_.count() - first);
      const float* logits =
          session.run({pixels_.data() + first * one, {static_cast<int>(count), size_, size_, 3}})
              .logits.data;
      for (std::size_t i = 0; i < count; ++i) {
        const float* of_one = logits + i * classes;
        right += std::max_element(of_one, of_one + classes) - of_one == set_.label(first + i);
      }
    }
    return static_cast<double>(right) / static_cast<double>(set_.count());
  }

 private:
  void make(const effnet::input_rule& rule) {
    size_ = rule.size;
    const std::size_t one = static_cast<std::size_t>(size_) * static_cast<std::size_t>(size_) * 3;
    pixels_.assign(set_.count() * one, 0);
    for (std::size_t i = 0; i < set_.count(); ++i)
      effnet::make_validation_sample(set_, i, rule, pixels_.data() + i * one);
  }

  const effnet::any_data_set& set_;
  int size_ = 0;
  std::vector<float> pixels_;
};

}  // namespace detail

/// Trains networks one after the other, each for a short time, on the same pictures.
class task_trainer {
 public:
  explicit task_trainer(const short_training& how) : task_trainer(how, open_held_out(how.data)) {}
  task_trainer(const task_trainer&) = delete;
  task_trainer& operator=(const task_trainer&) = delete;

  training_outcome run(const training_task& task) {
    const auto begin = std::chrono::steady_clock::now();
    training_outcome made{.number = task.number};
    const effnet::training_run run(settings_of(task), static_cast<std::int64_t>(train_.count()));
    effnet::weights start = effnet::initial_weights(task.spec, task.seed);
    start.rule.input.size = start.rule.input.resize = task.spec.eval_size;
    start.labels = train_.classes();
    effnet::trainer trainer(start, effnet::adamw{.weight_decay = 0.05}, run.options(),
                            effnet::cpu_training_backend(how_.threads), run.settings().network);
    try {
      effnet::fit(trainer, train_, run, {.loader = {.threads = 1}},
                  [&](const effnet::training_progress& now) {
                    const auto epochs = static_cast<std::size_t>(how_.epochs);
                    const std::size_t done =
                        now.step == now.total ? epochs : std::min(epochs - 1, whole(now.epoch));
                    if (made.curve.size() == done) return true;
                    made.curve.resize(done, judged_.accuracy(trainer.averaged(), how_.threads));
                    made.stopped = done < epochs && done <= task.bars.size() &&
                                   made.accuracy() < task.bars[done - 1];
                    return !made.stopped;
                  });
    } catch (const effnet::training_error&) {
      made.stopped = true;  // what it reached before it diverged is what it is worth
    }
    made.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return made;
  }

 private:
  task_trainer(const short_training& how, held_out_data data)
      : how_(how),
        train_(decoded_set(std::move(data.train), static_cast<std::size_t>(how.cache * 1e9))),
        held_out_(std::move(data.held_out)),
        judged_(held_out_) {}

  static std::size_t whole(double epochs) { return static_cast<std::size_t>(epochs + 1e-9); }

  /// From nothing, at one size, with little regularization: there is no time to overfit.
  effnet::run_settings settings_of(const training_task& task) const {
    effnet::run_settings s = effnet::scratch_settings(task.spec, task.spec.eval_size, 1);
    s.mode = effnet::progressive_mode::fixed;
    s.stages = {{.size = task.spec.eval_size, .dropout = 0.1f}};
    s.look.augment = effnet::sample_augmentation::none;
    s.epochs = how_.epochs;
    s.batch = std::min<std::int64_t>(how_.batch, static_cast<std::int64_t>(train_.count()));
    s.base_rate = how_.rate;
    s.warmup_epochs = std::min(1.0, how_.epochs / 5.0);
    s.seed = task.seed;
    return s;
  }

  short_training how_;
  effnet::any_data_set train_, held_out_;
  detail::judged_pictures judged_;
};

/// What a worker process does: reads how to train, then tasks, and writes what came out, a line
/// each, until there is no more to read.
inline void train_tasks(std::istream& in, std::ostream& out) {
  std::string line;
  if (!std::getline(in, line)) return;
  const nlohmann::ordered_json first = nlohmann::ordered_json::parse(line);
  const short_training how = short_training_from(entry_reader(first, "a worker's settings"));
  std::unique_ptr<task_trainer> trainer;
  while (std::getline(in, line)) {
    const training_task task = training_task_from(nlohmann::ordered_json::parse(line));
    training_outcome made{.number = task.number};
    try {
      if (!trainer) trainer = std::make_unique<task_trainer>(how);
      made = trainer->run(task);
    } catch (const std::bad_alloc&) {
      made.problem =
          "there is not enough memory for this; use fewer --workers, a smaller --cache, --batch or "
          "--size";
    } catch (const std::exception& e) {
      made.problem = e.what();
    }
    using handler = nlohmann::ordered_json::error_handler_t;
    out << json_of(made).dump(-1, ' ', false, handler::replace) << std::endl;
  }
}

}  // namespace example
