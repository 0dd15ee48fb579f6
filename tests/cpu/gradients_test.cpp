#include <effnet/cpu.hpp>
#include <effnet/cpu/convolution_backward.hpp>
#include <effnet/cpu/depthwise_backward_weights.hpp>
#include <effnet/reference.hpp>
#include <effnet/reference/convolution_backward.hpp>

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
  std::vector<float> diff_src(data.src.size()), diff_weights(data.weights.size()),
      diff_bias(data.bias.size());
  const auto packed = reference_backend{}.plan_conv(p).pack(data.weights.data(), nullptr);
  reference::convolution_backward_data(p, packed, diff_dst.data(), diff_src.data());
  reference::convolution_backward_weights(p, data.src.data(), diff_dst.data(), diff_weights.data(),
                                          diff_bias.data());

  const cpu_backend on(threads);
  const auto scope = on.enter();
  std::vector<float> got_src(diff_src.size()), got_weights(diff_weights.size()),
      got_bias(diff_bias.size());
  const cpu::convolution_backward_data by_data(p);
  aligned_buffer scratch(by_data.scratch_bytes());
  by_data.run(by_data.pack(data.weights.data()), diff_dst.data(), got_src.data(), scratch.data());
  CHECK(relative_difference(got_src, diff_src) < 2e-5);
  if (cpu::has_depthwise_backward_weights(p)) {
    cpu::depthwise_backward_weights(p, data.src.data(), diff_dst.data(), got_weights.data());
    CHECK(relative_difference(got_weights, diff_weights) < 2e-5);
  }
  std::fill(got_weights.begin(), got_weights.end(), 0.0f);
  const cpu::convolution_backward_weights by_weights(p);
  scratch = aligned_buffer(by_weights.scratch_bytes());
  by_weights.run(data.src.data(), diff_dst.data(), got_weights.data(), got_bias.data(),
                 scratch.data());
  CHECK(relative_difference(got_weights, diff_weights) < 2e-5);
  CHECK(relative_difference(got_bias, diff_bias) < 2e-5);
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

TEST_CASE("cpu: depthwise weight gradients are the same bits on any number of threads") {
  for (int kernel : {3, 5})
    for (int stride : {1, 2}) {
      const conv_problem p =
          make_case("", {3, 17, 14, 83}, 83, kernel, stride, 83, padding_rule::tf_same).problem;
      const std::vector<float> src = noise(p.src.elements(), 1),
                               diff = noise(p.dst().elements(), 2);
      std::vector<float> one(p.weights()), two(p.weights());
      for (auto* to : {&one, &two}) {
        const auto scope = cpu_backend(to == &one ? 1 : 2).enter();
        cpu::depthwise_backward_weights(p, src.data(), diff.data(), to->data());
      }
      CHECK(one == two);
    }
}

TEST_CASE("cpu: every instruction set gives depthwise weight gradients") {
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
