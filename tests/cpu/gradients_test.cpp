#include <effnet/cpu/cpu_training_backend.hpp>
#include <effnet/reference/reference_training_backend.hpp>

#include "../op_check.hpp"
#include "instruction_sets.hpp"

namespace {
using namespace effnet;
using namespace effnet::testing;

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

TEST_CASE("cpu: own weight gradients agree with the reference on every instruction set") {
  std::vector<conv_case> cases;
  for (const shape4 src : {shape4{1, 1, 1, 1}, shape4{2, 3, 5, 3}, shape4{1, 9, 8, 37},
                           shape4{3, 7, 6, 17}, shape4{2, 29, 18, 33}, shape4{1, 12, 12, 64}})
    for (const int out : {1, 16, 17, 40, 70})
      for (const int kernel : {1, 3})
        cases.push_back(make_case(sentence(to_string(src), " to ", out, ", kernel ", kernel), src,
                                  out, kernel, 1, 1, padding_rule::symmetric));
  cases.push_back(make_case("wide 1x1", {1, 6, 7, 700}, 1100, 1, 1, 1, padding_rule::symmetric));
  cases.push_back(make_case("wide 3x3", {1, 5, 6, 130}, 270, 3, 1, 1, padding_rule::symmetric));
  for (const int kernel : {3, 5})
    for (const int stride : {1, 2, 3})
      for (const shape4 src : {shape4{3, 17, 14, 83}, shape4{1, 1, 2, 130}, shape4{5, 4, 61, 32}})
        cases.push_back(make_case(sentence("depthwise ", to_string(src), ' ', kernel, " s", stride),
                                  src, src.c, kernel, stride, src.c, padding_rule::tf_same));
  for (const conv_case& at : cases) {
    CAPTURE(at.name);
    const conv_problem& p = at.problem;
    const conv_data data(p);
    const std::vector<float> diff_dst = noise(p.dst().elements(), 9);
    const std::vector<float> expected =
        run_conv_backward(reference_training_backend{}, p, data, diff_dst, false).weights;
    for (const cpu::isa best : instruction_sets()) {
      CAPTURE(static_cast<int>(best));
      std::vector<float> on_one_thread;
      for (const int threads : {1, 3}) {
        CAPTURE(threads);
        const cpu::thread_scope scope(threads);
        const auto gradient_of = [&](const auto& op) {
          const aligned_buffer scratch(op.scratch_bytes());
          std::vector<float> to(p.weights(), 7.0f);
          op.run(data.src.data(), diff_dst.data(), to.data(), scratch.data());
          return to;
        };
        if (p.depthwise()) {
          const std::vector<float> got =
              gradient_of(cpu::depthwise_weight_gradient(p, false, best));
          CHECK(relative_difference(got, expected) < 2e-6);
          if (threads == 1) on_one_thread = got;
          CHECK(got == on_one_thread);  // the same bits on any number of threads
        } else if (p.kernel == 3) {
          const std::vector<float> got = gradient_of(cpu::winograd_weight_gradient(p, best));
          CHECK(relative_difference(got, expected) < 1e-5);
        } else {
          const std::vector<float> got =
              gradient_of(cpu::pointwise_weight_gradient(p, false, cpu::products::fp32, best));
          CHECK(relative_difference(got, expected) < 2e-6);
        }
      }
    }
  }
}

TEST_CASE("cpu: depthwise convolutions of training agree with the definition, forward and turned") {
  for (const int kernel : {1, 3, 5, 7})
    for (const int stride : {1, 2, 3})
      for (const padding_rule rule : {padding_rule::tf_same, padding_rule::symmetric})
        for (const shape4 src : {shape4{1, 1, 1, 16}, shape4{2, 9, 8, 33}, shape4{3, 4, 41, 130}}) {
          const conv_case at = make_case(sentence(to_string(src), ' ', kernel, " s", stride), src,
                                         src.c, kernel, stride, src.c, rule);
          CAPTURE(at.name);
          const conv_problem& p = at.problem;
          const conv_data data(p);
          const std::vector<double> exact =
              convolve(p, {}, data.src.data(), data.weights.data(), data.bias.data(), {});
          const std::vector<float> expected(exact.begin(), exact.end());
          const std::vector<float> diff_dst = noise(p.dst().elements(), 9);
          const std::vector<float> by_src =
              run_conv_backward(reference_training_backend{}, p, data, diff_dst, false).src;
          for (const cpu::isa best : instruction_sets())
            for (const int threads : {1, 3}) {
              const cpu::thread_scope scope(threads);
              const cpu::depthwise_convolution op(p, false, best);
              const aligned_buffer scratch(op.scratch_bytes());
              std::vector<float> dst(p.dst().elements(), 7.0f);
              op.forward(op.pack(data.weights.data(), data.bias.data()), data.src.data(),
                         dst.data(), scratch.data());
              CHECK(relative_difference(dst, expected) < 2e-6);
              if (!cpu::is_turnable(p)) continue;
              const cpu::depthwise_convolution back(cpu::turned(p), false, best);
              const aligned_buffer more(back.scratch_bytes());
              std::vector<float> diff_src(p.src.elements(), 7.0f);
              back.forward(back.pack_turned(data.weights.data()), diff_dst.data(), diff_src.data(),
                           more.data());
              CHECK(relative_difference(diff_src, by_src) < 2e-6);
            }
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
      return a.bytes() == b.bytes() &&
             (a.bytes() == 0 || std::memcmp(a.data(), b.data(), a.bytes()) == 0);
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
    const auto fresh_by_data = by_data.pack(data.weights.data());
    CHECK(same(packed_by_data.weights, fresh_by_data.weights));
    CHECK(packed_by_data.plain == fresh_by_data.plain);
  }
}
