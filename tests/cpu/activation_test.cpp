#include <cmath>
#include <limits>

#include <effnet/cpu/activation.hpp>

#include "../op_check.hpp"
#include "instruction_sets.hpp"

namespace {
using namespace effnet;
using namespace effnet::testing;

std::vector<float> apply_to(activation act, const std::vector<float>& src, cpu::isa best) {
  const shape4 shape{1, 1, 1, static_cast<int>(src.size())};
  std::vector<float> dst(src.size());
  cpu::activation_forward(act, {src.data(), shape}, {dst.data(), shape}, best);
  return dst;
}
}  // namespace

TEST_CASE("cpu: SiLU and sigmoid have a relative error below 1e-6 from -80 to 80") {
  std::vector<float> src;
  for (int i = -80000; i <= 80000; i += 7) src.push_back(static_cast<float>(i) * 1e-3f);
  for (cpu::isa best : instruction_sets()) {
    const auto silu = apply_to(activation::silu, src, best);
    const auto sigmoid = apply_to(activation::sigmoid, src, best);
    double worst = 0;
    for (std::size_t i = 0; i < src.size(); ++i) {
      const double x = double{src[i]}, s = 1 / (1 + std::exp(-x));
      worst = worse(worst, std::abs(double{sigmoid[i]} - s) / s);
      if (src[i] != 0) worst = worse(worst, std::abs(double{silu[i]} - x * s) / std::abs(x * s));
    }
    CHECK(worst < 1e-6);
  }
}

TEST_CASE("cpu: SiLU and sigmoid stay finite, and NaN stays NaN, on every instruction set") {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::nanf("");
  for (cpu::isa best : instruction_sets())
    for (activation act : {activation::silu, activation::sigmoid}) {
      const std::vector<float> got =
          apply_to(act, {nan, -88, 88, -1e30f, 1e30f, inf, 0, 1e-40f}, best);
      CHECK(std::isnan(got[0]));
      CHECK(std::abs(got[1]) < 1e-35f);
      CHECK(got[2] == (act == activation::silu ? 88.0f : 1.0f));
      CHECK(std::abs(got[3]) < 1e-6f);
      CHECK(got[4] == (act == activation::silu ? 1e30f : 1.0f));
      CHECK(got[5] == (act == activation::silu ? inf : 1.0f));
      CHECK(got[6] == (act == activation::silu ? 0.0f : 0.5f));
    }
}

TEST_CASE("cpu: activations of any length and value are those of their definition") {
  using enum activation;
  const float inf = std::numeric_limits<float>::infinity();
  for (cpu::isa best : instruction_sets())
    for (activation act : {identity, silu, relu, relu6, sigmoid})
      for (std::size_t count : {1u, 3u, 16u, 35u}) {
        const std::vector<float> src = noise(count, 1, 9), diff = noise(count, 2);
        const shape4 shape{1, 1, 1, static_cast<int>(count)};
        const std::vector<float> dst = apply_to(act, src, best);
        std::vector<float> diff_src = diff;  // in place
        cpu::activation_backward(act, {src.data(), shape}, {diff_src.data(), shape},
                                 {diff_src.data(), shape}, best);
        for (std::size_t i = 0; i < count; ++i) {
          CHECK(dst[i] == doctest::Approx(math::apply(act, src[i])).epsilon(1e-6));
          CHECK(diff_src[i] ==
                doctest::Approx(diff[i] * math::derivative(act, src[i])).epsilon(1e-5));
        }
        CHECK(std::isnan(apply_to(silu, {std::nanf("")}, best)[0]));
        CHECK(apply_to(act, {inf}, best)[0] == math::apply(act, inf));
        CHECK(apply_to(sigmoid, {-inf, -1000, 1000}, best)[1] < 1e-37f);
      }
}
