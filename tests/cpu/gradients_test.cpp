#include <effnet/cpu/cpu_training_backend.hpp>
#include <effnet/reference/reference_training_backend.hpp>

#include "../op_check.hpp"

namespace {
using namespace effnet;
using namespace effnet::testing;

double relative_difference(const std::vector<float>& got, const std::vector<float>& expected) {
  return largest_difference(got.data(), expected.data(), got.size()) /
         std::max(1e-6, largest(expected.data(), expected.size()));
}

void compare_gradients(const conv_case& at, int threads) {
  CAPTURE(at.name);
  CAPTURE(threads);
  const conv_problem& p = at.problem;
  const conv_data data(p);
  const std::vector<float> diff_dst = noise(p.dst().elements(), 9);
  const conv_gradients expected =
      run_conv_backward(reference_training_backend{}, p, data, diff_dst);
  const cpu_training_backend on(threads);
  for (bool with_bias : {true, false}) {
    const conv_gradients got = run_conv_backward(on, p, data, diff_dst, with_bias);
    CHECK(relative_difference(got.src, expected.src) < 2e-5);
    CHECK(relative_difference(got.weights, expected.weights) < 2e-5);
    if (with_bias) CHECK(relative_difference(got.bias, expected.bias) < 2e-5);
  }
}
}  // namespace

TEST_CASE("cpu: gradients of small and odd convolutions agree with the reference") {
  for (const conv_case& at : small_conv_cases())
    if (at.then == epilogue{.before = at.then.before})
      for (int threads : {1, 2}) compare_gradients(at, threads);
}

TEST_CASE("cpu: gradients of the layers of B0, V2-B0 and ResNet-50 agree with the reference") {
  for (const network_spec* spec : {&b0, &v2_b0, &resnet50})
    for (const conv_case& at : network_conv_cases(*spec, 35, 2)) compare_gradients(at, 2);
}

TEST_CASE("cpu: 5x5 depthwise weight gradients are the same bits on any number of threads") {
  for (int stride : {1, 2}) {
    const conv_problem p =
        make_case("", {3, 17, 14, 83}, 83, 5, stride, 83, padding_rule::tf_same).problem;
    const std::vector<float> src = noise(p.src.elements(), 1), diff = noise(p.dst().elements(), 2);
    std::vector<float> one(p.weights()), two(p.weights());
    for (auto* to : {&one, &two}) {
      const auto scope = cpu_training_backend(to == &one ? 1 : 2).enter();
      cpu::depthwise_backward_weights(p, src.data(), diff.data(), to->data());
    }
    CHECK(one == two);
  }
}

TEST_CASE("cpu: every instruction set gives 5x5 depthwise weight gradients") {
  const conv_problem p =
      make_case("", {1, 9, 8, 37}, 37, 5, 1, 37, padding_rule::symmetric).problem;
  const std::vector<float> src = noise(p.src.elements(), 1), diff = noise(p.dst().elements(), 2);
  std::vector<float> expected(p.weights()), got(p.weights());
  cpu::depthwise_backward_weights(p, src.data(), diff.data(), expected.data(), cpu::isa::portable);
  const std::vector<cpu::isa> faster = {cpu::isa::avx2, cpu::isa::avx512};
  for (cpu::isa one : faster) {
    if (one > cpu::best_isa()) continue;
    cpu::depthwise_backward_weights(p, src.data(), diff.data(), got.data(), one);
    CHECK(relative_difference(got, expected) < 1e-6);
  }
}

TEST_CASE("cpu: weights packed again are those packed afresh") {
  const cpu_training_backend on(2);
  const auto scope = on.enter();
  for (const conv_case& at : small_conv_cases()) {
    CAPTURE(at.name);
    const conv_problem& p = at.problem;
    const conv_data data(p);
    const std::vector<float> other(p.weights(), 1.0f), other_bias(data.bias.size(), 1.0f);
    const auto same = [](const aligned_buffer& a, const aligned_buffer& b) {
      return a.bytes() == b.bytes() && std::memcmp(a.data(), b.data(), a.bytes()) == 0;
    };
    const auto forward = on.plan_conv(p);
    auto packed = forward.pack(other.data(), other_bias.data());
    forward.repack(data.weights.data(), data.bias.data(), packed);
    const auto fresh = forward.pack(data.weights.data(), data.bias.data());
    CHECK(same(packed.weights, fresh.weights));
    CHECK(same(packed.bias, fresh.bias));
    const auto by_data = on.plan_conv_backward_data(p);
    auto packed_by_data = by_data.pack(other.data());
    by_data.repack(data.weights.data(), packed_by_data);
    CHECK(same(packed_by_data.weights, by_data.pack(data.weights.data()).weights));
  }
}
