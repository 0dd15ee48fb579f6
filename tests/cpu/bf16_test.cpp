#include <bit>
#include <cmath>
#include <limits>
#include <string>

#include <effnet/cpu/cpu_training_backend.hpp>

#include "../op_check.hpp"
#include "instruction_sets.hpp"

// What multiplies bf16 numbers gives what fp32 gives of rounded ones.

namespace {
using namespace effnet;
using namespace effnet::testing;

/// To eight significant bits, ties to even.
float rounded(float x) {
  int exponent = 0;
  const float fraction = std::frexp(x, &exponent);
  return std::ldexp(std::nearbyint(fraction * 256), exponent - 8);
}
std::vector<float> rounded(std::vector<float> values) {
  for (float& x : values) x = rounded(x);
  return values;
}

/// Within `bound` of the largest.
void close(const std::vector<float>& got, const std::vector<float>& expected, double bound = 1e-5) {
  CHECK(largest_difference(got.data(), expected.data(), got.size()) <
        bound * std::max(0.1, largest(expected.data(), expected.size())));
}

/// Calls `check(instruction set)` on some numbers of threads.
template <class Check>
void on_every_machine(const Check& check) {
  for (const cpu::isa best : instruction_sets())
    for (const int threads : {1, 3}) {
      CAPTURE(static_cast<int>(best));
      CAPTURE(threads);
      const cpu::thread_scope scope(threads);
      check(best);
    }
}

/// Odd and even channels, rows around the tiles', and depths that are read in parts.
std::vector<conv_case> cases() {
  std::vector<conv_case> some;
  const auto add = [&](shape4 src, int out, const epilogue& then = {}) {
    some.push_back(make_case(sentence(to_string(src), " to ", out), src, out, 1, 1, 1,
                             padding_rule::tf_same, then));
  };
  for (const int side : {1, 3, 5})
    for (const int in : {1, 16, 19})
      for (const int out : {1, 16, 33, 70})
        add({2, side, side + 1, in}, out, {.before = activation::silu});
  add({2, 3, 4, 24}, 40, {.add_dst = true});
  add({1, 3, 3, 19}, 33);
  add({1, 4, 37, 515}, 64);
  add({1, 2, 3, 1100}, 17);
  return some;
}

struct conv_inputs {
  conv_data exact, rounded;

  explicit conv_inputs(const conv_problem& p) : exact(p), rounded(p) {
    rounded.src = ::rounded(exact.src);
    rounded.weights = ::rounded(exact.weights);
  }
};

/// A 1x1 of a plain source, or of one that `gate` scales.
std::vector<float> run_pointwise(const conv_case& at, const conv_data& data, const float* gate,
                                 cpu::products of, cpu::isa best) {
  const auto form = gate != nullptr ? cpu::source_form::gated : cpu::source_form::plain;
  const cpu::pointwise_convolution op(at.problem, at.then, form, of, best);
  const aligned_buffer scratch(op.scratch_bytes());
  std::vector<float> dst = data.residual;
  op.forward(op.pack(data.weights.data(), data.bias.data()), data.src.data(), gate, dst.data(),
             scratch.data());
  return dst;
}
}  // namespace

TEST_CASE("cpu: numbers are rounded to bf16 as IEEE 754 rounds") {
  const float infinity = std::numeric_limits<float>::infinity();
  std::vector<float> values = noise(39, 1);
  values[1] = 1 + 0x1p-8f;            // a tie, down to even
  values[2] = 1 + 0x1p-7f + 0x1p-8f;  // a tie, up
  values[3] = -(1 + 0x1p-8f + 0x1p-20f);
  values[4] = infinity, values[5] = -infinity, values[6] = 0, values[7] = -0.0f;
  std::vector<float> expected = rounded(values);
  values[8] = std::numeric_limits<float>::max(), expected[8] = infinity;
  const auto half = [](float pair, int which) {
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(pair) >> 16 * which << 16);
  };
  for (const cpu::isa best : instruction_sets()) {
    CAPTURE(static_cast<int>(best));
    std::vector<float> pairs(48, 7.0f);
    cpu::round_rows({.src = values.data(),
                     .step = 13,
                     .rows = 3,
                     .channels = 13,
                     .scale = nullptr,
                     .to = pairs.data(),
                     .to_step = 16},
                    best);
    for (std::size_t i = 0; i < 42; ++i) {
      const std::size_t row = i / 14, c = i % 14;
      CHECK(half(pairs[row * 16 + c / 2], c % 2) == (c < 13 ? expected[row * 13 + c] : 0));
    }
    cpu::pair_rows({.src = values.data(),
                    .step = 13,
                    .rows = 3,
                    .channels = 13,
                    .padded = 16,
                    .to = pairs.data(),
                    .to_step = 16},
                   best);
    for (std::size_t i = 0; i < 64; ++i) {
      const std::size_t row = i / 16, c = i % 16;
      CHECK(half(pairs[row / 2 * 16 + c], row % 2) ==
            (row < 3 && c < 13 ? expected[row * 13 + c] : 0));
    }
    const float none = std::numeric_limits<float>::quiet_NaN();
    cpu::round_rows({.src = &none,
                     .step = 1,
                     .rows = 1,
                     .channels = 1,
                     .scale = nullptr,
                     .to = pairs.data(),
                     .to_step = 16},
                    best);
    CHECK(std::isnan(half(pairs[0], 0)));
  }
}

TEST_CASE("cpu: 1x1 convolutions in bf16 are those of rounded numbers") {
  for (const conv_case& at : cases()) {
    CAPTURE(at.name);
    const conv_inputs data(at.problem);
    const shape4& s = at.problem.src;
    const std::vector<float> gate = noise(shape4{s.n, 1, 1, s.c}.elements(), 8);
    conv_data gated = data.rounded;
    const auto channels = static_cast<std::size_t>(s.c);
    const std::size_t image = gated.src.size() / static_cast<std::size_t>(s.n);
    for (std::size_t i = 0; i < gated.src.size(); ++i)
      gated.src[i] = rounded(data.exact.src[i] * gate[i / image * channels + i % channels]);
    on_every_machine([&](cpu::isa best) {
      using enum cpu::products;
      close(run_pointwise(at, data.exact, nullptr, bf16, best),
            run_pointwise(at, data.rounded, nullptr, fp32, best));
      close(run_pointwise(at, data.exact, gate.data(), bf16, best),
            run_pointwise(at, gated, nullptr, fp32, best));
    });
  }
}

TEST_CASE("cpu: gradients of 1x1 convolutions in bf16 are those of rounded numbers") {
  for (const conv_case& at : cases()) {
    CAPTURE(at.name);
    const conv_problem& p = at.problem;
    const conv_inputs data(p);
    const std::vector<float> diff = noise(p.dst().elements(), 9), rounded_diff = rounded(diff);
    on_every_machine([&](cpu::isa best) {
      using enum cpu::products;
      const auto by_src = [&](const conv_data& of, const std::vector<float>& diff_dst,
                              cpu::products kind) {
        const cpu::pointwise_data_gradient op(cpu::turned(p), kind, best);
        const aligned_buffer scratch(op.scratch_bytes());
        std::vector<float> to(p.src.elements(), 7.0f);
        op.run(op.pack(of.weights.data()), diff_dst.data(), to.data(), scratch.data());
        return to;
      };
      close(by_src(data.exact, diff, bf16), by_src(data.rounded, rounded_diff, fp32));
      const auto by_weights = [&](const conv_data& of, const std::vector<float>& diff_dst,
                                  cpu::products kind) {
        const cpu::pointwise_weight_gradient op(p, false, kind, best);
        const aligned_buffer scratch(op.scratch_bytes());
        std::vector<float> to(p.weights(), 7.0f);
        op.run(of.src.data(), diff_dst.data(), to.data(), scratch.data());
        return to;
      };
      close(by_weights(data.exact, diff, bf16), by_weights(data.rounded, rounded_diff, fp32));
    });
  }
}

TEST_CASE("cpu: in bf16, too, 1x1 convolutions normalise their source themselves") {
  for (const shape4 shape : {shape4{3, 9, 9, 67}, shape4{2, 3, 5, 24}, shape4{1, 1, 1, 5}}) {
    CAPTURE(to_string(shape));
    const norm_data data(shape);
    const std::vector<float> constants = data.constants();
    const normalised what{.src = {data.src.data(), shape},
                          .constants = {constants.data(), shape.c},
                          .act = activation::silu,
                          .gate = data.gate.data(),
                          .keep = data.keep.data()};
    std::vector<float> read(shape.elements());
    cpu::normalise_forward(what, nullptr, {read.data(), shape});
    const conv_problem p{.src = shape, .out = 37, .kernel = 1, .pad = {}};
    const std::vector<float> weights = noise(p.weights(), 3), diff = noise(p.dst().elements(), 4);
    // A number that differs in the last bit may be rounded the other way.
    constexpr double bound = 4e-3;
    on_every_machine([&](cpu::isa best) {
      using enum cpu::source_form;
      const cpu::pointwise_convolution reads(p, {}, plain, cpu::products::bf16, best);
      const cpu::pointwise_convolution makes(p, {}, normalised, cpu::products::bf16, best);
      const aligned_buffer scratch(std::max(reads.scratch_bytes(), makes.scratch_bytes()));
      std::vector<float> expected(p.dst().elements()), got(expected.size(), 7.0f);
      const cpu::packed_weights packed = reads.pack(weights.data(), nullptr);
      reads.forward(packed, read.data(), expected.data(), scratch.data());
      makes.forward(packed, what, got.data(), scratch.data());
      close(got, expected, bound);
      const cpu::pointwise_weight_gradient of_read(p, false, cpu::products::bf16, best);
      const cpu::pointwise_weight_gradient of_what(p, true, cpu::products::bf16, best);
      const aligned_buffer more(std::max(of_read.scratch_bytes(), of_what.scratch_bytes()));
      expected.assign(p.weights(), 0), got.assign(p.weights(), 7);
      of_read.run(read.data(), diff.data(), expected.data(), more.data());
      of_what.run(what, diff.data(), got.data(), more.data());
      close(got, expected, bound);
    });
  }
}

TEST_CASE(
    "cpu: the expand in front of a depthwise convolution in bf16 is that of rounded numbers") {
  for (const shape4 src : {shape4{1, 1, 1, 5}, shape4{2, 7, 9, 11}, shape4{1, 25, 6, 16}})
    for (const int stride : {1, 2}) {
      CAPTURE(to_string(src));
      const conv_problem expand = make_case("", src, 37, 1, 1, 1, padding_rule::tf_same).problem;
      const conv_problem depthwise =
          make_case("", {src.n, src.h, src.w, 37}, 37, 3, stride, 37, padding_rule::tf_same)
              .problem;
      const conv_inputs first(expand);
      const conv_data second(depthwise);
      on_every_machine([&](cpu::isa best) {
        const auto run = [&](const conv_data& of, cpu::products kind) {
          const cpu::expand_depthwise op(&expand, depthwise, activation::silu, kind, best);
          const aligned_buffer scratch(op.scratch_bytes());
          const cpu::packed_weights packed = op.expand().pack(of.weights.data(), of.bias.data());
          std::vector<float> dst(depthwise.dst().elements());
          op.forward(&packed, op.depthwise().pack(second.weights.data(), second.bias.data()),
                     of.src.data(), dst.data(), nullptr, scratch.data());
          return dst;
        };
        close(run(first.exact, cpu::products::bf16), run(first.rounded, cpu::products::fp32));
      });
    }
}

TEST_CASE("cpu: bf16 is refused where the processor does not have it") {
  const cpu_options options{.bf16 = true};
  if (cpu::has_bf16()) {
    CHECK(cpu_backend(1, options).options().bf16);
    CHECK(cpu_backend(1, options).with_threads(2).options().bf16);
    return;
  }
  std::string said;
  try {
    cpu_training_backend(1, false, options);
  } catch (const backend_error& error) {
    said = error.what();
  }
  CHECK(said ==
        "the cpu backend cannot compute in bf16 on this processor, which has no AVX512_BF16; "
        "compute in fp32");
}

TEST_CASE("cpu: squeeze-excite and the classifier stay in fp32") {
  const cpu_options options{.bf16 = true};
  CHECK(cpu::products_of({.src = {8, 1, 1, 96}, .out = 4, .kernel = 1, .pad = {}}, options) ==
        cpu::products::fp32);
  const conv_problem image{.src = {1, 2, 1, 96}, .out = 4, .kernel = 1, .pad = {}};
  CHECK(cpu::products_of(image, options) == cpu::products::bf16);
  CHECK(cpu::kernel_for(image, {}, options) == cpu::kernel_kind::pointwise);
  CHECK(cpu::products_of(image, {}) == cpu::products::fp32);
}
