#include <doctest/doctest.h>

#include <numeric>
#include <vector>

#include <effnet/cpu/parallel.hpp>

using namespace effnet;

namespace {
/// How often `share(body)` has called for each of `count` items, with workers below `threads`.
template <class Share>
std::vector<int> calls(std::size_t count, int threads, const Share& share) {
  const cpu::thread_scope scope(threads);
  std::vector<int> called(count);  // an element is one thread's alone
  bool known = true;
  share([&](std::size_t worker, std::size_t item) {
    if (worker >= static_cast<std::size_t>(threads) || item >= count)
      known = false;
    else
      ++called[item];
  });
  CHECK(known);
  return called;
}
}  // namespace

TEST_CASE("cpu: every item is made once, whatever the runs and the number of threads") {
  for (const int threads : {1, 2, 3, 70})
    for (const std::size_t count : {0u, 1u, 2u, 5u, 64u, 301u}) {
      const std::vector<int> once(count, 1);
      CHECK(calls(count, threads, [&](const auto& body) { cpu::parallel_items(count, body); }) ==
            once);
      // One run has nearly all, others nothing.
      const std::vector<std::size_t> bounds = {0, 0, count - count / 8, count, count};
      CHECK(calls(count, threads, [&](const auto& body) { cpu::parallel_runs(bounds, body); }) ==
            once);
    }
}
