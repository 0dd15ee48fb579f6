#include <effnet/cpu/convolution.hpp>
#include <effnet/cpu/thread_scope.hpp>

#include "../op_check.hpp"
#include "instruction_sets.hpp"

namespace {
using namespace effnet;
using namespace effnet::testing;

/// A kernel's result on `threads` threads; `dst` holds the residual before.
template <class Kernel, class... Options>
std::vector<float> run_kernel(const conv_case& at, const conv_data& data, int threads,
                              const Options&... options) {
  const cpu::thread_scope scope(threads);
  const Kernel op(at.problem, at.then, options...);
  const aligned_buffer scratch(op.scratch_bytes());
  std::vector<float> dst = data.residual;
  op.forward(op.pack(data.weights.data(), data.bias.data()), data.src.data(), dst.data(),
             scratch.data());
  return dst;
}

std::vector<double> definition(const conv_case& at, const conv_data& data) {
  return convolve(at.problem, at.then, data.src.data(), data.weights.data(), data.bias.data(),
                  data.residual);
}

/// Pixels around the tiles' rows, channels around the registers', a depth that is read in parts and
/// one whose stride falls on few cache sets.
std::vector<conv_case> pointwise_cases() {
  using enum activation;
  std::vector<conv_case> cases;
  const auto add = [&](shape4 src, int out, const epilogue& then) {
    cases.push_back(make_case(sentence(to_string(src), " to ", out), src, out, 1, 1, 1,
                              padding_rule::tf_same, then));
  };
  for (const int side : {1, 3, 5})
    for (const int out : {1, 16, 33, 70})
      for (const epilogue& then :
           {epilogue{.before = silu}, epilogue{.add_dst = true},
            epilogue{.before = relu6, .add_dst = true, .after = relu}, epilogue{.before = sigmoid}})
        add({2, side, side + 1, 19}, out, then);
  add({1, 3, 5, 512}, 40, {});
  add({1, 2, 3, 1100}, 17, {.before = silu});
  add({3, 14, 14, 8}, 24, {.before = silu});
  return cases;
}
}  // namespace

TEST_CASE("cpu: pointwise convolutions agree with the definition on every instruction set") {
  for (const conv_case& at : pointwise_cases()) {
    CAPTURE(at.name);
    const conv_data data(at.problem);
    const std::vector<double> expected = definition(at, data);
    for (const cpu::isa best : instruction_sets()) {
      CAPTURE(static_cast<int>(best));
      const auto one = run_kernel<cpu::pointwise_convolution>(at, data, 1, cpu::source_form::plain,
                                                              cpu::products::fp32, best);
      CHECK(worst_difference(one, expected) < 1e-5);
      for (const int threads : {2, 5})
        CHECK(run_kernel<cpu::pointwise_convolution>(at, data, threads, cpu::source_form::plain,
                                                     cpu::products::fp32, best) == one);
    }
  }
}

TEST_CASE("cpu: a gate scales what a pointwise convolution reads, image by image") {
  for (const conv_case& at : pointwise_cases()) {
    CAPTURE(at.name);
    const conv_data data(at.problem);
    const shape4& s = at.problem.src;
    const std::vector<float> gate = noise(shape4{s.n, 1, 1, s.c}.elements(), 8);
    conv_data gated = data;
    const std::size_t channels = static_cast<std::size_t>(s.c),
                      image = gated.src.size() / static_cast<std::size_t>(s.n);
    for (std::size_t i = 0; i < gated.src.size(); ++i)
      gated.src[i] *= gate[i / image * channels + i % channels];
    const std::vector<double> expected = definition(at, gated);
    for (const cpu::isa best : instruction_sets())
      for (const int threads : {1, 3}) {
        const cpu::thread_scope scope(threads);
        const cpu::pointwise_convolution op(at.problem, at.then, cpu::source_form::gated,
                                            cpu::products::fp32, best);
        const aligned_buffer scratch(op.scratch_bytes());
        std::vector<float> dst = data.residual;
        op.forward(op.pack(data.weights.data(), data.bias.data()), data.src.data(), gate.data(),
                   dst.data(), scratch.data());
        CHECK(worst_difference(dst, expected) < 1e-5);
      }
  }
}

TEST_CASE("cpu: kernels are chosen by shape and by what follows") {
  using enum activation;
  const auto kind = [](const conv_case& at) {
    return cpu::kernel_for(at.problem, at.then, cpu_options{});
  };
  const auto same = padding_rule::tf_same;
  CHECK(kind(make_case("", {1, 14, 14, 80}, 480, 1, 1, 1, same, {.before = silu})) ==
        cpu::kernel_kind::pointwise);
  CHECK(kind(make_case("", {1, 14, 14, 80}, 480, 1, 1, 1, same)) == cpu::kernel_kind::direct);
  CHECK(kind(make_case("", {1, 14, 14, 80}, 480, 1, 2, 1, same, {.before = silu})) ==
        cpu::kernel_kind::direct);
  CHECK(kind(make_case("", {1, 64, 64, 3}, 32, 3, 2, 1, same, {.before = silu})) ==
        cpu::kernel_kind::window);
  CHECK(kind(make_case("", {1, 64, 64, 3}, 32, 3, 2, 1, same)) == cpu::kernel_kind::direct);
  CHECK(kind(make_case("", {1, 64, 64, 24}, 96, 3, 2, 1, same, {.before = silu})) ==
        cpu::kernel_kind::window);
  CHECK(kind(make_case("", {1, 64, 64, 24}, 96, 3, 2, 1, same)) == cpu::kernel_kind::direct);
  CHECK(kind(make_case("", {1, 14, 14, 80}, 80, 3, 1, 80, same)) == cpu::kernel_kind::direct);
}
