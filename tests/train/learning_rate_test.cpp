#include <doctest/doctest.h>

#include <cmath>

#include <effnet/train/learning_rate.hpp>

using namespace effnet;

namespace {

constexpr double images = 1'256'144;
const learning_rate imagenet{.batch = 4096, .steps_per_epoch = images / 4096};

}  // namespace

TEST_CASE("train: the peak of the learning rate grows with the batch") {
  CHECK(imagenet.peak() == doctest::Approx(0.256).epsilon(1e-12));
  CHECK(learning_rate{.batch = 2048}.peak() == doctest::Approx(0.128).epsilon(1e-12));
  CHECK(learning_rate{.base = 0.0005, .batch = 512}.peak() ==
        doctest::Approx(0.001).epsilon(1e-12));
}

TEST_CASE("train: the warm-up rises in a straight line and jumps to the staircase") {
  CHECK(imagenet.warmup_steps() == 1533);
  CHECK(imagenet.at(0) == 0);
  CHECK(imagenet.at(-1) == 0);
  CHECK(imagenet.at(511) == doctest::Approx(0.256 * 511 / 1533).epsilon(1e-12));
  CHECK(imagenet.at(1532) == doctest::Approx(0.25583).epsilon(1e-5));
  CHECK(imagenet.at(1533) == doctest::Approx(0.256 * 0.97 * 0.97).epsilon(1e-12));
  CHECK(imagenet.at(1533) == doctest::Approx(0.24087).epsilon(1e-5));
}

TEST_CASE("train: the exponential staircase passes through the published points") {
  CHECK(imagenet.at(5000) == doctest::Approx(0.21324).epsilon(2e-5));
  CHECK(imagenet.at(26834) == doctest::Approx(0.08551).epsilon(1e-4));
  CHECK(imagenet.at(53668) == doctest::Approx(0.02856).epsilon(2e-4));
  CHECK(imagenet.at(80502) == doctest::Approx(0.009255).epsilon(1e-4));
  CHECK(imagenet.at(107335) == doctest::Approx(0.003091).epsilon(2e-4));
}

TEST_CASE("train: a step of the staircase falls where 2.4 epochs of fractional length end") {
  // 7 * 2.4 * 306.67578125 = 5152.153125
  CHECK(imagenet.at(5152) == doctest::Approx(0.256 * std::pow(0.97, 6)).epsilon(1e-12));
  CHECK(imagenet.at(5153) == doctest::Approx(0.256 * std::pow(0.97, 7)).epsilon(1e-12));
}

TEST_CASE("train: cosine counts the warm-up in and ends at zero") {
  const learning_rate cosine{.base = 0.008,
                             .batch = 4096,
                             .steps_per_epoch = 100,
                             .total_steps = 6000,
                             .decay = decay_rule::cosine,
                             .warmup_epochs = 1};
  CHECK(cosine.at(50) == doctest::Approx(0.064).epsilon(1e-12));
  CHECK(cosine.at(100) ==
        doctest::Approx(0.5 * 0.128 * (1 + std::cos(std::acos(-1.0) / 60))).epsilon(1e-12));
  CHECK(cosine.at(3000) == doctest::Approx(0.064).epsilon(1e-12));
  CHECK(cosine.at(4500) == doctest::Approx(0.128 * 0.1464466094067262).epsilon(1e-12));
  CHECK(cosine.at(6000) == doctest::Approx(0));
  CHECK(cosine.at(9000) == cosine.at(6000));
}

TEST_CASE("train: linear decay is half way down at half the steps, constant stays") {
  learning_rate rate{.base = 0.256,
                     .steps_per_epoch = 100,
                     .total_steps = 1000,
                     .decay = decay_rule::linear,
                     .warmup_epochs = 0};
  CHECK(rate.at(0) == doctest::Approx(0.256).epsilon(1e-12));
  CHECK(rate.at(500) == doctest::Approx(0.128).epsilon(1e-12));
  CHECK(rate.at(1000) == 0);
  CHECK(rate.at(1001) == 0);
  rate.decay = decay_rule::constant;
  CHECK(rate.at(0) == rate.at(100'000));
}

TEST_CASE("train: the floor holds after the warm-up and grows with the batch") {
  learning_rate rate = imagenet;
  rate.floor = 0.001;
  CHECK(rate.at(1) == imagenet.at(1));
  CHECK(rate.at(5000) == imagenet.at(5000));
  CHECK(rate.at(107335) == doctest::Approx(0.016).epsilon(1e-12));
}

TEST_CASE("train: learning rates without sense are refused") {
  CHECK_NOTHROW(imagenet.check());
  CHECK_THROWS_AS(learning_rate{.decay = decay_rule::cosine}.check(), setting_error);
  CHECK_THROWS_AS(learning_rate{.base = -1}.check(), setting_error);
  CHECK_THROWS_AS(learning_rate{.base = NAN}.check(), setting_error);
  CHECK_THROWS_AS(learning_rate{.batch = 0}.check(), setting_error);
  CHECK_THROWS_AS(learning_rate{.steps_per_epoch = INFINITY}.check(), setting_error);
  CHECK_THROWS_AS(learning_rate{.warmup_epochs = -1}.check(), setting_error);
  CHECK_THROWS_AS(learning_rate{.factor = 1.5}.check(), setting_error);
}
