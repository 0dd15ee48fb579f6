#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <concepts>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <effnet/core/error.hpp>
#include <effnet/data/background_thread.hpp>
#include <effnet/data/batch_request.hpp>
#include <effnet/data/broken_samples.hpp>
#include <effnet/data/data_set.hpp>
#include <effnet/data/mixing.hpp>
#include <effnet/data/sample_maker.hpp>
#include <effnet/data/sample_order.hpp>

namespace effnet {

/// Tells what step `step` is fed with, nothing where training ends. It must always tell the same.
template <class Plan>
concept batch_plan = requires(Plan& plan, std::int64_t step) {
  { plan(step) } -> std::convertible_to<std::optional<batch_request>>;
};

/// Makes training batches ahead of time on threads of its own. The bits of a batch depend on set,
/// seed and request alone: not on threads, the cache, or the step at which a run is taken up.
///
/// A picture that cannot be had is replaced by the next one in the order of its epoch that can
/// (after the last comes the first), and counted. Memory is that of prefetch + 1 batches, of the
/// largest size seen, and of the cache. The set must outlive it.
template <data_set Set, batch_plan Plan>
class loader {
 public:
  /// Batches of plan(first_step), plan(first_step + 1), ... Throws `error` for options or a set
  /// that cannot be.
  loader(const Set& set, const loader_options& options, Plan plan, std::int64_t first_step = 0)
      : set_(&set),
        options_(checked(options)),
        plan_(std::move(plan)),
        first_step_(first_step),
        classes_(set.classes().size()),
        order_(set, options.seed),
        maker_(set, options.input, options.seed, options.cache_bytes),
        broken_(set.count()),
        slots_(static_cast<std::size_t>(options.prefetch) + 1) {
    if (options.staged_in != nullptr)
      for (slot& one : slots_) one.memory.emplace(options.staged_in);
    try {
      for (int i = 0; i < options.threads; ++i) threads_.emplace_back([this] { work(); });
    } catch (...) {
      stop();
      throw;
    }
  }
  loader(const Set&&, const loader_options&, Plan, std::int64_t = 0) = delete;  // it would be gone
  ~loader() { stop(); }
  loader(const loader&) = delete;
  loader& operator=(const loader&) = delete;

  /// The next batch; it is valid until the following call. Throws what the plan or the set threw,
  /// `image_error` where no picture of an epoch can be had, and `error` after the plan's last step.
  const loaded_batch& next() {
    std::unique_lock lock(mutex_);
    released_ = given_;
    room_.notify_all();
    slot& here = slots_[given_ % slots_.size()];
    const auto is_there = [&] { return here.ready || (ended_ && given_ >= filling_); };
    if (!is_there()) {
      const auto begin = std::chrono::steady_clock::now();
      ready_.wait(lock, is_there);
      waited_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    }
    if (!here.ready)
      throw error(sentence("there is no batch for step ",
                           first_step_ + static_cast<std::int64_t>(given_),
                           ": the plan has ended"));
    if (here.failure) std::rethrow_exception(here.failure);  // and again, if asked again
    here.ready = false;
    ++given_;
    broken_.report(here.passed_over);
    return here.batch;
  }

  /// Whether `next` would give a batch at once.
  bool is_ready() {
    const std::lock_guard lock(mutex_);
    const slot& here = slots_[given_ % slots_.size()];
    return here.ready && !here.failure;
  }

  /// How long `next` has waited for batches that were not ready, all in all.
  double waited_seconds() const { return waited_; }
  /// Pictures that could not be had, each counted once, in the batches given so far.
  std::size_t broken() const { return broken_.count(); }
  /// What was wrong with the first of them, a sentence each, 20 at most.
  const std::vector<std::string>& warnings() const { return broken_.warnings(); }

 private:
  using epoch_order = std::shared_ptr<const std::vector<std::uint32_t>>;

  struct slot {
    loaded_batch batch;
    int made = 0;
    bool ready = false;
    std::exception_ptr failure;
    std::vector<passed_over_sample> passed_over;
    std::optional<staging_memory> memory;  ///< of staged batches
    std::vector<staged_sample> samples;
    std::vector<staged_block> blocks;
  };

  /// One sample to be made.
  struct task {
    slot* to = nullptr;
    int place = 0;
    std::uint64_t epoch = 0;
    std::size_t at = 0;  ///< in the epoch's order
    epoch_order order;
  };

  static const loader_options& checked(const loader_options& options) {
    if (options.threads < 1 || options.threads > 1024)
      throw error(
          sentence("cannot load data on ", options.threads, " threads; 1 to 1024 are possible"));
    if (options.prefetch < 1 || options.prefetch > 1024)
      throw error(
          sentence("cannot prefetch ", options.prefetch, " batches; 1 to 1024 are possible"));
    return options;
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    room_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  void work() {
    detail::lower_thread_priority();
    while (const std::optional<task> next = take()) make(*next);
  }

  std::optional<task> take() {
    std::unique_lock lock(mutex_);
    for (;;) {
      room_.wait(lock, [&] { return stopping_ || ended_ || filling_ < released_ + slots_.size(); });
      if (stopping_ || ended_) return std::nullopt;
      slot& to = slots_[filling_ % slots_.size()];
      if (next_place_ == 0 && !begin(to)) continue;
      task next{.to = &to, .place = next_place_, .epoch = 0, .at = 0, .order = {}};
      const std::uint64_t sample = static_cast<std::uint64_t>(to.batch.request.first_sample) +
                                   static_cast<std::uint64_t>(next_place_);
      next.epoch = sample / order_.count();
      next.at = static_cast<std::size_t>(sample % order_.count());
      try {
        next.order = order_of(next.epoch);
      } catch (...) {
        fail(to, std::current_exception());
        continue;
      }
      if (++next_place_ == to.batch.request.count) ++filling_, next_place_ = 0;
      return next;
    }
  }

  /// Asks the plan for the batch that `to` will hold. False where there is none.
  bool begin(slot& to) {
    to.made = 0;
    to.failure = nullptr;
    to.passed_over.clear();
    try {
      const std::optional<batch_request> request =
          plan_(first_step_ + static_cast<std::int64_t>(filling_));
      if (!request) {
        ended_ = true;
      } else {
        check(request->look);
        if (request->count < 1 || request->first_sample < 0)
          throw error(sentence("cannot load a batch of ", request->count, " samples from sample ",
                               request->first_sample, " on"));
        const int size = request->look.size;
        to.batch.request = *request;
        to.batch.shape = {request->count, size, size, 3};
        if (to.memory) {
          to.memory->clear();
          to.samples.assign(static_cast<std::size_t>(request->count), {});
        } else {
          to.batch.images.resize(to.batch.shape.elements());
        }
        to.batch.targets.assign(static_cast<std::size_t>(request->count) * classes_, 0.0f);
        return true;
      }
    } catch (...) {
      fail(to, std::current_exception());
      return false;
    }
    ready_.notify_all();
    room_.notify_all();
    return false;
  }

  /// No batch comes after this one, which is none either.
  void fail(slot& to, std::exception_ptr why) {
    to.failure = std::move(why);
    to.ready = ended_ = true;
    ++filling_;
    ready_.notify_all();
    room_.notify_all();
  }

  /// A batch may span several epochs, and threads may be in different batches.
  epoch_order order_of(std::uint64_t epoch) {
    const auto known = std::ranges::find(orders_, epoch, &known_order::epoch);
    if (known != orders_.end()) return known->order;
    if (orders_.size() >= 2) orders_.erase(orders_.begin());
    orders_.push_back(
        {epoch, std::make_shared<const std::vector<std::uint32_t>>(order_.epoch(epoch))});
    return orders_.back().order;
  }

  void make(const task& one) {
    std::exception_ptr failure;
    std::vector<passed_over_sample> passed_over;
    loaded_batch& batch = one.to->batch;
    try {
      const auto place = static_cast<std::size_t>(one.place);
      const std::size_t sample = make_first_readable(one, passed_over);
      set_targets(sample, batch.targets.data() + place * classes_);
    } catch (...) {
      failure = std::current_exception();
    }
    std::unique_lock lock(mutex_);
    try {
      for (passed_over_sample& sample : passed_over) one.to->passed_over.push_back(sample);
    } catch (...) {
      failure = std::current_exception();
    }
    if (failure && !one.to->failure) one.to->failure = failure;
    if (++one.to->made < batch.shape.n) return;
    if (!one.to->failure) {
      lock.unlock();
      failure = finished(*one.to);
      lock.lock();
      one.to->failure = failure;
    }
    one.to->ready = true;
    ready_.notify_all();
  }

  std::size_t make_first_readable(const task& one, std::vector<passed_over_sample>& passed_over) {
    const std::size_t count = order_.count();
    for (std::size_t tried = 0; tried < count; ++tried) {
      const std::size_t sample = (*one.order)[(one.at + tried) % count];
      if (!broken_.is_known(sample)) try {
          make_sample(sample, one);
          return sample;
        } catch (const image_error& e) {
          broken_.learn(sample, e.what());
        } catch (const file_error& e) {
          broken_.learn(sample, e.what());
        }
      passed_over.push_back({one.place, tried, sample});
    }
    throw image_error(sentence("none of the ", count, " pictures can be read; the first: ",
                               broken_.reason(one.order->front())));
  }

  void make_sample(std::size_t sample, const task& one) {
    loaded_batch& batch = one.to->batch;
    const auto place = static_cast<std::size_t>(one.place);
    if (one.to->memory) {
      one.to->samples[place] = maker_.stage(sample, one.epoch, batch.request.look, *one.to->memory);
    } else {
      const std::size_t pixels = batch.images.size() / static_cast<std::size_t>(batch.shape.n);
      maker_.make(sample, one.epoch, batch.request.look, batch.images.data() + place * pixels);
    }
  }

  void set_targets(std::size_t sample, float* row) const {
    if constexpr (multi_label_set<Set>) {
      const auto labels = set_->labels(sample);
      const bool shares = options_.targets == label_targets::shares;
      const float each = shares ? 1.0f / static_cast<float>(std::ranges::distance(labels)) : 1.0f;
      for (int label : labels) row[static_cast<std::size_t>(label)] = each;
    } else {
      row[static_cast<std::size_t>(set_->label(sample))] = 1;
    }
  }

  /// Mixes a batch that has all its samples, and completes what a device is told of it.
  std::exception_ptr finished(slot& of) const {
    try {
      loaded_batch& batch = of.batch;
      const sample_look& look = batch.request.look;
      const auto step = static_cast<std::uint64_t>(batch.request.step);
      const int classes = static_cast<int>(classes_);
      if (look.mixup > 0 || look.cutmix > 0) {
        const mixing_settings mixing{.mixup_alpha = static_cast<double>(look.mixup),
                                     .cutmix_alpha = static_cast<double>(look.cutmix),
                                     .labels = look.labels};
        if (of.memory)
          stage_mixing(of.samples, batch.shape, batch.targets, classes, mixing, options_.seed,
                       step);
        else
          mix({{batch.images.data(), batch.shape}, batch.targets, classes}, mixing, options_.seed,
              step);
      }
      if (of.memory)
        batch.staged = stage_batch(of.samples, batch.shape, batch.targets, classes, maker_.levels(),
                                   *of.memory, of.blocks);
      return nullptr;
    } catch (...) {
      return std::current_exception();
    }
  }

  struct known_order {
    std::uint64_t epoch;
    epoch_order order;
  };

  const Set* set_;
  loader_options options_;
  Plan plan_;
  std::int64_t first_step_;
  std::size_t classes_;
  sample_order order_;
  sample_maker<Set> maker_;
  broken_samples broken_;

  std::mutex mutex_;
  std::condition_variable room_, ready_;
  std::vector<slot> slots_;  ///< batch b (counted from first_step) is in slot b % slots
  std::vector<known_order> orders_;
  std::size_t filling_ = 0, given_ = 0, released_ = 0;  ///< batches
  int next_place_ = 0;
  bool ended_ = false, stopping_ = false;
  double waited_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace effnet
