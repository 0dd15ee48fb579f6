#include <effnet/cpu/expand_depthwise.hpp>
#include <effnet/cpu/thread_scope.hpp>

#include "../op_check.hpp"
#include "instruction_sets.hpp"

namespace {
using namespace effnet;
using namespace effnet::testing;

struct front_result {
  std::vector<float> dst, means;
};

front_result run_front(const conv_problem* expand, const conv_problem& depthwise, activation act,
                       const conv_data& first, const conv_data& second, int threads,
                       cpu::isa best) {
  const cpu::thread_scope scope(threads);
  const cpu::expand_depthwise op(expand, depthwise, act, cpu::products::fp32, best);
  const aligned_buffer scratch(op.scratch_bytes());
  cpu::packed_weights packed;
  if (expand != nullptr) packed = op.expand().pack(first.weights.data(), first.bias.data());
  const shape4 d = depthwise.dst();
  front_result got{std::vector<float>(d.elements()),
                   std::vector<float>(shape4{d.n, 1, 1, d.c}.elements())};
  op.forward(expand != nullptr ? &packed : nullptr,
             op.depthwise().pack(second.weights.data(), second.bias.data()),
             expand != nullptr ? first.src.data() : second.src.data(), got.dst.data(),
             got.means.data(), scratch.data());
  return got;
}

void compare(shape4 src, int channels, bool expands, int kernel, int stride, padding_rule rule,
             activation act) {
  const auto named = sentence(to_string(src), " to ", channels, " kernel ", kernel, " stride ",
                              stride, expands ? " expanded" : "");
  CAPTURE(named);
  const conv_problem expand = make_case("", src, channels, 1, 1, 1, rule).problem;
  const conv_problem depthwise =
      make_case("", {src.n, src.h, src.w, channels}, channels, kernel, stride, channels, rule)
          .problem;
  const conv_data first(expand);
  conv_data second(depthwise);
  if (expands) {
    const std::vector<double> wide = convolve(expand, {.before = act}, first.src.data(),
                                              first.weights.data(), first.bias.data(), {});
    std::copy(wide.begin(), wide.end(), second.src.begin());
  }
  const std::vector<double> expected = convolve(depthwise, {.before = act}, second.src.data(),
                                                second.weights.data(), second.bias.data(), {});
  const shape4 d = depthwise.dst();
  std::vector<double> means(shape4{d.n, 1, 1, d.c}.elements());
  const std::size_t pixels = static_cast<std::size_t>(d.h) * static_cast<std::size_t>(d.w);
  const auto width = static_cast<std::size_t>(d.c);
  for (std::size_t i = 0; i < expected.size(); ++i)
    means[i / (pixels * width) * width + i % width] += expected[i] / static_cast<double>(pixels);
  for (const cpu::isa best : instruction_sets())
    for (const int threads : {1, 2, 5}) {
      const front_result got =
          run_front(expands ? &expand : nullptr, depthwise, act, first, second, threads, best);
      double worst = 0;
      for (std::size_t i = 0; i < expected.size(); ++i)
        worst = worse(worst, std::abs(double{got.dst[i]} - expected[i]));
      for (std::size_t i = 0; i < means.size(); ++i)
        worst = worse(worst, std::abs(double{got.means[i]} - means[i]));
      CHECK(worst < 1e-5);
    }
}
}  // namespace

TEST_CASE("cpu: expand and depthwise in one op agree with the definitions") {
  for (const padding_rule rule : {padding_rule::tf_same, padding_rule::symmetric})
    for (const int kernel : {3, 5})
      for (const int stride : {1, 2})
        for (const shape4 src : {shape4{1, 1, 1, 5}, shape4{2, 7, 9, 11}, shape4{1, 25, 6, 3}})
          for (const bool expands : {true, false})
            compare(src, expands ? 37 : src.c, expands, kernel, stride, rule, activation::silu);
  compare({1, 8, 8, 16}, 64, true, 3, 1, padding_rule::tf_same, activation::relu6);
  compare({1, 3, 120, 4}, 20, true, 7, 2, padding_rule::tf_same, activation::relu);
  compare({1, 5, 6, 4}, 17, true, 65, 1, padding_rule::symmetric, activation::silu);
  compare({2, 64, 8, 32}, 32, false, 3, 1, padding_rule::symmetric, activation::identity);
}
