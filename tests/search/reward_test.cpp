#include <doctest/doctest.h>

#include <effnet/search/reward.hpp>

TEST_CASE("search: rewards are the papers'") {
  using namespace effnet;
  const candidate_measures unit{.accuracy = 0.8, .step_seconds = 2, .parameters = 1e7};
  reward of{.unit = unit};
  CHECK(of.of(unit) == doctest::Approx(0.8));
  candidate_measures twice = unit;
  twice.step_seconds = 4;
  CHECK(of.of(twice) == doctest::Approx(0.8 * std::pow(2, -0.07)));
  twice.parameters = 4e7;
  CHECK(of.of(twice) == doctest::Approx(0.8 * std::pow(2, -0.07) * std::pow(4, -0.05)));

  // Twice the latency is worth 5 % of accuracy (MnasNet, section 3).
  of = {.rule = reward_rule::latency_soft, .target = 0.075};
  candidate_measures fast{.accuracy = 0.5, .latency_seconds = 0.075};
  candidate_measures slow{.accuracy = 0.5 * 1.05, .latency_seconds = 0.15};
  CHECK(of.of(fast) == doctest::Approx(of.of(slow)).epsilon(1e-3));
  of.rule = reward_rule::latency_hard;
  CHECK(of.of(fast) == 0.5);
  CHECK(of.of(slow) == doctest::Approx(0.5 * 1.05 / 2));
  of = {.rule = reward_rule::flops, .target = 4e8};
  CHECK(of.of({.accuracy = 0.7, .flops = 4e8}) == doctest::Approx(0.7));
  CHECK(of.of({.accuracy = 0.7, .flops = 8e8}) == doctest::Approx(0.7 * std::pow(2, -0.07)));

  of.target = 0;
  CHECK_THROWS_WITH_AS(of.check(), "reward 'flops' needs a positive target, but has 0", error);
  of = {};
  CHECK_THROWS_WITH_AS(of.check(),
                       "reward 'step_and_parameters' needs a positive step time of the unit, but "
                       "has 0",
                       error);
}
