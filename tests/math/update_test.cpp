#include <doctest/doctest.h>

#include <cmath>

#include <effnet/math/update.hpp>

using namespace effnet;

namespace {

doctest::Approx near(double expected) {
  return doctest::Approx(expected).epsilon(1e-6);
}

}  // namespace

TEST_CASE("math: momentum gathers gradients, and the rate is applied to what is gathered") {
  float value = 1, momentum = 0;
  math::sgd(value, momentum, 2, 0.1f, 0.9f, false);
  CHECK(momentum == near(2));
  CHECK(value == near(0.8));
  math::sgd(value, momentum, -1, 0.1f, 0.9f, false);
  CHECK(momentum == near(0.8));
  CHECK(value == near(0.72));
  math::sgd(value, momentum, 0, 0.01f, 0.9f, false);  // a smaller rate rescales the history
  CHECK(momentum == near(0.72));
  CHECK(value == near(0.7128));
}

TEST_CASE("math: Nesterov's momentum looks ahead") {
  float value = 1, momentum = 0;
  math::sgd(value, momentum, 2, 0.1f, 0.9f, true);
  CHECK(momentum == near(2));
  CHECK(value == near(0.62));  // 1 - 0.1 (2 + 0.9 * 2)
  math::sgd(value, momentum, -1, 0.1f, 0.9f, true);
  CHECK(momentum == near(0.8));
  CHECK(value == near(0.648));  // 0.62 - 0.1 (-1 + 0.9 * 0.8)
}

TEST_CASE("math: RMSProp has epsilon inside the root and the rate inside the momentum") {
  float value = 1, mean_square = 1, momentum = 0;
  math::rmsprop(value, mean_square, momentum, 2, 0.1f, 0.9f, 0.9f, 0.001f);
  CHECK(mean_square == near(1.3));  // 1 + 0.1 (4 - 1)
  const double first = 0.1 * 2 / std::sqrt(1.301);
  CHECK(momentum == near(first));
  CHECK(value == near(1 - first));
  math::rmsprop(value, mean_square, momentum, 0, 0.01f, 0.9f, 0.9f, 0.001f);
  CHECK(mean_square == near(1.17));
  CHECK(momentum == near(0.9 * first));  // the smaller rate leaves the history alone
  CHECK(value == near(1 - 1.9 * first));

  float tiny = 0, nothing = 0, still = 0;
  math::rmsprop(tiny, nothing, still, 1e-3f, 1, 0.9f, 0, 0.001f);
  CHECK(tiny == near(-1e-3 / std::sqrt(1e-7 + 1e-3)));
}

TEST_CASE("math: AdamW corrects its means and decays beside the gradient") {
  const auto at = [](int t) {
    return math::adamw_step{.rate = 0.1f,
                            .beta1 = 0.9f,
                            .beta2 = 0.99f,
                            .epsilon = 1e-8f,
                            .decay = 0.5f,
                            .correction1 = static_cast<float>(1 - std::pow(0.9, t)),
                            .correction2 = static_cast<float>(1 - std::pow(0.99, t))};
  };
  float value = 1, mean = 0, mean_square = 0;
  math::adamw(value, mean, mean_square, 2, at(1));
  CHECK(mean == near(0.2));
  CHECK(mean_square == near(0.04));
  CHECK(value == near(0.85));  // 0.95 - 0.1: the first step is one rate long
  math::adamw(value, mean, mean_square, -1, at(2));
  CHECK(mean == near(0.08));
  CHECK(mean_square == near(0.0496));
  CHECK(value == near(0.85 * 0.95 - 0.1 * (0.08 / 0.19) / std::sqrt(0.0496 / 0.0199)));
}

TEST_CASE("math: weight decay adds the slope of a parabola") {
  CHECK(math::with_weight_decay(0.5f, -3, 0.01f) == near(0.47));
  CHECK(math::with_weight_decay(0.5f, -3, 0) == 0.5f);
}

TEST_CASE("math: a moving average keeps its share") {
  float shadow = 10;
  math::moving_average(shadow, 20, 0.1f);
  CHECK(shadow == near(11));
  math::moving_average(shadow, shadow, 0.3f);
  CHECK(shadow == near(11));
}
