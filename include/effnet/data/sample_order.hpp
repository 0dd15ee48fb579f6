#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include <effnet/core/error.hpp>
#include <effnet/data/data_set.hpp>
#include <effnet/data/random_draws.hpp>

namespace effnet {

/// In which order the samples of a set are visited: in every epoch each one once, shuffled; a pure
/// function of (seed, epoch, set), so that a run can be taken up anywhere.
///
/// In sets with groups (the shards of a large set, each of which is read in one go) the groups are
/// shuffled and visited `groups_at_once` at a time, and their samples are shuffled together: what
/// is read at a time stays small, and shards of one class each still mix.
class sample_order {
 public:
  static constexpr std::size_t groups_at_once = 8;

  /// Throws `error` for a set that is empty or too large.
  template <data_set Set>
  explicit sample_order(const Set& set, std::uint64_t seed = 0) : seed_(seed), count_(set.count()) {
    if (count_ == 0 || count_ > std::numeric_limits<std::uint32_t>::max())
      throw error(
          sentence("cannot train on a set of ", count_, " samples; there must be 1 to 4294967295"));
    if constexpr (grouped_set<Set>) {
      group_.resize(count_);
      for (std::size_t i = 0; i < count_; ++i) {
        group_[i] = static_cast<std::uint32_t>(set.group(i));
        groups_ = std::max<std::size_t>(groups_, std::size_t{group_[i]} + 1);
      }
      if (groups_ <= groups_at_once) group_.clear();
    }
  }

  std::size_t count() const { return count_; }

  /// The samples' numbers in the order of this epoch.
  std::vector<std::uint32_t> epoch(std::uint64_t number) const {
    std::vector<std::uint32_t> order(count_);
    std::iota(order.begin(), order.end(), 0u);
    if (group_.empty()) {
      shuffle(order, number, 0);
      return order;
    }
    std::vector<std::uint32_t> visited(groups_), place(groups_);
    std::iota(visited.begin(), visited.end(), 0u);
    shuffle(visited, number, 0);
    for (std::size_t i = 0; i < groups_; ++i)
      place[visited[i]] = static_cast<std::uint32_t>(i / groups_at_once);
    const auto window = [&](std::uint32_t sample) { return place[group_[sample]]; };
    std::ranges::stable_sort(order, {}, window);
    for (std::size_t begin = 0, end = 0; begin < count_; begin = end) {
      const std::uint32_t here = window(order[begin]);
      while (end < count_ && window(order[end]) == here) ++end;
      shuffle(std::span(order).subspan(begin, end - begin), number, std::uint64_t{here} + 1);
    }
    return order;
  }

 private:
  void shuffle(std::span<std::uint32_t> values, std::uint64_t epoch, std::uint64_t part) const {
    random_draws draws(seed_, epoch, part, draw_purpose::shuffle);
    for (std::size_t i = values.size(); i > 1; --i)
      std::swap(values[i - 1],
                values[static_cast<std::size_t>(draws.integer(0, static_cast<std::int64_t>(i)))]);
  }

  std::uint64_t seed_;
  std::size_t count_;
  std::size_t groups_ = 0;
  std::vector<std::uint32_t> group_;  ///< of every sample; empty where all are shuffled together
};

}  // namespace effnet
