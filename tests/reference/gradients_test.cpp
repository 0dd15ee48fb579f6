#include <functional>
#include <limits>

#include <effnet/backend/gradient_check.hpp>
#include <effnet/math/loss.hpp>
#include <effnet/reference.hpp>
#include <effnet/reference/batch_norm.hpp>
#include <effnet/reference/convolution_backward.hpp>

#include "../op_check.hpp"

// Every backward op against finite differences of its forward op: the loss is the output summed
// against fixed noise, so that noise is the output's gradient.
namespace {
using namespace effnet;
using namespace effnet::testing;

double weighted_sum(const std::vector<float>& values, const std::vector<float>& weights) {
  double sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) sum += double{values[i]} * double{weights[i]};
  return sum;
}

void expect_gradient(std::vector<float>& values, const std::vector<float>& gradient,
                     const std::function<double()>& loss, double step, double tolerance = 2e-3) {
  const gradient_report report = check_gradient(std::span<float>(values), gradient, loss, step);
  CAPTURE(report.worst);
  CHECK(report.checked > 0);
  CHECK(report.largest_error < tolerance);
}
}  // namespace

TEST_CASE("reference: gradients of convolutions are those of finite differences") {
  const reference_backend on;
  for (const conv_case& at : small_conv_cases()) {
    if (at.then != epilogue{.before = at.then.before}) continue;  // each shape once
    CAPTURE(at.name);
    const conv_problem& p = at.problem;
    conv_data data(p);
    const std::vector<float> diff_dst = noise(p.dst().elements(), 9);
    const auto loss = [&] {
      return weighted_sum(run_conv(on, p, {}, data.src, data.weights.data(), data.bias.data(),
                                   std::vector<float>(p.dst().elements())),
                          diff_dst);
    };
    const auto packed = on.plan_conv(p).pack(data.weights.data(), nullptr);
    std::vector<float> diff_src(data.src.size()), diff_weights(data.weights.size()),
        diff_bias(data.bias.size());
    reference::convolution_backward_data(p, packed, diff_dst.data(), diff_src.data());
    reference::convolution_backward_weights(p, data.src.data(), diff_dst.data(),
                                            diff_weights.data(), diff_bias.data());
    expect_gradient(data.src, diff_src, loss, 0.1);
    expect_gradient(data.weights, diff_weights, loss, 0.1);
    expect_gradient(data.bias, diff_bias, loss, 0.1);
  }
}

TEST_CASE("reference: gradients of activations are those of finite differences") {
  const shape4 shape{2, 3, 5, 7};
  const std::vector<float> diff_dst = noise(shape.elements(), 1);
  using enum activation;
  for (activation act : {identity, silu, relu, relu6, sigmoid}) {
    std::vector<float> src = noise(shape.elements(), 2, 8);
    for (float& x : src)  // finite differences know nothing at a corner
      if (std::abs(x) < 0.05f || std::abs(x - 6) < 0.05f) x += 0.1f;
    std::vector<float> dst(src.size()), diff_src(src.size());
    reference::activation_backward(act, {src.data(), shape}, {diff_dst.data(), shape},
                                   {diff_src.data(), shape});
    expect_gradient(
        src, diff_src,
        [&] {
          reference::activation_forward(act, {src.data(), shape}, {dst.data(), shape});
          return weighted_sum(dst, diff_dst);
        },
        1e-2);
  }
}

TEST_CASE("reference: gradients of batch norm in training are those of finite differences") {
  const shape4 shape{3, 2, 4, 5};
  std::vector<float> src = noise(shape.elements(), 1, 2), scale = noise(5, 2), shift = noise(5, 3);
  const std::vector<float> diff_dst = noise(shape.elements(), 4);
  constexpr float eps = 1e-3f;
  std::vector<float> dst(src.size()), diff_src(src.size()), diff_scale(5), diff_shift(5);
  const auto forward = [&] {
    return reference::batch_norm_forward({src.data(), shape}, scale.data(), shift.data(), eps,
                                         {dst.data(), shape});
  };
  const auto batch = forward();
  reference::batch_norm_backward({src.data(), shape}, batch, scale.data(), eps,
                                 {diff_dst.data(), shape}, {diff_src.data(), shape},
                                 diff_scale.data(), diff_shift.data());
  const auto loss = [&] {
    forward();
    return weighted_sum(dst, diff_dst);
  };
  expect_gradient(src, diff_src, loss, 1e-2);
  expect_gradient(scale, diff_scale, loss, 1e-1);
  expect_gradient(shift, diff_shift, loss, 1e-1);
}

TEST_CASE("reference: batch norm moves the running statistics by either library's rule") {
  const shape4 shape{1, 1, 4, 1};
  const std::vector<float> src = {1, 2, 3, 6};  // mean 3, biased variance 3.5, unbiased 14 / 3
  const float scale = 2, shift = 1;
  std::vector<float> dst(4);
  const auto batch =
      reference::batch_norm_forward({src.data(), shape}, &scale, &shift, 0.5f, {dst.data(), shape});
  CHECK(batch.mean[0] == 3.0f);
  CHECK(batch.variance[0] == 3.5f);
  CHECK(dst[3] == doctest::Approx(1 + 2 * 3 / 2.0));
  float mean = 1, variance = 1;
  using enum reference::running_variance;
  update_running_statistics(batch, 4, 0.1f, biased, &mean, &variance);
  CHECK(mean == doctest::Approx(1.2f));
  CHECK(variance == doctest::Approx(1.25f));
  mean = variance = 1;
  update_running_statistics(batch, 4, 0.1f, unbiased, &mean, &variance);
  CHECK(variance == doctest::Approx(0.9 + 0.1 * 14 / 3));
  update_running_statistics(batch, 1, 1.0f, unbiased, &mean,
                            &variance);  // one pixel: nothing to divide by
  CHECK(variance == doctest::Approx(3.5f));
}

TEST_CASE(
    "reference: gradients of the squeeze-excite gate and of pooling are those of finite "
    "differences") {
  const shape4 shape{2, 3, 4, 5}, pooled{2, 1, 1, 5};
  std::vector<float> src = noise(shape.elements(), 1), gate = noise(pooled.elements(), 2);
  const std::vector<float> diff_dst = noise(shape.elements(), 3),
                           diff_mean = noise(pooled.elements(), 4);
  std::vector<float> dst(src.size()), mean(gate.size()), diff_src(src.size()),
      diff_gate(gate.size());
  reference::scale_channels_backward({src.data(), shape}, {gate.data(), pooled},
                                     {diff_dst.data(), shape}, {diff_src.data(), shape},
                                     {diff_gate.data(), pooled});
  const auto gated = [&] {
    reference::scale_channels_forward({src.data(), shape}, {gate.data(), pooled},
                                      {dst.data(), shape});
    return weighted_sum(dst, diff_dst);
  };
  expect_gradient(src, diff_src, gated, 0.1);
  expect_gradient(gate, diff_gate, gated, 0.1);
  reference::global_pool_backward({diff_mean.data(), pooled}, {diff_src.data(), shape});
  expect_gradient(
      src, diff_src,
      [&] {
        reference::global_pool_forward({src.data(), shape}, {mean.data(), pooled});
        return weighted_sum(mean, diff_mean);
      },
      0.1);
}

TEST_CASE("reference: max pooling sends a window's gradient to its maximum") {
  for (int side : {5, 6}) {
    const max_pool_problem p{.src = {2, side, side + 1, 3}, .pad = {1, 1, 1, 1}};
    std::vector<float> src(p.src.elements());
    for (std::size_t i = 0; i < src.size(); ++i)  // all different, in no order
      src[i] = static_cast<float>(i * 7919 % 1009) * 0.01f;
    const std::vector<float> diff_dst = noise(p.dst().elements(), 1);
    std::vector<float> dst(p.dst().elements()), diff_src(src.size());
    reference::max_pool_backward(p, {src.data(), p.src}, {diff_dst.data(), p.dst()},
                                 {diff_src.data(), p.src});
    expect_gradient(
        src, diff_src,
        [&] {
          reference::max_pool_forward(p, {src.data(), p.src}, {dst.data(), p.dst()});
          return weighted_sum(dst, diff_dst);
        },
        1e-3);
  }
  const max_pool_problem equal{.src = {1, 2, 2, 1}, .pad = {1, 1, 1, 1}};
  const std::vector<float> src(4, 1.0f), diff_dst(1, 5.0f);
  std::vector<float> diff_src(4);
  reference::max_pool_backward(equal, {src.data(), equal.src}, {diff_dst.data(), equal.dst()},
                               {diff_src.data(), equal.src});
  CHECK(diff_src == std::vector<float>{5, 0, 0, 0});
}

TEST_CASE("math: losses have the gradients of finite differences and survive large logits") {
  constexpr int classes = 7;
  std::vector<float> logits = noise(classes, 1, 3), target(classes), diff(classes), unused(classes);
  target[2] = 0.7f;
  target[5] = 0.3f;
  for (const auto loss : {math::softmax_cross_entropy, math::sigmoid_cross_entropy})
    for (float smoothing : {0.0f, 0.1f}) {
      loss(logits.data(), target.data(), classes, smoothing, diff.data());
      expect_gradient(
          logits, diff,
          [&] { return loss(logits.data(), target.data(), classes, smoothing, unused.data()); },
          1e-3);
    }
  std::vector<float> large = {1000, -1000, 0};
  const std::vector<float> one_hot = {0, 1, 0};
  CHECK(math::softmax_cross_entropy(large.data(), one_hot.data(), 3, 0, diff.data()) == 2000);
  CHECK(math::sigmoid_cross_entropy(large.data(), one_hot.data(), 3, 0, diff.data()) ==
        doctest::Approx(2000 + std::log(2.0)));
  // PyTorch: cross_entropy([1, 2, 3], 0, label_smoothing=0.1)
  const std::vector<float> plain = {1, 2, 3}, first = {1, 0, 0};
  CHECK(math::softmax_cross_entropy(plain.data(), first.data(), 3, 0.1f, diff.data()) ==
        doctest::Approx(2.3076059));
}

TEST_CASE("backend: the gradient checker finds a wrong gradient, a missing one and NaN") {
  std::vector<float> values = {1, 2, 3};
  const auto loss = [&] { return double{values[0]} * double{values[1]} + double{values[2]}; };
  CHECK(check_gradient(std::span<float>(values), std::vector<float>{2, 1, 1}, loss, 1e-2)
            .largest_error < 1e-6);
  const gradient_report wrong =
      check_gradient(std::span<float>(values), std::vector<float>{2, -1, 1}, loss, 1e-2);
  CHECK(wrong.largest_error > 0.5);
  CHECK(wrong.worst == 1);
  CHECK(check_gradient(std::span<float>(values), std::vector<float>{2, 1, 0}, loss, 1e-2).worst ==
        2);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK_FALSE(check_gradient(std::span<float>(values), std::vector<float>{2, 1, nan}, loss, 1e-2)
                  .largest_error < 1);
  CHECK(values == std::vector<float>{1, 2, 3});
}
