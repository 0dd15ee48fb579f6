#pragma once

#include <omp.h>

#include <algorithm>
#include <cstddef>

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

}  // namespace effnet::cpu
