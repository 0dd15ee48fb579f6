#pragma once

#include <omp.h>

#include <algorithm>
#include <cstddef>
#include <exception>

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

/// Calls `body(worker, item)` for every item below `count`, each on whichever thread is free next;
/// `worker` tells the threads apart and is below omp_get_max_threads(). For items that cost much
/// and whose results do not depend on who makes them.
template <class Body>
void parallel_items(std::size_t count, const Body& body) {
  if (count < 2 || omp_get_max_threads() == 1) {
    for (std::size_t item = 0; item < count; ++item) body(std::size_t{0}, item);
    return;
  }
#pragma omp parallel for schedule(dynamic, 1)
  for (std::size_t item = 0; item < count; ++item)
    body(static_cast<std::size_t>(omp_get_thread_num()), item);
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
