#include <doctest/doctest.h>

#include <vector>

#include <effnet/backend/gradient_check.hpp>
#include <effnet/core/rng.hpp>
#include <effnet/math/loss.hpp>

using namespace effnet;

TEST_CASE("math: losses have the gradients of finite differences, with class weights too") {
  constexpr int classes = 7;
  std::vector<float> logits(classes), target(classes), weights(classes), diff(classes),
      unused(classes);
  for (std::size_t k = 0; k < classes; ++k) {
    logits[k] = static_cast<float>(6 * uniform(1, k) - 3);
    weights[k] = static_cast<float>(2 * uniform(2, k));
  }
  target[2] = 0.7f;
  target[5] = 0.3f;
  const std::vector<const float*> choices = {nullptr, weights.data()};
  for (const auto loss_of : {math::softmax_cross_entropy, math::sigmoid_cross_entropy})
    for (const float* class_weights : choices)
      for (float smoothing : {0.0f, 0.1f}) {
        const auto loss = [&](float* to) {
          return loss_of(logits.data(), target.data(), classes, smoothing, class_weights, to);
        };
        loss(diff.data());
        const auto report = check_gradient(
            std::span<float>(logits), diff, [&] { return loss(unused.data()); }, 1e-3);
        CHECK(report.checked == classes);
        CHECK(report.largest_error < 2e-3);
      }
}

TEST_CASE("math: losses survive large logits") {
  const std::vector<float> large = {1000, -1000, 0}, one_hot = {0, 1, 0};
  std::vector<float> diff(3);
  CHECK(math::softmax_cross_entropy(large.data(), one_hot.data(), 3, 0, nullptr, diff.data()) ==
        2000);
  CHECK(diff == std::vector<float>{1, -1, 0});
  CHECK(math::sigmoid_cross_entropy(large.data(), one_hot.data(), 3, 0, nullptr, diff.data()) ==
        doctest::Approx(2000 + std::log(2.0)));
}

TEST_CASE("math: softmax cross-entropy is PyTorch's, with smoothing and class weights") {
  const std::vector<float> logits = {1, 2, 3}, first = {1, 0, 0}, weights = {2, 1, 0.5f};
  std::vector<float> diff(3);
  // cross_entropy([1, 2, 3], 0, label_smoothing=0.1)
  CHECK(math::softmax_cross_entropy(logits.data(), first.data(), 3, 0.1f, nullptr, diff.data()) ==
        doctest::Approx(2.3076059));
  // -log p = 2.4076059, 1.4076059, 0.4076059; t = 0.9333, 0.0333, 0.0333
  CHECK(math::softmax_cross_entropy(logits.data(), first.data(), 3, 0.1f, weights.data(),
                                    diff.data()) ==
        doctest::Approx(2 * 0.93333333 * 2.4076059 + 0.03333333 * 1.4076059 +
                        0.5 * 0.03333333 * 0.4076059));
}
