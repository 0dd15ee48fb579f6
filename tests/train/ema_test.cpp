#include <doctest/doctest.h>

#include <vector>

#include <effnet/train/ema.hpp>

using namespace effnet;

TEST_CASE("train: the average's decay warms up through the published points") {
  const ema average;
  CHECK(average.decay_at(0) == doctest::Approx(0.1).epsilon(1e-12));
  CHECK(average.decay_at(890) == doctest::Approx(0.99).epsilon(1e-12));
  CHECK(average.decay_at(889) < 0.99);
  CHECK(average.decay_at(8'990) == doctest::Approx(0.999).epsilon(1e-12));
  CHECK(average.decay_at(89'989) < 0.9999);
  CHECK(average.decay_at(89'990) == doctest::Approx(0.9999).epsilon(1e-12));
  CHECK(average.decay_at(89'991) == 0.9999);
  CHECK(average.decay_at(10'000'000) == 0.9999);
  CHECK(ema{.decay = 0.9996}.decay_at(1'000'000) == 0.9996);
}

TEST_CASE("train: without warm-up the average's decay is fixed") {
  const ema average{.decay = 0.9, .warm_up = false};
  CHECK(average.decay_at(0) == 0.9);
  CHECK(average.decay_at(1'000'000) == 0.9);
}

TEST_CASE("train: the shadow follows the values by hand-computed steps") {
  const ema average{.decay = 0.5};
  std::vector<float> shadow = {1, -2};
  average.update(shadow, std::vector<float>{2, -2}, 0);  // keeps 0.1
  CHECK(shadow[0] == doctest::Approx(1.9));
  CHECK(shadow[1] == -2);
  average.update(shadow, std::vector<float>{0, 2}, 1);  // 2 / 11
  CHECK(shadow[0] == doctest::Approx(1.9 * 2 / 11));
  CHECK(shadow[1] == doctest::Approx(-2.0 * 2 / 11 + 2.0 * 9 / 11));
  average.update(shadow, std::vector<float>{0, 0}, 100);  // at most 0.5
  CHECK(shadow[0] == doctest::Approx(1.9 / 11));
}

TEST_CASE("train: a decay near one moves the shadow by its whole share") {
  std::vector<float> shadow = {0};
  ema{.warm_up = false}.update(shadow, std::vector<float>{1}, 0);
  CHECK(shadow[0] == 1e-4f);
}

TEST_CASE("train: averages without sense are refused") {
  CHECK_NOTHROW(ema{}.check());
  CHECK_THROWS_AS(ema{.decay = 1}.check(), setting_error);
  CHECK_THROWS_AS(ema{.decay = -0.1}.check(), setting_error);
  std::vector<float> shadow = {0};
  CHECK_THROWS_AS(ema{}.update(shadow, std::vector<float>{1, 2}, 0), shape_error);
}
