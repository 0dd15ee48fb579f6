#include <doctest/doctest.h>

#include <set>
#include <string>

#include <effnet/reference/reference_training_backend.hpp>
#include <effnet/search/block_times.hpp>
#include <effnet/search/measured_times.hpp>
#include <effnet/search/prediction_error.hpp>
#include <effnet/search/repeated_timings.hpp>
#include <effnet/v2.hpp>

namespace {
using namespace effnet;

network_spec two_stages(int repeats) {
  return {.name = "two",
          .stem = 4,
          .stages = {fused_mbconv{.repeats = repeats, .expand = 2, .in = 4, .out = 4},
                     mbconv{.stride = 2, .in = 4, .out = 6, .se = 0.25f}},
          .head = 8,
          .classes = 3};
}
}  // namespace

TEST_CASE("search: block times add up over the blocks of a network") {
  block_times::entries seconds;
  double next = 1;
  for (const std::string& key : block_times().missing(two_stages(1), 32)) {
    seconds[key] = next;
    next *= 10;
  }
  CHECK(seconds.size() == 3);  // two blocks and the ends
  const block_times times(seconds);
  CHECK(times.of(two_stages(1), 32) == 111);
  CHECK(times.of(two_stages(3), 32) == 113);  // the first block's shape, twice more
  CHECK(times.missing(two_stages(3), 32).empty());
  CHECK(times.missing(two_stages(1), 34).size() == 3);
  CHECK_THROWS_WITH_AS(times.of(two_stages(1), 64),
                       "network 'two' has a shape that was not timed: fused_mbconv k3 s1 x2 4-4 "
                       "se0 @32",
                       spec_error);
}

TEST_CASE("search: every shape is timed once, however small its map is") {
  block_times times;
  const auto seconds_of = [&](const network_spec& spec, int height, int width) {
    return measured_step(spec, height, width, reference_training_backend{},
                         {.batch = 2, .seconds = 0, .least_runs = 1});
  };
  times.add(two_stages(2), 32, seconds_of);
  const block_times::entries first = times.seconds();
  CHECK(first.size() == 3);
  times.add(two_stages(3), 32, seconds_of);
  CHECK(times.seconds() == first);
  CHECK(times.of(two_stages(3), 32) > 0);
  // 32 pixels leave maps of 1 x 1 to a network that strides five times.
  network_spec deep = two_stages(1);
  for (int i = 0; i < 3; ++i) deep.stages.push_back(mbconv{.stride = 2, .in = 6, .out = 6});
  deep.stages.push_back(mbconv{.in = 6, .out = 6});
  times.add(deep, 32, seconds_of);
  CHECK(times.missing(deep, 32).empty());
}

TEST_CASE("search: errors of predictions") {
  const std::vector<double> measured = {1, 2, 3, 4};
  CHECK(error_of({10, 20, 30, 40}, measured).spearman == doctest::Approx(1));
  CHECK(error_of({4, 3, 2, 1}, measured).spearman == doctest::Approx(-1));
  CHECK(error_of({1, 3, 2, 4}, measured).spearman == doctest::Approx(0.8));
  CHECK(error_of({1, 2, 2, 4}, measured).spearman == doctest::Approx(0.948683));  // a tie
  CHECK(error_of({5, 5, 5, 5}, measured).spearman == 0);
  CHECK(error_of({2, 2, 3, 2}, measured).mean_relative == doctest::Approx(1.5 / 4));
}

TEST_CASE("search: of several rounds of timings the shortest counts") {
  double next = 5;
  int measured = 0;
  repeated_timings timings([&](const network_spec&, int, int) {
    ++measured;
    return next;
  });
  CHECK(timings(two_stages(1), 32, 32) == 5);
  next = 7;
  CHECK(timings(two_stages(2), 32, 32) == 7);
  CHECK(timings(two_stages(1), 32, 32) == 5);
  CHECK(measured == 2);
  next = 6;
  timings.again();
  CHECK(measured == 4);
  CHECK(timings(two_stages(1), 32, 32) == 5);
  CHECK(timings(two_stages(2), 32, 32) == 6);
  CHECK(timings(two_stages(2), 32, 40) == 6);
  CHECK(timings.count() == 3);
}
