#pragma once

#include <omp.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>

#include <effnet/cpu/thread_scope.hpp>

namespace effnet::cpu {

/// Calls `body(first, last)` on disjoint ranges that cover [0, count), one a thread, split the same
/// way every time. `work` is about how many floats one item touches: a small total stays on the
/// calling thread, where waking the others would cost more.
template <class Body>
void parallel_ranges(std::size_t count, std::size_t work, const Body& body) {
  constexpr std::size_t worthwhile = 8192;
  const auto threads = static_cast<std::size_t>(omp_get_max_threads());
  if (threads == 1 || count < 2 || count * work < worthwhile) {
    body(std::size_t{0}, count);
    return;
  }
#pragma omp parallel
  {
    const auto team = static_cast<std::size_t>(omp_get_num_threads());
    const auto self = static_cast<std::size_t>(omp_get_thread_num());
    const std::size_t first = count * self / team, last = count * (self + 1) / team;
    if (first < last) body(first, last);
  }
}

/// Runs of items that threads have of their own, at most; more threads help out.
inline constexpr std::size_t most_runs = 64;

namespace detail {

/// Items that nobody has begun: their thread takes the first, others the last. Both ends stand in
/// one word, on a cache line of its own.
class alignas(64) open_items {
 public:
  void put(std::size_t first, std::size_t last) { ends_.store(first | last << half); }
  bool take_first(std::size_t& item) { return take(true, item); }
  bool take_last(std::size_t& item) { return take(false, item); }

 private:
  static constexpr int half = 32;

  bool take(bool front, std::size_t& item) {
    std::uint64_t ends = ends_.load();
    while (true) {
      const std::uint64_t first = ends & UINT32_MAX, last = ends >> half;
      if (first >= last) return false;
      item = front ? first : last - 1;
      if (ends_.compare_exchange_weak(ends, front ? ends + 1 : first | item << half)) return true;
    }
  }

  std::atomic<std::uint64_t> ends_ = 0;
};

/// Items [bound(i), bound(i + 1)) for run `i`.
template <class Bound, class Body>
void share_runs(std::size_t runs, const Bound& bound, const Body& body) {
  std::array<open_items, most_runs> open;
  for (std::size_t i = 0; i < runs; ++i) open[i].put(bound(i), bound(i + 1));
#pragma omp parallel
  {
    const auto self = static_cast<std::size_t>(omp_get_thread_num());
    std::size_t item = 0;
    while (self < runs && open[self].take_first(item)) body(self, item);
    for (std::size_t other = 1; other <= runs; ++other)
      while (open[(self + other) % runs].take_last(item)) body(self, item);
  }
}

}  // namespace detail

/// Calls `body(worker, item)` for every item below `count`; `worker` tells the threads apart and is
/// below omp_get_max_threads(). Each thread has an equal run of items, one after another as they
/// lie; one that is done takes over others' last. For items whose results do not depend on who
/// makes them.
template <class Body>
void parallel_items(std::size_t count, const Body& body) {
  if (count < 2 || omp_get_max_threads() == 1) {
    for (std::size_t item = 0; item < count; ++item) body(std::size_t{0}, item);
    return;
  }
  const std::size_t runs = std::min(most_runs, static_cast<std::size_t>(omp_get_max_threads()));
  detail::share_runs(
      runs, [&](std::size_t run) { return count * run / runs; }, body);
}

/// The same for runs of unequal numbers of items: `bounds` are the first of each and the end.
template <class Body>
void parallel_runs(std::span<const std::size_t> bounds, const Body& body) {
  if (bounds.back() < 2 || omp_get_max_threads() == 1) {
    for (std::size_t item = 0; item < bounds.back(); ++item) body(std::size_t{0}, item);
    return;
  }
  detail::share_runs(
      bounds.size() - 1, [&](std::size_t run) { return bounds[run]; }, body);
}

/// The same for items that may throw, and that run on one thread whatever they call; the first
/// failure is thrown once all have ended.
template <class Body>
void parallel_items_apart(std::size_t count, const Body& body) {
  std::exception_ptr failure;
  parallel_items(count, [&](std::size_t worker, std::size_t item) {
    try {
      const thread_scope one(1);
      body(worker, item);
    } catch (...) {
#pragma omp critical(effnet_item_failure)
      if (!failure) failure = std::current_exception();
    }
  });
  if (failure) std::rethrow_exception(failure);
}

}  // namespace effnet::cpu
