#include <doctest/doctest.h>

#include <cstring>

#include <effnet/reference/reference_training_backend.hpp>
#include <effnet/train/gradient_clipping.hpp>
#include <effnet/train/trainer.hpp>

#include "../oracle_fill.hpp"
#include "toy_network.hpp"

namespace {
using namespace effnet;
using namespace effnet::testing;

/// A learning rate that never changes.
learning_rate always(double rate) {
  return {.base = rate, .decay = decay_rule::constant, .warmup_epochs = 0};
}

template <class Trainer>
std::vector<std::vector<float>> values_of(Trainer& t) {
  std::vector<std::vector<float>> copies;
  for (std::size_t i = 0; i < t.network().tensors().size(); ++i)
    copies.emplace_back(t.values(i).begin(), t.values(i).end());
  return copies;
}

template <class Trainer>
step_report step(Trainer& t, const toy_images& images, float factor = 1) {
  return t.step(
      {.images = images.view(), .targets = images.targets.data(), .learning_rate_factor = factor});
}

bool same_bytes(const weights& a, const weights& b) {
  for (std::size_t i = 0; i < a.tensors.size(); ++i)
    if (a.tensors[i].data != nullptr &&
        std::memcmp(a.tensors[i].data, b.tensors[i].data, a.tensors[i].bytes()) != 0)
      return false;
  return true;
}
}  // namespace

TEST_CASE("train: a step is the optimizer's on every trained tensor") {
  trainer t{toy_network(), sgd{.momentum = 0}, training_options{.rate = always(0.1)}};
  const auto before = values_of(t);
  const step_report report = step(t, toy_images(2));
  CHECK(report.step == 0);
  CHECK(report.learning_rate == doctest::Approx(0.1));
  CHECK(t.steps_done() == 1);
  CHECK(t.network().changes == 1);
  double squares = 0;
  for (std::size_t i = 0; i < before.size(); ++i)
    for (std::size_t k = 0; k < before[i].size(); ++k) {
      if (t.network().trained(i)) {
        squares += double{before[i][k]} * double{before[i][k]};
        REQUIRE(t.values(i)[k] == doctest::Approx(before[i][k] * 0.9f).epsilon(1e-6));
      } else {
        REQUIRE(t.values(i)[k] == doctest::Approx(before[i][k] + 0.1f).epsilon(1e-6));
      }
    }
  CHECK(report.gradient_norm == doctest::Approx(std::sqrt(squares)));
  CHECK(report.loss == doctest::Approx(squares / 2));
}

TEST_CASE("train: the moving average follows values and statistics, with the step's decay") {
  trainer t{toy_network(), sgd{.momentum = 0}, training_options{.rate = always(0.1)}};
  std::vector<std::vector<float>> shadow = values_of(t);
  for (int n = 0; n < 3; ++n) {
    step(t, toy_images(1));
    const double decay = (1.0 + n) / (10.0 + n);
    for (std::size_t i = 0; i < shadow.size(); ++i)
      for (std::size_t k = 0; k < shadow[i].size(); ++k)
        shadow[i][k] += static_cast<float>(1 - decay) * (t.values(i)[k] - shadow[i][k]);
  }
  for (std::size_t i = 0; i < shadow.size(); ++i)
    for (std::size_t k = 0; k < shadow[i].size(); ++k)
      REQUIRE(t.average(i)[k] == doctest::Approx(shadow[i][k]).epsilon(1e-6));
  CHECK_FALSE(same_bytes(t.averaged(), t.current()));
  CHECK(t.averaged().labels == std::vector<std::string>{"a", "b", "c"});
}

TEST_CASE("train: without a moving average the averaged network is the current one") {
  trainer t{toy_network(), sgd{}, training_options{.rate = always(0.1), .averaged = false}};
  step(t, toy_images(1));
  CHECK(t.average(0).empty());
  CHECK(same_bytes(t.averaged(), t.current()));
}

TEST_CASE("train: the same steps give the same bits however threads share the work") {
  const network_spec wide = {.name = "wide",
                             .stem = 64,
                             .stages = {mbconv{.repeats = 1, .expand = 4, .in = 64, .out = 160}},
                             .head = 320,
                             .classes = 3};
  const training_options options{.rate = always(0.01), .clip = 0.5, .accumulation = 2};
  trainer one{toy_network({1}, false, wide), rmsprop{.weight_decay = 1e-3}, options};
  trainer many{toy_network({7}, false, wide), rmsprop{.weight_decay = 1e-3}, options};
  for (int n = 0; n < 3; ++n) {
    const step_report a = step(one, toy_images(4)), b = step(many, toy_images(4));
    CHECK(a.gradient_norm == b.gradient_norm);
  }
  CHECK(same_bytes(one.current(), many.current()));
  CHECK(same_bytes(one.averaged(), many.averaged()));
}

TEST_CASE("train: gradients of a batch in parts are those of the whole") {
  toy_images images(5);
  for (std::size_t k = 0; k < images.pixels.size(); ++k)
    images.pixels[k] = static_cast<float>(k) / 8;
  trainer whole{toy_network(), sgd{}, training_options{.rate = always(0.1)}};
  trainer parts{toy_network(), sgd{}, training_options{.rate = always(0.1), .accumulation = 2}};
  const step_report a = step(whole, images), b = step(parts, images);
  CHECK(a.loss == doctest::Approx(b.loss));
  CHECK(a.gradient_norm == doctest::Approx(b.gradient_norm));
  REQUIRE(parts.network().seen.size() == 2);
  CHECK(parts.network().seen[0].images.shape.n == 3);
  CHECK(parts.network().seen[1].images.shape.n == 2);
  CHECK(parts.network().seen[1].first_image == 3);
  CHECK(parts.network().seen[1].images.data == images.pixels.data() + 9);
  CHECK(parts.network().seen[1].targets == images.targets.data() + 9);
  for (std::size_t i = 0; i < whole.network().tensors().size(); ++i)
    if (whole.network().trained(i))
      for (std::size_t k = 0; k < whole.values(i).size(); ++k)
        REQUIRE(whole.values(i)[k] == doctest::Approx(parts.values(i)[k]).epsilon(1e-5));
  CHECK_THROWS_AS(step(parts, toy_images(1)), shape_error);
}

TEST_CASE("train: gradients are clipped tensor by tensor and then together") {
  toy_network net;
  std::vector<std::vector<float>> expected;
  net.forward_backward({.images = toy_images(1).view()});
  std::vector<std::span<float>> gradients;
  for (std::size_t i = 0; i < net.tensors().size(); ++i) {
    expected.emplace_back(net.gradient(i).begin(), net.gradient(i).end());
    gradients.emplace_back(expected.back());
  }
  const double norm = clip_gradients(std::span<const std::span<float>>(gradients), 1.5);
  trainer t{toy_network(), sgd{}, training_options{.rate = always(0.1), .clip = 1.5}};
  CHECK(step(t, toy_images(1)).gradient_norm == doctest::Approx(norm));
  for (std::size_t i = 0; i < expected.size(); ++i)
    for (std::size_t k = 0; k < expected[i].size(); ++k)
      REQUIRE(t.slots(i)[0][k] == doctest::Approx(expected[i][k]).epsilon(1e-5));
}

TEST_CASE("train: the rate falls from block to block towards the stem") {
  CHECK(depth_from_classifier(b0, {.role = layer_role::classifier}) == 0);
  CHECK(depth_from_classifier(b0, {.role = layer_role::head}) == 1);
  CHECK(depth_from_classifier(b0, {.role = layer_role::project, .flat_block = 15}) == 2);
  CHECK(depth_from_classifier(b0, {.role = layer_role::depthwise, .flat_block = 0}) == 17);
  CHECK(depth_from_classifier(b0, {.role = layer_role::stem}) == 18);
  trainer t{toy_network(), sgd{}, training_options{.rate = always(0.1), .layer_decay = 0.5}};
  const auto before = values_of(t);
  step(t, toy_images(1));
  const auto moved = [&](std::size_t i) { return 1 - t.values(i)[0] / before[i][0]; };
  CHECK(moved(0) == doctest::Approx(0.1 / 32).epsilon(1e-3));  // stem, 3 blocks, head, classifier
  CHECK(moved(before.size() - 2) == doctest::Approx(0.1));
}

TEST_CASE("train: frozen tensors stay, and their averages with them") {
  trainer t{toy_network({}, true), rmsprop{.weight_decay = 0.1},
            training_options{.rate = always(0.1)}};
  const auto before = values_of(t);
  step(t, toy_images(1));
  CHECK(std::ranges::equal(t.values(0), before[0]));
  CHECK(std::ranges::equal(t.average(0), before[0]));
  CHECK(t.slots(0)[0].empty());
}

TEST_CASE("train: a loss that is no number is refused before anything changes") {
  trainer t{toy_network(), rmsprop{}, training_options{.rate = always(0.1)}};
  step(t, toy_images(1));
  const weights before = t.current(), average = t.averaged();
  CHECK_THROWS_WITH_AS(step(t, toy_images(1, std::numeric_limits<float>::quiet_NaN())),
                       doctest::Contains("step 1: the loss is nan; the first layer with such "
                                         "numbers is stem"),
                       training_error);
  CHECK(same_bytes(before, t.current()));
  CHECK(same_bytes(average, t.averaged()));
  CHECK(t.steps_done() == 1);
}

TEST_CASE("train: a gradient that is no number is refused before anything changes") {
  toy_network net;
  net.spoilt_gradient = true;
  for (int parts : {1, 2}) {
    trainer t{net, adamw{}, training_options{.rate = always(0.1), .accumulation = parts}};
    const weights before = t.current();
    CHECK_THROWS_WITH_AS(step(t, toy_images(2)), doctest::Contains("a gradient is nan"),
                         training_error);
    CHECK(same_bytes(before, t.current()));
  }
}

TEST_CASE("train: options without sense are refused") {
  const auto make = [](const training_options& options) { trainer{toy_network(), sgd{}, options}; };
  CHECK_THROWS_AS(make({.clip = -1}), setting_error);
  CHECK_THROWS_AS(make({.accumulation = 0}), setting_error);
  CHECK_THROWS_AS(make({.label_smoothing = 1}), setting_error);
  CHECK_THROWS_AS(make({.class_weights = {1, 1}}), setting_error);
  CHECK_THROWS_AS(make({.layer_decay = 0}), setting_error);
  CHECK_THROWS_AS(make({.rate = {.base = -1}}), setting_error);
  CHECK_THROWS_AS((trainer{toy_network(), sgd{.momentum = 2}, training_options{}}), setting_error);
}

TEST_CASE("train: a trainer is made of a network, or of weights and a backend") {
  const weights start = initial_weights(toy_table());
  const training_options options{.rate = always(0.05), .label_smoothing = 0};
  trainer a{training_network<reference_training_backend>(start), rmsprop{}, options};
  trainer b{start, rmsprop{}, options, reference_training_backend{}};
  static_assert(std::is_same_v<decltype(a), decltype(b)>);
  const shape4 shape{4, 32, 32, 3};
  const std::vector<float> images = oracle_images(shape);
  std::vector<float> targets(12);
  for (std::size_t n = 0; n < 4; ++n) targets[n * 3 + n % 3] = 1;
  double first = 0, last = 0;
  for (int n = 0; n < 30; ++n) {
    last = a.step({.images = {images.data(), shape}, .targets = targets.data()}).loss;
    if (n == 0) first = last;
    b.step({.images = {images.data(), shape}, .targets = targets.data()});
  }
  CHECK(last < 0.6 * first);
  CHECK(same_bytes(a.current(), b.current()));
  CHECK(a.plan(shape).total() > 0);
  CHECK(a.state_bytes() > 0);
}
