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
      worst = worse(worst, std::abs(double{dst[i]} - expected[i]));
    CHECK(worst < 1e-5);
  }
}

TEST_CASE("reference: element-wise and pooling ops are what their definitions say") {
  check_elementwise(reference_backend{});
}

TEST_CASE("reference: activations are what their formulas say, far out too") {
  using namespace math;
  CHECK(sigmoid(0) == 0.5f);
  CHECK(double{sigmoid(2)} == doctest::Approx(0.8807970779778823).epsilon(1e-6));
  CHECK(double{silu(-2)} == doctest::Approx(-0.2384058440442352).epsilon(1e-6));
  CHECK(double{silu(3)} == doctest::Approx(2.8577223804673).epsilon(1e-6));
  CHECK(sigmoid(200) == 1);
  CHECK(sigmoid(-200) == 0);
  CHECK(silu(-200) == 0);
  CHECK(silu(200) == 200);
  CHECK(relu(-1) == 0);
  CHECK(relu(7) == 7);
  CHECK(relu6(-1) == 0);
  CHECK(relu6(5) == 5);
  CHECK(relu6(7) == 6);
  CHECK(math::apply(activation::identity, -3) == -3);
  CHECK(math::apply(activation::relu6, 7) == 6);
}

namespace {
/// All of the reference but for a buffer that can be neither empty nor read.
struct without_buffer : reference_backend {
  struct buffer {
    explicit buffer(std::size_t) {}
  };
  without_buffer with_threads(int) const { return *this; }
};
static_assert(!backend<without_buffer>);
}  // namespace

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
