#pragma once

#include <string>
#include <vector>

#include <effnet/arch/lite_tables.hpp>
#include <effnet/arch/resnet_tables.hpp>
#include <effnet/arch/v2_tables.hpp>
#include <effnet/backend/problems.hpp>

namespace effnet::testing {

/// One convolution that every backend must agree on.
struct conv_case {
  std::string name;
  conv_problem problem;
  epilogue then;
};

inline conv_case make_case(std::string name, shape4 src, int out, int kernel, int stride,
                           int groups, padding_rule rule, epilogue then = {}) {
  const layer l{.in = src.c, .out = out, .kernel = kernel, .stride = stride, .groups = groups};
  return {std::move(name), problem_of(l, rule, src), then};
}

/// Small and odd: every kernel, stride, padding rule and epilogue, channel counts that fill no
/// vector.
inline std::vector<conv_case> small_conv_cases() {
  using enum activation;
  std::vector<conv_case> cases;
  for (padding_rule rule : {padding_rule::tf_same, padding_rule::symmetric})
    for (int stride : {1, 2})
      for (int side : {7, 8, 1}) {
        const std::string tail = sentence(" s", stride, ' ', side, 'x', side + 2,
                                          rule == padding_rule::tf_same ? " same" : " symmetric");
        for (int kernel : {1, 3, 5, 7})
          cases.push_back(make_case(sentence("dense ", kernel, tail), {2, side, side + 2, 5}, 11,
                                    kernel, stride, 1, rule, {.before = silu}));
        for (int kernel : {3, 5})
          for (int channels : {3, 16, 40})
            cases.push_back(make_case(sentence("depthwise ", kernel, " c", channels, tail),
                                      {2, side, side + 2, channels}, channels, kernel, stride,
                                      channels, rule, {.before = relu6}));
      }
  const shape4 src{2, 6, 5, 24};
  const auto same = padding_rule::tf_same;
  cases.push_back(make_case("project", src, 16, 1, 1, 1, same));
  cases.push_back(make_case("project and add", src, 24, 1, 1, 1, same, {.add_dst = true}));
  cases.push_back(
      make_case("add, then relu", src, 24, 1, 1, 1, same, {.add_dst = true, .after = relu}));
  cases.push_back(
      make_case("silu, then add", src, 24, 3, 1, 1, same, {.before = silu, .add_dst = true}));
  cases.push_back(make_case("fully connected", {3, 1, 1, 37}, 10, 1, 1, 1, same));
  cases.push_back(make_case("squeeze", {3, 1, 1, 37}, 4, 1, 1, 1, same, {.before = silu}));
  cases.push_back(make_case("excite", {3, 1, 1, 4}, 37, 1, 1, 1, same, {.before = sigmoid}));
  return cases;
}

/// One batch norm in training, with what follows it and the gradients that reach it.
struct norm_case {
  shape4 shape;
  activation act = activation::silu;
  bool gate = false, keep = false;          ///< squeeze-excite's and stochastic depth's factors
  bool diff_dst = true, diff_pool = false;  ///< gradients of the result and of its mean
  bool of_batch = true;                     ///< statistics of the batch, or given ones
};

inline std::string to_string(const norm_case& at) {
  return sentence(to_string(at.shape), " act ", static_cast<int>(at.act), at.gate ? " gate" : "",
                  at.keep ? " keep" : "", at.diff_dst ? " dst" : "", at.diff_pool ? " pool" : "",
                  at.of_batch ? " batch" : " frozen");
}

/// Every activation with every factor and gradient there can be.
inline std::vector<norm_case> norm_cases(const shape4& shape) {
  using enum activation;
  std::vector<norm_case> cases;
  for (activation act : {identity, silu, relu, relu6, sigmoid})
    for (bool of_batch : {true, false}) {
      cases.push_back({.shape = shape, .act = act, .of_batch = of_batch});
      cases.push_back(
          {.shape = shape, .act = act, .diff_dst = false, .diff_pool = true, .of_batch = of_batch});
    }
  for (bool of_batch : {true, false}) {
    cases.push_back({.shape = shape, .gate = true, .diff_pool = true, .of_batch = of_batch});
    cases.push_back({.shape = shape, .act = relu6, .gate = true, .of_batch = of_batch});
    cases.push_back({.shape = shape, .act = identity, .keep = true, .of_batch = of_batch});
    cases.push_back(
        {.shape = shape, .gate = true, .keep = true, .diff_pool = true, .of_batch = of_batch});
  }
  return cases;
}

/// Every distinct convolution of a network at an image size, with the epilogue it has there.
inline std::vector<conv_case> network_conv_cases(const network_spec& spec, int size, int batch,
                                                 padding_rule rule = padding_rule::tf_same) {
  std::vector<conv_case> cases;
  for_each_layer(spec, size, size, [&](const layer& l) {
    const conv_case next{
        sentence(std::string_view(spec.name), ' ', l.kernel, 'x', l.kernel,
                 l.groups > 1 ? " dw" : "", " s", l.stride, ' ', l.in, "->", l.out, " @", l.src_h),
        problem_of(l, rule, {batch, l.src_h, l.src_w, l.in}),
        {.before = l.act}};
    for (const conv_case& seen : cases)
      if (seen.problem == next.problem && seen.then == next.then) return;
    cases.push_back(next);
  });
  return cases;
}

}  // namespace effnet::testing
