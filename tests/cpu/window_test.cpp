#include <effnet/cpu/convolution.hpp>
#include <effnet/cpu/window_data_gradient.hpp>
#include <effnet/cpu/window_weight_gradient.hpp>
#include <effnet/reference/reference_training_backend.hpp>

#include "../op_check.hpp"
#include "instruction_sets.hpp"

namespace {
using namespace effnet;
using namespace effnet::testing;

/// Every stride, kernels of one window row and more, channels around the registers', every padding.
std::vector<conv_case> window_cases() {
  using enum activation;
  std::vector<conv_case> cases;
  for (const int kernel : {2, 3, 5, 7})
    for (const int stride : {1, 2, 3})
      for (const shape4 src : {shape4{1, 1, 1, 3}, shape4{2, 9, 8, 3}, shape4{2, 9, 8, 24},
                               shape4{1, 21, 34, 1}, shape4{1, 10, 7, 4}, shape4{3, 13, 12, 37}})
        for (const padding& pad :
             {padding{0, 0, 1, 1}, padding{1, 1, 1, 1}, padding{kernel - 1, 0, 1, kernel - 1}}) {
          const int out = src.h == 1 ? 1 : src.c == 24 ? 40 : 16 + src.c;
          const conv_problem p{
              .src = src, .out = out, .kernel = kernel, .stride = stride, .pad = pad};
          if (!cpu::has_windows(p) || src.h + pad.top + pad.bottom < kernel ||
              src.w + pad.left + pad.right < kernel)
            continue;
          const std::string name = sentence(to_string(src), ' ', kernel, " s", stride, " to ", out,
                                            " padded ", pad.top, ' ', pad.left);
          cases.push_back({name, p, {.before = silu}});
          cases.push_back({name + " add", p, {.before = relu6, .add_dst = true, .after = relu}});
        }
  return cases;
}

/// `run(op, to, scratch)` on every instruction set and several threads; each result goes to
/// `check(result, result on one thread)`.
template <class Make, class Run, class Check>
void on_every_machine(std::size_t count, const Make& make, const Run& run, const Check& check) {
  for (const cpu::isa best : instruction_sets()) {
    CAPTURE(static_cast<int>(best));
    std::vector<float> one;
    for (const int threads : {1, 3}) {
      CAPTURE(threads);
      const cpu::thread_scope scope(threads);
      const auto op = make(best);
      const aligned_buffer scratch(op.scratch_bytes());
      std::vector<float> to(count, 7.0f);
      run(op, to, scratch.data());
      if (threads == 1) one = to;
      check(to, one);
    }
  }
}
}  // namespace

TEST_CASE("cpu: windows read in place agree with the definition") {
  for (const conv_case& at : window_cases()) {
    CAPTURE(at.name);
    const conv_problem& p = at.problem;
    const conv_data data(p);
    const std::vector<double> expected =
        convolve(p, at.then, data.src.data(), data.weights.data(), data.bias.data(), data.residual);
    on_every_machine(
        p.dst().elements(),
        [&](cpu::isa best) { return cpu::window_convolution(p, at.then, best); },
        [&](const auto& op, std::vector<float>& to, std::byte* scratch) {
          to = data.residual;
          op.forward(op.pack(data.weights.data(), data.bias.data()), data.src.data(), to.data(),
                     scratch);
        },
        [&](const std::vector<float>& got, const std::vector<float>& one) {
          CHECK(worst_difference(got, expected) < (p.src.c <= 4 ? 1e-5 : 2e-5));
          CHECK(got == one);
        });
  }
}

TEST_CASE("cpu: gradients through windows read in place agree with the reference") {
  for (const conv_case& at : window_cases()) {
    if (at.then.add_dst) continue;  // the forward pass's alone
    CAPTURE(at.name);
    const conv_problem& p = at.problem;
    const conv_data data(p);
    const std::vector<float> diff_dst = noise(p.dst().elements(), 9);
    const conv_gradients expected =
        run_conv_backward(reference_training_backend{}, p, data, diff_dst, false);
    on_every_machine(
        p.weights(), [&](cpu::isa best) { return cpu::window_weight_gradient(p, best); },
        [&](const auto& op, std::vector<float>& to, std::byte* scratch) {
          op.run(data.src.data(), diff_dst.data(), to.data(), scratch);
        },
        [&](const std::vector<float>& got, const std::vector<float>&) {
          CHECK(relative_difference(got, expected.weights) < 2e-6);
        });
    on_every_machine(
        p.src.elements(), [&](cpu::isa best) { return cpu::window_data_gradient(p, best); },
        [&](const auto& op, std::vector<float>& to, std::byte* scratch) {
          op.run(op.pack(data.weights.data()), diff_dst.data(), to.data(), scratch);
        },
        [&](const std::vector<float>& got, const std::vector<float>& one) {
          CHECK(relative_difference(got, expected.src) < 2e-6);
          CHECK(got == one);
        });
  }
}
