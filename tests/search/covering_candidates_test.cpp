#include <doctest/doctest.h>

#include <limits>
#include <string>

#include <effnet/search.hpp>
#include <effnet/v1.hpp>
#include <effnet/v2.hpp>

namespace {
using namespace effnet;

/// Blocks with made-up times, so that nothing has to run.
block_times covered(const search_space& space, int size) {
  block_times times;
  double next = 1;
  for (const candidate& c : covering_candidates(space))
    times.add(space.decode(c), size, [&](const auto&...) { return next++; });
  return times;
}
}  // namespace

TEST_CASE("search: covering candidates have every block that a network of their space can have") {
  network_spec skeleton = v2_b0;
  skeleton.stages.count = 4;
  for (const search_space& space :
       {v2_space(v2_s), v2_space(v2_b0), mnasnet_space(b0), v2_space(skeleton)}) {
    const block_times times = covered(space, 64);
    CHECK(covering_candidates(space).size() < 2000);
    for (std::uint64_t n = 0; n < 500; ++n) {
      random_draws draws(5, 0, n, draw_purpose::search);
      const network_spec spec = space.decode(space.sample(draws));
      REQUIRE(times.missing(spec, 64).empty());
    }
  }
}

TEST_CASE("search: stages that are left out one after the other are covered too") {
  network_spec skeleton = v2_b0;
  skeleton.stages = {fused_mbconv{.in = 32, .out = 16}, mbconv{.in = 16, .out = 24},
                     mbconv{.in = 24, .out = 32}, mbconv{.in = 32, .out = 40}};
  const stage_choices may_go{.ops = {{block_op::mbconv}, {block_op::fused_mbconv}},
                             .repeats = {0, 2},
                             .kernels = {3},
                             .expands = {1, 4},
                             .ses = {0}};
  stage_choices stays = may_go;
  stays.repeats = {1};
  for (const std::vector<stage_choices>& choices :
       {std::vector{stays, may_go, may_go, may_go}, std::vector{may_go, stays, may_go, may_go}}) {
    const search_space space(skeleton, choices);
    const block_times times = covered(space, 32);
    std::size_t networks = 0;
    space.for_each([&](const candidate& c) {
      REQUIRE(times.missing(space.decode(c), 32).empty());
      return ++networks < std::numeric_limits<std::size_t>::max();
    });
    CHECK(static_cast<double>(networks) == space.count());
  }
}

TEST_CASE("search: the cheapest candidate is that of an exhaustive search") {
  network_spec skeleton = v2_b0;
  skeleton.stages = {fused_mbconv{.in = 32, .out = 16}, mbconv{.repeats = 2, .in = 16, .out = 24}};
  const search_space space = v2_space(skeleton);
  const auto parameters = [](const network_spec& spec) {
    return static_cast<double>(count_parameters(spec));
  };
  double least = std::numeric_limits<double>::infinity();
  space.for_each([&](const candidate& c) {
    least = std::min(least, parameters(space.decode(c)));
    return true;
  });
  const auto [found, cost] = cheapest_candidate(space, parameters);
  CHECK(cost == least);
  CHECK(parameters(space.decode(found)) == least);
}
