#include <effnet/cpu/cpu_training_backend.hpp>
#include <effnet/reference/reference_training_backend.hpp>

#include "../op_check.hpp"
#include "instruction_sets.hpp"

namespace {
using namespace effnet;
using namespace effnet::testing;

/// The CPU backend held to one instruction set where an op has kernels of its own.
struct held_backend : cpu_training_backend {
  cpu::isa best;

  held_backend(int threads, cpu::isa held) : cpu_training_backend(threads), best(held) {}
  held_backend with_threads(int threads) const { return {threads, best}; }

  void batch_statistics(const_tensor_view src, float* mean, float* variance,
                        std::byte* scratch) const {
    cpu::batch_statistics(src, mean, variance, scratch, best);
  }
  void normalise_forward(const normalised& what, const float* residual, tensor_view dst) const {
    cpu::normalise_forward(what, residual, dst, best);
  }
  void normalise_pool(const normalised& what, tensor_view dst) const {
    cpu::normalise_pool(what, dst, best);
  }
  void gate_backward(const normalised& what, const_tensor_view diff_dst, tensor_view diff_gate,
                     float* sums) const {
    cpu::gate_backward(what, diff_dst, diff_gate, sums, best);
  }
  void normalise_backward(const normalised& what, const float* diff_dst, const float* diff_pool,
                          const float* gate_sums, bool of_batch, tensor_view diff_src,
                          float* diff_weight, float* diff_bias, std::byte* scratch) const {
    cpu::normalise_backward(what, diff_dst, diff_pool, gate_sums, of_batch, diff_src, diff_weight,
                            diff_bias, scratch, best);
  }
};

/// Shapes of one piece and of many, across pixels and across channels, full registers and not.
const std::vector<shape4> shapes = {{1, 1, 1, 1},   {2, 5, 3, 19},   {3, 9, 9, 64}, {16, 7, 7, 130},
                                    {2, 33, 31, 3}, {1, 40, 40, 24}, {3, 3, 2, 523}};

void close(const std::vector<float>& got, const std::vector<float>& expected, double terms = 5e-2) {
  CHECK(largest_difference(got.data(), expected.data(), got.size()) <
        2e-5 * std::max(terms, largest(expected.data(), expected.size())));
}
void compare(const norm_results& got, const norm_results& expected) {
  close(got.mean, expected.mean);
  close(got.variance, expected.variance);
  close(got.dst, expected.dst);
  close(got.pooled, expected.pooled);
  close(got.diff_gate, expected.diff_gate);
  // Of a single pixel it is zero: the difference of terms of about 1 / sqrt(eps), which is 30.
  close(got.diff_src, expected.diff_src, 1);
  close(got.diff_weight, expected.diff_weight);
  close(got.diff_bias, expected.diff_bias);
}
bool same(const norm_results& a, const norm_results& b) {
  return a.mean == b.mean && a.variance == b.variance && a.dst == b.dst && a.pooled == b.pooled &&
         a.diff_gate == b.diff_gate && a.diff_src == b.diff_src && a.diff_weight == b.diff_weight &&
         a.diff_bias == b.diff_bias;
}
}  // namespace

TEST_CASE("cpu: every instruction set normalises as the reference does, forward and backward") {
  for (const shape4& shape : shapes) {
    const norm_data data(shape);
    for (const norm_case& at : norm_cases(shape)) {
      CAPTURE(to_string(at));
      const norm_results expected = run_norm(reference_training_backend{}, at, data);
      for (cpu::isa best : instruction_sets()) {
        CAPTURE(static_cast<int>(best));
        compare(run_norm(held_backend(2, best), at, data), expected);
      }
    }
  }
}

TEST_CASE("cpu: normalising in place gives the bits of normalising apart") {
  const shape4 shape{3, 9, 9, 67};
  const norm_data data(shape);
  for (const norm_case& at : norm_cases(shape)) {
    CAPTURE(to_string(at));
    const cpu_training_backend on(2);
    CHECK(same(run_norm(on, at, data, true), run_norm(on, at, data)));
  }
}

TEST_CASE("cpu: normalised values are the same bits on any number of threads") {
  for (const shape4& shape : shapes) {
    const norm_data data(shape);
    for (const norm_case& at : norm_cases(shape)) {
      CAPTURE(to_string(at));
      const norm_results one = run_norm(cpu_training_backend(1), at, data);
      for (int threads : {2, 3})
        CHECK(same(run_norm(cpu_training_backend(threads), at, data), one));
    }
  }
}

TEST_CASE("cpu: a small variance around a large mean is not swallowed") {
  const shape4 shape{4, 31, 29, 21};
  for (const double outlier : {100.0, 0.0}) {  // of the first pixel, which may be unlike the rest
    std::vector<float> src = noise(shape.elements(), 1, 0.1 * std::sqrt(3.0));
    for (float& x : src) x += 100;
    for (std::size_t c = 0; c < 21; ++c) src[c] = static_cast<float>(outlier);
    std::vector<float> mean(21), variance(21), expected_mean(21), expected(21);
    reference::batch_statistics({src.data(), shape}, expected_mean.data(), expected.data());
    for (cpu::isa best : instruction_sets()) {
      const aligned_buffer scratch(cpu::norm_scratch_bytes(shape));
      cpu::batch_statistics({src.data(), shape}, mean.data(), variance.data(), scratch.data(),
                            best);
      for (std::size_t c = 0; c < 21; ++c) {
        CHECK(double{mean[c]} == doctest::Approx(double{expected_mean[c]}).epsilon(1e-6));
        CHECK(double{variance[c]} == doctest::Approx(double{expected[c]}).epsilon(1e-4));
      }
    }
  }
}

TEST_CASE("cpu: what is not a number stays so through batch norm") {
  const shape4 shape{2, 5, 5, 24};
  norm_data data(shape);
  data.src[30] = std::numeric_limits<float>::quiet_NaN();  // channel 6
  for (activation act : {activation::identity, activation::silu, activation::relu6}) {
    const norm_case at{.shape = shape, .act = act};
    const norm_results got = run_norm(cpu_training_backend(2), at, data);
    CHECK(std::isnan(got.mean[6]));
    CHECK(std::isnan(got.variance[6]));
    CHECK(std::isnan(got.diff_weight[6]));
    CHECK(std::isfinite(got.mean[7]));
  }
}

TEST_CASE("cpu: the other ops of training are what their definitions say") {
  for (int threads : {1, 2, 3}) check_training_ops(cpu_training_backend(threads));
}

namespace {
/// What reads `what` itself gives what the same op makes of `read`, which is what it becomes.
template <class Conv, class Gradient>
void reads_what_it_becomes(const conv_problem& p, const normalised& what, const float* read,
                           const Conv& conv, const Gradient& by_weights) {
  const std::vector<float> weights = noise(p.weights(), 3), diff = noise(p.dst().elements(), 4);
  const auto plain = conv(false), itself = conv(true);
  const aligned_buffer scratch(std::max(plain.scratch_bytes(), itself.scratch_bytes()));
  std::vector<float> expected(p.dst().elements()), got(expected.size());
  plain.forward(plain.pack(weights.data(), nullptr), read, expected.data(), scratch.data());
  itself.forward(itself.pack(weights.data(), nullptr), what, got.data(), scratch.data());
  close(got, expected);
  const auto of_read = by_weights(false), of_itself = by_weights(true);
  const aligned_buffer more(std::max(of_read.scratch_bytes(), of_itself.scratch_bytes()));
  expected.assign(p.weights(), 0), got.assign(p.weights(), 7);
  of_read.run(read, diff.data(), expected.data(), more.data());
  of_itself.run(what, diff.data(), got.data(), more.data());
  close(got, expected);
}
}  // namespace

TEST_CASE("cpu: convolutions and their weight gradients normalise their source themselves") {
  for (const shape4& shape : shapes) {
    const norm_data data(shape);
    const std::vector<float> constants = data.constants();
    std::vector<float> read(shape.elements());
    for (const norm_case& at : norm_cases(shape)) {
      if (!at.diff_dst) continue;  // backward's alone
      CAPTURE(to_string(at));
      const normalised what{.src = {data.src.data(), shape},
                            .constants = {constants.data(), shape.c},
                            .act = at.act,
                            .gate = at.gate ? data.gate.data() : nullptr,
                            .keep = at.keep ? data.keep.data() : nullptr};
      cpu::normalise_forward(what, nullptr, {read.data(), shape});
      for (const cpu::isa best : instruction_sets())
        for (const int threads : {1, 3}) {
          CAPTURE(static_cast<int>(best));
          const cpu::thread_scope scope(threads);
          const conv_problem dense{.src = shape, .out = 37, .kernel = 1, .pad = {}};
          reads_what_it_becomes(
              dense, what, read.data(),
              [&](bool itself) {
                const auto form = itself ? cpu::source_form::normalised : cpu::source_form::plain;
                return cpu::pointwise_convolution(dense, {}, form, cpu::products::fp32, best);
              },
              [&](bool itself) {
                return cpu::pointwise_weight_gradient(dense, itself, cpu::products::fp32, best);
              });
          for (const int stride : {1, 2}) {
            const int kernel = stride == 1 ? 3 : 5;
            const conv_problem depthwise =
                make_case("", shape, shape.c, kernel, stride, shape.c, padding_rule::tf_same)
                    .problem;
            if (!depthwise.depthwise()) continue;  // of one channel
            reads_what_it_becomes(
                depthwise, what, read.data(),
                [&](bool itself) { return cpu::depthwise_convolution(depthwise, itself, best); },
                [&](bool itself) {
                  return cpu::depthwise_weight_gradient(depthwise, itself, best);
                });
          }
        }
    }
  }
}

TEST_CASE("cpu: parts of a batch read their own gates and kept images") {
  const shape4 shape{4, 5, 3, 19};
  const norm_data data(shape);
  const std::vector<float> constants = data.constants();
  const normalised what{.src = {data.src.data(), shape},
                        .constants = {constants.data(), shape.c},
                        .act = activation::silu,
                        .gate = data.gate.data(),
                        .keep = data.keep.data()};
  const conv_problem p{.src = shape, .out = 37, .kernel = 1, .pad = {}};
  const std::vector<float> weights = noise(p.weights(), 3), diff = noise(p.dst().elements(), 4);
  std::vector<float> results[2], gradients[2];
  for (const bool deterministic : {false, true}) {
    const cpu_training_backend on(2, deterministic);
    const auto scope = on.enter();
    const auto conv = on.plan_conv_of_normalised(p);
    const auto by_weights = on.plan_conv_backward_weights_of_normalised(p, false);
    REQUIRE(conv.reads_normalised());
    REQUIRE(by_weights.reads_normalised());
    const aligned_buffer scratch(std::max(conv.scratch_bytes(), by_weights.scratch_bytes()));
    results[deterministic].resize(p.dst().elements());
    gradients[deterministic].resize(p.weights());
    on.conv_forward(conv, conv.pack(weights.data(), nullptr), what,
                    {results[deterministic].data(), p.dst()}, scratch.data());
    on.conv_backward_weights(by_weights, what, {diff.data(), p.dst()},
                             gradients[deterministic].data(), scratch.data());
  }
  close(results[1], results[0]);
  close(gradients[1], gradients[0]);
}
