#include <effnet/cpu/cpu_training_backend.hpp>
#include <effnet/reference.hpp>

#include "../op_check.hpp"
#include "instruction_sets.hpp"

namespace {
using namespace effnet;
using namespace effnet::testing;

/// Sizes around the tile's, channels around the registers', every epilogue.
std::vector<conv_case> winograd_cases() {
  using enum activation;
  std::vector<conv_case> cases;
  for (const shape4 src : {shape4{1, 1, 1, 1}, shape4{2, 3, 5, 3}, shape4{1, 4, 4, 16},
                           shape4{3, 7, 6, 17}, shape4{1, 8, 13, 24}, shape4{2, 29, 18, 33}})
    for (const int out : {1, 8, 16, 17, 40, 70})
      for (const padding& pad : {padding{1, 1, 1, 1}, padding{0, 0, 0, 0}, padding{2, 0, 1, 2}}) {
        const conv_problem p{.src = src, .out = out, .kernel = 3, .stride = 1, .pad = pad};
        if (p.src.h + pad.top + pad.bottom < 3 || p.src.w + pad.left + pad.right < 3) continue;
        const std::string name = sentence(to_string(src), " to ", out, " padded ", pad.top);
        cases.push_back({name, p, {.before = silu}});
        cases.push_back({name + " add", p, {.before = relu6, .add_dst = true, .after = relu}});
      }
  return cases;
}

std::vector<float> winograd(const conv_case& at, const conv_data& data, int threads,
                            cpu::isa best) {
  const cpu::thread_scope scope(threads);
  const cpu::winograd_convolution op(at.problem, at.then, best);
  const aligned_buffer scratch(op.scratch_bytes());
  std::vector<float> dst = data.residual;
  op.forward(op.pack(data.weights.data(), data.bias.data()), data.src.data(), dst.data(),
             scratch.data());
  return dst;
}
}  // namespace

TEST_CASE("cpu: Winograd agrees with the definition on every instruction set") {
  for (const conv_case& at : winograd_cases()) {
    CAPTURE(at.name);
    const conv_data data(at.problem);
    const std::vector<double> expected = convolve(
        at.problem, at.then, data.src.data(), data.weights.data(), data.bias.data(), data.residual);
    for (const cpu::isa best : instruction_sets()) {
      CAPTURE(static_cast<int>(best));
      const std::vector<float> one = winograd(at, data, 1, best);
      double worst = 0, largest_expected = 1;
      for (std::size_t i = 0; i < one.size(); ++i) {
        worst = worse(worst, std::abs(double{one[i]} - expected[i]));
        largest_expected = std::max(largest_expected, std::abs(expected[i]));
      }
      CHECK(worst < 1e-5 * largest_expected);
      CHECK(winograd(at, data, 3, best) == one);  // the same bits on any number of threads
    }
  }
}

TEST_CASE("cpu: Winograd stays near direct convolution where channels are many") {
  for (const int channels : {96, 256, 640}) {
    CAPTURE(channels);
    const conv_case at = make_case("", {1, 14, 14, channels}, channels, 3, 1, 1,
                                   padding_rule::symmetric, {.before = activation::silu});
    const conv_data data(at.problem);
    const std::vector<float> got = winograd(at, data, 2, cpu::best_isa());
    const std::vector<float> expected =
        run_conv(cpu_backend(2, {.winograd = false}), at.problem, at.then, data.src,
                 data.weights.data(), data.bias.data(), data.residual);
    CHECK(largest_difference(got.data(), expected.data(), got.size()) <
          2e-5 * largest(expected.data(), expected.size()));
  }
}

TEST_CASE("cpu: the gradient by the source is a Winograd convolution with turned filters") {
  for (const conv_case& at : winograd_cases()) {
    if (at.then.add_dst || at.problem.pad == padding{2, 0, 1, 2}) continue;
    CAPTURE(at.name);
    const conv_data data(at.problem);
    const std::vector<float> diff_dst = noise(at.problem.dst().elements(), 9);
    std::vector<float> got(data.src.size()), expected(got);
    const cpu::thread_scope scope(2);
    const cpu::winograd_convolution op(cpu::turned(at.problem), {});
    aligned_buffer scratch(op.scratch_bytes());
    op.forward(op.pack_turned(data.weights.data()), diff_dst.data(), got.data(), scratch.data());
    const cpu::convolution_backward_data direct(at.problem);
    scratch = aligned_buffer(direct.scratch_bytes());
    direct.run(direct.pack(data.weights.data()), diff_dst.data(), expected.data(), scratch.data());
    CHECK(largest_difference(got.data(), expected.data(), got.size()) <
          1e-5 * std::max(1.0, largest(expected.data(), expected.size())));
  }
}

TEST_CASE("cpu: Winograd runs where it should win, and nowhere once it is turned off") {
  const auto problem = [](int side, int in, int out) {
    return make_case("", {1, side, side, in}, out, 3, 1, 1, padding_rule::tf_same).problem;
  };
  CHECK(cpu::prefers_winograd(problem(192, 24, 24)));  // V2-S's stages at 384 pixels
  CHECK(cpu::prefers_winograd(problem(96, 48, 192)));
  CHECK(cpu::prefers_winograd(problem(48, 64, 256)));
  CHECK_FALSE(cpu::prefers_winograd(problem(7, 512, 512)));  // all weights, few pixels
  CHECK_FALSE(cpu::prefers_winograd(problem(1, 64, 64)));
  const cpu_backend on(1), off(1, {.winograd = false});
  CHECK(on.plan_conv(problem(48, 64, 256)).implementation().find("winograd") == 0);
  CHECK(off.plan_conv(problem(48, 64, 256)).implementation().find("winograd") == std::string::npos);
  CHECK(off.with_threads(2).options() == off.options());
}
