#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <effnet/core/error.hpp>

namespace effnet {

/// A sample whose picture could not be had, and where: after `tried` others, for `place` in a
/// batch.
struct passed_over_sample {
  int place = 0;
  std::size_t tried = 0, sample = 0;
};

/// The samples whose pictures cannot be had: what loading threads learn, and what has been reported
/// of it. Threads may learn and ask at once; one thread reports.
class broken_samples {
 public:
  static constexpr std::size_t most_warnings = 20;

  explicit broken_samples(std::size_t samples) : known_(samples), reported_(samples) {}

  bool is_known(std::size_t sample) const {
    return known_[sample].load(std::memory_order_acquire) != 0;
  }

  void learn(std::size_t sample, std::string why) {
    const std::lock_guard lock(mutex_);
    if (reasons_.size() < most_reasons) reasons_.emplace(sample, std::move(why));
    known_[sample].store(1, std::memory_order_release);
  }

  std::string reason(std::size_t sample) const {
    const std::lock_guard lock(mutex_);
    const auto found = reasons_.find(sample);
    return found == reasons_.end() ? sentence("sample ", sample, " cannot be read") : found->second;
  }

  /// Counts those of a batch that are new, in the order of the batch, whoever made it.
  void report(std::vector<passed_over_sample>& of_batch) {
    std::ranges::sort(of_batch, {}, [](const passed_over_sample& one) {
      return std::pair(one.place, one.tried);
    });
    for (const passed_over_sample& one : of_batch) {
      if (reported_[one.sample]) continue;
      reported_[one.sample] = true;
      ++count_;
      if (warnings_.size() < most_warnings) warnings_.push_back(reason(one.sample));
    }
  }

  std::size_t count() const { return count_; }
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  static constexpr std::size_t most_reasons = 1000;  // a set may be broken throughout

  std::vector<std::atomic<unsigned char>> known_;
  std::vector<bool> reported_;
  mutable std::mutex mutex_;
  std::map<std::size_t, std::string> reasons_;
  std::size_t count_ = 0;
  std::vector<std::string> warnings_;
};

}  // namespace effnet
