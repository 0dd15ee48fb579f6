#include <functional>
#include <limits>

#include <effnet/backend/gradient_check.hpp>
#include <effnet/reference/reference_training_backend.hpp>

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
  const reference_training_backend on;
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
    const conv_gradients got = run_conv_backward(on, p, data, diff_dst);
    expect_gradient(data.src, got.src, loss, 0.1);
    expect_gradient(data.weights, got.weights, loss, 0.1);
    expect_gradient(data.bias, got.bias, loss, 0.1);
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

TEST_CASE("reference: gradients of normalised values are those of finite differences") {
  const reference_training_backend on;
  for (const norm_case& at : norm_cases({3, 2, 4, 5})) {
    CAPTURE(to_string(at));
    norm_data data(at.shape);
    const norm_results got = run_norm(on, at, data);
    const auto loss = [&] {
      const norm_results now = run_norm(on, at, data);
      return (at.diff_dst ? weighted_sum(now.dst, data.diff_dst) : 0.0) +
             (at.diff_pool ? weighted_sum(now.pooled, data.diff_pool) : 0.0);
    };
    // Between the corners of ReLU the steps must be short.
    const double step = at.act == activation::relu || at.act == activation::relu6 ? 1e-3 : 1e-2;
    expect_gradient(data.src, got.diff_src, loss, step);
    if (at.gate && at.diff_dst) expect_gradient(data.gate, got.diff_gate, loss, 0.1);
    if (!at.of_batch && !at.keep) continue;  // not asked for
    expect_gradient(data.weight, got.diff_weight, loss, step);
    expect_gradient(data.bias, got.diff_bias, loss, step);
  }
}

TEST_CASE("reference: a batch has the mean and variance of its numbers") {
  const std::vector<float> src = {1, 2, 3, 6};  // mean 3, biased variance 3.5
  float mean = 0, variance = 0;
  reference::batch_statistics({src.data(), {1, 1, 4, 1}}, &mean, &variance);
  CHECK(mean == 3.0f);
  CHECK(variance == 3.5f);
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

TEST_CASE("reference: the other ops of training are what their definitions say") {
  check_training_ops(reference_training_backend{});
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
