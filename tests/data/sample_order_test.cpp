#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include <effnet/data/sample_order.hpp>
#include <effnet/data/shapes.hpp>

using namespace effnet;

namespace {

/// A set in parts of `each` samples.
struct grouped {
  std::size_t samples, each;
  std::vector<std::string> names{"one"};

  std::size_t count() const { return samples; }
  const std::vector<std::string>& classes() const { return names; }
  int label(std::size_t) const { return 0; }
  effnet::image image(std::size_t) const { return make_image(1, 1); }
  std::string name(std::size_t) const { return ""; }
  std::size_t group(std::size_t i) const { return i / each; }
};
static_assert(grouped_set<grouped> && !grouped_set<shapes>);

bool holds_every_number_once(std::vector<std::uint32_t> order, std::size_t count) {
  std::ranges::sort(order);
  std::vector<std::uint32_t> all(count);
  std::iota(all.begin(), all.end(), 0u);
  return order == all;
}

}  // namespace

TEST_CASE("data: every epoch visits each sample once, in an order of its own") {
  const shapes set(500);
  const sample_order order(set, 3);
  std::set<std::vector<std::uint32_t>> seen;
  for (std::uint64_t epoch = 0; epoch < 5; ++epoch) {
    CHECK(holds_every_number_once(order.epoch(epoch), 500));
    seen.insert(order.epoch(epoch));
  }
  CHECK(seen.size() == 5);
  CHECK(sample_order(set, 3).epoch(2) == order.epoch(2));
  CHECK(sample_order(set, 4).epoch(2) != order.epoch(2));
}

TEST_CASE("data: every order of four samples is about as likely as the others") {
  const sample_order order(shapes(4), 1);
  std::vector<std::pair<std::vector<std::uint32_t>, int>> counts;
  for (std::uint64_t epoch = 0; epoch < 2400; ++epoch) {
    const auto drawn = order.epoch(epoch);
    const auto known = std::ranges::find(counts, drawn, [](const auto& one) { return one.first; });
    if (known == counts.end())
      counts.emplace_back(drawn, 1);
    else
      ++known->second;
  }
  CHECK(counts.size() == 24);
  for (const auto& [unused, count] : counts) CHECK(std::abs(count - 100) < 50);
}

TEST_CASE("data: shards are visited a few at a time, their samples mixed") {
  const std::size_t each = 50, groups = 20;
  const sample_order order(grouped{each * groups - 7, each}, 9);
  for (std::uint64_t epoch = 0; epoch < 3; ++epoch) {
    const std::vector<std::uint32_t> visited = order.epoch(epoch);
    CHECK(holds_every_number_once(visited, each * groups - 7));
    // where every shard begins and ends in the order
    std::vector<std::size_t> first(groups, visited.size()), last(groups, 0);
    for (std::size_t at = 0; at < visited.size(); ++at) {
      const std::size_t shard = visited[at] / each;
      first[shard] = std::min(first[shard], at);
      last[shard] = std::max(last[shard], at);
    }
    for (std::size_t shard = 0; shard < groups; ++shard) {
      CHECK(last[shard] - first[shard] < sample_order::groups_at_once * each);
      CHECK(last[shard] - first[shard] > each);  // mixed with others
    }
  }
  CHECK(order.epoch(0) != order.epoch(1));
}

TEST_CASE("data: a few shards are shuffled like one set") {
  const std::vector<std::uint32_t> visited = sample_order(grouped{400, 100}, 1).epoch(0);
  CHECK(holds_every_number_once(visited, 400));
  std::set<std::uint32_t> shards_of_the_first_tenth;
  for (std::size_t i = 0; i < 40; ++i) shards_of_the_first_tenth.insert(visited[i] / 100);
  CHECK(shards_of_the_first_tenth.size() == 4);
}

TEST_CASE("data: a set without samples has no order") {
  CHECK_THROWS_WITH_AS(sample_order(grouped{0, 1}),
                       "cannot train on a set of 0 samples; there "
                       "must be 1 to 4294967295",
                       error);
}
