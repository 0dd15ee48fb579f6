#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include <effnet/train/optimizer.hpp>

using namespace effnet;

namespace {

/// A tensor with its optimizer's slots.
template <optimizer Rule>
struct trained {
  Rule rule;
  std::vector<float> values;
  std::vector<std::vector<float>> memory = {};

  void step(const std::vector<float>& gradients, const optimizer_step& at) {
    optimizer_slots<Rule::slot_count> slots;
    for (std::size_t s = 0; s < Rule::slot_count; ++s) {
      if (memory.size() <= s) memory.emplace_back(values.size(), Rule::initial_slots[s]);
      slots[s] = memory[s];
    }
    rule.step(values, gradients, slots, at);
  }
};

doctest::Approx near(double expected) {
  return doctest::Approx(expected).epsilon(1e-6);
}

}  // namespace

TEST_CASE("train: SGD goes through its momentum, with and without Nesterov") {
  trained<sgd> plain{{}, {1, -1}}, ahead{{.nesterov = true}, {1, -1}};
  plain.step({2, 0}, {.learning_rate = 0.1});
  plain.step({-1, 0}, {.learning_rate = 0.1});
  CHECK(plain.values[0] == near(0.72));
  CHECK(plain.values[1] == -1);
  ahead.step({2, 0}, {.learning_rate = 0.1});
  ahead.step({-1, 0}, {.learning_rate = 0.1});
  CHECK(ahead.values[0] == near(0.648));
  CHECK(ahead.values[1] == -1);
}

TEST_CASE("train: RMSProp starts with a mean square of one") {
  trained<rmsprop> tensor{{}, {1, 0}};
  tensor.step({2, -2}, {.learning_rate = 0.1});
  const double first = 0.2 / std::sqrt(1.301);
  CHECK(tensor.values[0] == near(1 - first));
  CHECK(tensor.values[1] == near(first));
  CHECK(tensor.memory[0][0] == near(1.3));
  CHECK(tensor.memory[1][0] == near(first));
  tensor.step({0, 0}, {.learning_rate = 0.01});
  CHECK(tensor.values[0] == near(1 - 1.9 * first));
}

TEST_CASE("train: AdamW's first step is one learning rate long whatever the gradient") {
  trained<adamw> tensor{{.weight_decay = 0}, {1, 1, 1}};
  tensor.step({2, -1e-3f, 1000}, {.learning_rate = 0.1});
  CHECK(tensor.values[0] == near(0.9));
  CHECK(tensor.values[1] == doctest::Approx(1.1).epsilon(1e-5));
  CHECK(tensor.values[2] == near(0.9));
}

TEST_CASE("train: AdamW counts its steps from those already done") {
  trained<adamw> tensor{{.beta2 = 0.99, .weight_decay = 0.5}, {1}};
  tensor.step({2}, {.learning_rate = 0.1, .steps_done = 0});
  tensor.step({-1}, {.learning_rate = 0.1, .steps_done = 1});
  CHECK(tensor.values[0] == near(0.85 * 0.95 - 0.1 * (0.08 / 0.19) / std::sqrt(0.0496 / 0.0199)));
}

TEST_CASE("train: coupled weight decay passes through the optimizer") {
  trained<sgd> slow{{.momentum = 0, .weight_decay = 0.1}, {2}};
  slow.step({0.5f}, {.learning_rate = 0.1});
  CHECK(slow.values[0] == near(2 - 0.1 * 0.7));
  trained<rmsprop> root{{.weight_decay = 0.1}, {2}};
  root.step({0.5f}, {.learning_rate = 0.1});
  CHECK(root.memory[0][0] == near(1 + 0.1 * (0.49 - 1)));
  CHECK(root.values[0] == near(2 - 0.1 * 0.7 / std::sqrt(0.95)));
}

TEST_CASE("train: decoupled weight decay does not pass through AdamW's means") {
  trained<adamw> tensor{{.weight_decay = 0.1}, {2}};
  tensor.step({0}, {.learning_rate = 0.1});
  CHECK(tensor.values[0] == near(2 * 0.99));
  CHECK(tensor.memory[0][0] == 0);
  CHECK(tensor.memory[1][0] == 0);
}

TEST_CASE("train: tensors outside the decayed set do not decay") {
  trained<sgd> first{{.weight_decay = 0.1}, {2}};
  trained<rmsprop> second{{.weight_decay = 0.1}, {2}};
  trained<adamw> third{{.weight_decay = 0.1}, {2}};
  first.step({0}, {.learning_rate = 0.1, .decays = false});
  second.step({0}, {.learning_rate = 0.1, .decays = false});
  third.step({0}, {.learning_rate = 0.1, .decays = false});
  CHECK(first.values[0] == 2);
  CHECK(second.values[0] == 2);
  CHECK(third.values[0] == 2);
}

TEST_CASE("train: a tensor updated in parts gets the same bits as in one piece") {
  trained<rmsprop> whole{{.weight_decay = 1e-5}, {}};
  std::vector<float> gradients;
  for (int i = 0; i < 37; ++i) {
    whole.values.push_back(std::sin(static_cast<float>(i)));
    gradients.push_back(std::cos(static_cast<float>(i)));
  }
  std::vector<float> values = whole.values, mean_square(37, 1), momentum(37, 0);
  whole.step(gradients, {.learning_rate = 0.1});
  for (std::size_t from = 0; from < 37; from += 5) {
    const std::size_t count = from + 5 < 37 ? 5 : 37 - from;
    const auto part = [&](std::vector<float>& all) { return std::span(all).subspan(from, count); };
    whole.rule.step(part(values), part(gradients), {part(mean_square), part(momentum)},
                    {.learning_rate = 0.1});
  }
  CHECK(values == whole.values);
  CHECK(mean_square == whole.memory[0]);
}

TEST_CASE("train: optimizers refuse lengths that differ and settings without sense") {
  std::vector<float> three(3), two(2);
  CHECK_THROWS_AS(sgd{}.step(three, two, {three}, {}), shape_error);
  CHECK_THROWS_AS(rmsprop{}.step(three, three, {three, two}, {}), shape_error);
  CHECK_NOTHROW(sgd{}.check());
  CHECK_NOTHROW(rmsprop{}.check());
  CHECK_NOTHROW(adamw{}.check());
  CHECK_THROWS_AS(sgd{.momentum = 1}.check(), setting_error);
  CHECK_THROWS_AS(rmsprop{.decay = -0.5}.check(), setting_error);
  CHECK_THROWS_AS(rmsprop{.epsilon = NAN}.check(), setting_error);
  CHECK_THROWS_AS(adamw{.weight_decay = -1}.check(), setting_error);
}
