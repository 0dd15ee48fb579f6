#include <effnet/reference.hpp>

#include "../op_check.hpp"

using namespace effnet;
using namespace effnet::testing;

TEST_CASE("reference: convolutions are what their definition says, in double") {
  const reference_backend on;
  for (const conv_case& at : small_conv_cases()) {
    CAPTURE(at.name);
    const conv_problem& p = at.problem;
    const conv_data data(p);
    const auto expected =
        convolve(p, at.then, data.src.data(), data.weights.data(), data.bias.data(), data.residual);
    const std::vector<float> dst =
        run_conv(on, p, at.then, data.src, data.weights.data(), data.bias.data(), data.residual);
    double worst = 0;
    for (std::size_t i = 0; i < dst.size(); ++i)
      worst = std::max(worst, std::abs(double{dst[i]} - expected[i]));
    CHECK(worst < 1e-5);
  }
}

TEST_CASE("reference: element-wise and pooling ops are what their definitions say") {
  check_elementwise(reference_backend{});
}

TEST_CASE("reference: padding follows TensorFlow's rule per size, or is symmetric") {
  using enum padding_rule;
  CHECK(axis_padding(tf_same, 224, 3, 2) == std::array{0, 1});
  CHECK(axis_padding(tf_same, 225, 3, 2) == std::array{1, 1});
  CHECK(axis_padding(tf_same, 224, 5, 2) == std::array{1, 2});
  CHECK(axis_padding(tf_same, 65, 5, 2) == std::array{2, 2});
  CHECK(axis_padding(tf_same, 14, 5, 1) == std::array{2, 2});
  CHECK(axis_padding(tf_same, 1, 3, 2) == std::array{1, 1});
  CHECK(axis_padding(tf_same, 8, 1, 2) == std::array{0, 0});
  CHECK(axis_padding(symmetric, 224, 3, 2) == std::array{1, 1});
  CHECK(axis_padding(symmetric, 224, 7, 2) == std::array{3, 3});
}
