#include <doctest/doctest.h>

#include <effnet/nn/training_network.hpp>
#include <effnet/reference/reference_training_backend.hpp>
#include <effnet/train/largest_batch.hpp>

using namespace effnet;

TEST_CASE("train: the largest batch within a memory limit fits, and one more would not") {
  const network_spec spec{.name = "small",
                          .stem = 8,
                          .stages = {mbconv{.repeats = 2, .expand = 4, .in = 8, .out = 8}},
                          .head = 16,
                          .classes = 4};
  training_network<reference_training_backend> net(initial_weights(spec));
  const auto plan_of = [&](shape4 shape) { return net.plan(shape); };
  const std::size_t beside = 100'000;
  for (std::size_t limit : {2'000'000u, 5'000'000u, 20'000'000u}) {
    const int batch = largest_batch(40, 3, limit, beside, 1000, plan_of);
    CHECK(plan_of({batch, 40, 40, 3}).total() + beside <= limit);
    CHECK(plan_of({batch + 1 + batch / 16, 40, 40, 3}).total() + beside > limit);
  }
  CHECK(largest_batch(40, 3, 20'000'000, beside, 3, plan_of) == 3);
  CHECK_THROWS_WITH_AS(largest_batch(40, 3, 200'000, beside, 8, plan_of),
                       doctest::Contains("for a batch of one"), setting_error);
}
