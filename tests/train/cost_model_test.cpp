#include <doctest/doctest.h>

#include <effnet/train/cost_model.hpp>

using effnet::cost_model;

TEST_CASE("train: the cost model knows nothing before the first step") {
  cost_model cost;
  CHECK_FALSE(cost.knows());
  CHECK(cost.seconds_per_image(64) == 0);
  cost.add(64, 0, 1);
  cost.add(64, 1, -1);
  CHECK_FALSE(cost.knows());
}

TEST_CASE("train: of one size the cost model makes others by their pixels") {
  cost_model cost;
  cost.add(64, 10, 5);
  CHECK(cost.knows());
  CHECK(cost.seconds_per_image(64) == doctest::Approx(0.5));
  CHECK(cost.seconds_per_image(128) == doctest::Approx(2));
}

TEST_CASE("train: of two sizes and more the cost model learns what does not depend on the size") {
  cost_model cost;
  const auto truth = [](int side) { return 0.1 + 2e-5 * side * side; };
  for (int side : {64, 86}) cost.add(side, 16, 16 * truth(side));
  CHECK(cost.seconds_per_image(128) == doctest::Approx(truth(128)));
  cost.add(107, 16, 16 * truth(107));
  CHECK(cost.seconds_per_image(300) == doctest::Approx(truth(300)));
}

TEST_CASE("train: the cost model tells nothing below zero") {
  cost_model falling;
  falling.add(64, 1, 2);
  falling.add(128, 1, 1);
  CHECK(falling.seconds_per_image(256) == doctest::Approx(4));
  cost_model steep;
  steep.add(64, 1, 0.01);
  steep.add(128, 1, 1);
  CHECK(steep.seconds_per_image(32) == doctest::Approx(0.0025));
  CHECK(steep.seconds_per_image(256) == doctest::Approx(4));
}

TEST_CASE("train: the cost model forgets a slow first step and follows a change") {
  cost_model cost;
  cost.add(64, 1, 100);
  cost.add(64, 1, 1);
  CHECK(cost.seconds_per_image(64) == doctest::Approx(1));
  for (int i = 0; i < 200; ++i) cost.add(64, 1, 2);
  CHECK(cost.seconds_per_image(64) == doctest::Approx(2).epsilon(0.01));
}
