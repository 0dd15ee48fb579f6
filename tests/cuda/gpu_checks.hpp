#pragma once

#include <cmath>
#include <optional>
#include <string>

#include <effnet/cuda/products.hpp>
#include <effnet/math/rounding.hpp>
#include <effnet/nn/network.hpp>
#include <effnet/nn/training_network.hpp>
#include <effnet/reference/reference_training_backend.hpp>
#include <effnet/v2.hpp>

#include "../op_check.hpp"

// What a device and the processor that drives its kernels must both pass.
namespace effnet::testing {

inline double norm(const std::vector<float>& values) {
  double sum = 0;
  for (float x : values) sum += double{x} * double{x};
  return std::sqrt(sum);
}
inline double distance(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    sum += (double{a[i]} - double{b[i]}) * (double{a[i]} - double{b[i]});
  return std::sqrt(sum);
}
/// The largest difference of two elements, relative to those above 1.
inline double largest_error(const std::vector<float>& got, const std::vector<float>& expected) {
  if (got.size() != expected.size()) return HUGE_VAL;
  double worst = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double error =
        std::abs(double{got[i]} - double{expected[i]}) / (1 + std::abs(double{expected[i]}));
    worst = worse(worst, error);
  }
  return worst;
}

template <training_backend B>
void check_convolutions(const B& on) {
  for (const conv_case& at : small_conv_cases()) {
    CAPTURE(at.name);
    const conv_data data(at.problem);
    const auto expected = convolve(at.problem, at.then, data.src.data(), data.weights.data(),
                                   data.bias.data(), data.residual);
    const std::vector<float> dst = run_conv(on, at.problem, at.then, data.src, data.weights.data(),
                                            data.bias.data(), data.residual);
    CHECK(largest_error(dst, std::vector<float>(expected.begin(), expected.end())) < 1e-5);
  }
}

template <training_backend B>
void check_convolution_gradients(const B& on) {
  for (const conv_case& at : small_conv_cases()) {
    if (at.then != epilogue{.before = at.then.before}) continue;  // each shape once
    for (const bool with_bias : {true, false}) {
      CAPTURE(at.name);
      const conv_data data(at.problem);
      const std::vector<float> diff_dst = noise(at.problem.dst().elements(), 9);
      const conv_gradients got = run_conv_backward(on, at.problem, data, diff_dst, with_bias);
      const conv_gradients expected =
          run_conv_backward(reference_training_backend{}, at.problem, data, diff_dst, with_bias);
      CHECK(largest_error(got.src, expected.src) < 1e-5);
      CHECK(largest_error(got.weights, expected.weights) < 1e-5);
      CHECK(largest_error(got.bias, expected.bias) < 1e-5);
    }
  }
}

/// Numbers as `of` takes them.
inline std::vector<float> rounded(std::vector<float> values, cuda::products of) {
  if (of == cuda::products::bf16) return as_stored(dtype::bf16, std::move(values));
  if (of == cuda::products::fp16) return as_stored(dtype::f16, std::move(values));
  if (of == cuda::products::tf32)
    for (float& x : values) x = math::tf32_rounded(x);
  return values;
}

/// Dense convolutions of a backend that rounds what it multiplies are those of rounded numbers, to
/// fp32's precision or that of the maps; depthwise ones round their weights never. Tensor cores add
/// up less exactly than the processor that stands in for them.
template <training_backend B>
void check_rounded_convolutions(const B& on, cuda::products of, double tolerance = 1e-5) {
  const double of_maps = rounding_step(map_type(on), tolerance);
  for (const conv_case& at : small_conv_cases()) {
    CAPTURE(at.name);
    const conv_problem& p = at.problem;
    const cuda::products here = p.depthwise() ? cuda::products::fp32 : of;
    conv_data data(p);
    data.src = as_stored(on, data.src), data.residual = as_stored(on, data.residual);
    conv_data as_taken = data;
    as_taken.src = rounded(data.src, here), as_taken.weights = rounded(data.weights, here);
    const auto expected = convolve(p, at.then, as_taken.src.data(), as_taken.weights.data(),
                                   data.bias.data(), data.residual);
    const std::vector<float> dst =
        run_conv(on, p, at.then, data.src, data.weights.data(), data.bias.data(), data.residual);
    CHECK(largest_error(dst, std::vector<float>(expected.begin(), expected.end())) < of_maps);

    if (of == cuda::products::fp16) {
      CHECK_THROWS_AS(on.plan_conv_backward_weights(p, true), backend_error);
      continue;
    }
    const std::vector<float> diff_dst = as_stored(on, noise(p.dst().elements(), 9));
    const reference_training_backend reference;
    const conv_gradients got = run_conv_backward(on, p, data, diff_dst);
    const conv_gradients exact = run_conv_backward(reference, p, as_taken, rounded(diff_dst, here));
    CHECK(largest_error(got.src, exact.src) < of_maps);
    CHECK(largest_error(got.weights, exact.weights) < tolerance);
    CHECK(largest_error(got.bias, run_conv_backward(reference, p, data, diff_dst).bias) <
          tolerance);
  }
}

/// Rows of numbers and images are floats, whatever maps are: a fully connected layer rounds what it
/// multiplies alone, and the stem reads images.
template <training_backend B>
void check_float_sources(const B& on, cuda::products of, double tolerance = 1e-5) {
  const auto run = [&](const conv_problem& p, const conv_data& data, auto& result) {
    const auto op = on.plan_conv(p, {});
    const auto packed = op.pack(data.weights.data(), data.bias.data());
    const device_vector source(on, data.src);
    if constexpr (requires { result.view(p.dst()); })
      on.conv_forward(op, packed, {source.data(), p.src}, result.view(p.dst()), nullptr);
    else
      on.conv_forward(op, packed, {source.data(), p.src}, {result.data(), p.dst()}, nullptr);
    const auto expected = convolve(p, {}, rounded(data.src, of).data(),
                                   rounded(data.weights, of).data(), data.bias.data(), {});
    return largest_error(result.host(), std::vector<float>(expected.begin(), expected.end()));
  };
  const conv_problem rows =
      make_case("", {3, 1, 1, 37}, 70, 1, 1, 1, padding_rule::tf_same).problem;
  const device_vector logits(on, std::vector<float>(rows.dst().elements(), NAN));
  CHECK(run(rows, conv_data(rows), logits) < tolerance);
  const conv_problem stem =
      make_case("", {2, 13, 18, 3}, 10, 3, 2, 1, padding_rule::tf_same).problem;
  const conv_data data(stem);
  const device_map map(on, std::vector<float>(stem.dst().elements(), NAN));
  CHECK(run(stem, data, map) < rounding_step(map_type(on), tolerance));

  if (of == cuda::products::fp16) return;
  const std::vector<float> diff_dst = as_stored(on, noise(stem.dst().elements(), 9));
  const auto op = on.plan_conv_backward_weights(stem, false);
  const typename B::buffer scratch(op.scratch_bytes());
  const device_vector images(on, data.src),
      weights(on, std::vector<float>(data.weights.size(), NAN));
  const device_map diff(on, diff_dst);
  on.conv_backward_weights(op, {images.data(), stem.src}, diff.view(stem.dst()), weights.data(),
                           nullptr, scratch.data());
  conv_data as_taken = data;
  as_taken.src = rounded(data.src, of);
  CHECK(largest_error(weights.host(), run_conv_backward(reference_training_backend{}, stem,
                                                        as_taken, rounded(diff_dst, of))
                                          .weights) < tolerance);
}

/// Expand and depthwise with their means in one op are the ops one by one.
template <fuses_mbconv B>
void check_expand_depthwise(const B& on, cuda::products of) {
  const reference_training_backend reference;
  const epilogue then{.before = activation::silu};
  for (const int kernel : {3, 5, 7})
    for (const int stride : {1, 2})
      for (const bool expands : {false, true}) {
        CAPTURE(kernel);
        CAPTURE(stride);
        CAPTURE(expands);
        const conv_problem first =
            make_case("", {2, 17, 23, 6}, 20, 1, 1, 1, padding_rule::tf_same).problem;
        const conv_problem second =
            make_case("", {2, 17, 23, 20}, 20, kernel, stride, 20, padding_rule::tf_same).problem;
        const conv_data of_first(first), of_second(second);
        const std::vector<float> src = as_stored(on, expands ? of_first.src : of_second.src);
        const std::vector<float> wide =
            expands
                ? as_stored(on, run_conv(reference, first, then, rounded(src, of),
                                         rounded(of_first.weights, of).data(), of_first.bias.data(),
                                         std::vector<float>(first.dst().elements())))
                : src;
        const std::vector<float> expected =
            run_conv(reference, second, then, wide, of_second.weights.data(), of_second.bias.data(),
                     std::vector<float>(second.dst().elements()));
        std::vector<float> means(2 * 20);
        for (std::size_t i = 0; i < expected.size(); ++i)
          means[i / (expected.size() / 2) * 20 + i % 20] +=
              expected[i] / static_cast<float>(expected.size() / 40);

        const auto op = on.plan_expand_depthwise(expands ? &first : nullptr, second, then.before);
        std::optional<typename B::packed> of_expand;
        if (expands) of_expand = op.expand().pack(of_first.weights.data(), of_first.bias.data());
        const auto of_depthwise =
            op.depthwise().pack(of_second.weights.data(), of_second.bias.data());
        const typename B::buffer scratch(op.scratch_bytes());
        const device_map source(on, src), result(on, std::vector<float>(expected.size(), NAN));
        const device_vector mean(on, std::vector<float>(means.size(), NAN));
        on.expand_depthwise_forward(op, of_expand ? &*of_expand : nullptr, of_depthwise,
                                    source.view(expands ? first.src : second.src),
                                    result.view(second.dst()), mean.data(), scratch.data());
        // A number of the expanded map may be rounded the other way.
        const double tolerance = 2 * rounding_step(map_type(on), 5e-6);
        CHECK(largest_error(result.host(), expected) < tolerance);
        CHECK(largest_error(mean.host(), means) < tolerance);
      }
}

/// Both layers of squeeze-excite in one op are the layers one by one.
template <fuses_squeeze_excite B>
void check_squeeze_excite(const B& on, double tolerance = 1e-5) {
  const reference_training_backend reference;
  for (const int images : {1, 3})
    for (const auto& [channels, squeezed] : {std::pair{20, 5}, {37, 33}, {300, 1}, {6, 70}}) {
      CAPTURE(channels);
      const conv_problem first =
          make_case("", {images, 1, 1, channels}, squeezed, 1, 1, 1, padding_rule::tf_same).problem;
      const conv_problem second =
          make_case("", first.dst(), channels, 1, 1, 1, padding_rule::tf_same).problem;
      const conv_data of_first(first), of_second(second);
      const std::vector<float> active = run_conv(
          reference, first, {.before = activation::silu}, of_first.src, of_first.weights.data(),
          of_first.bias.data(), std::vector<float>(first.dst().elements()));
      const std::vector<float> expected = run_conv(
          reference, second, {.before = activation::sigmoid}, active, of_second.weights.data(),
          of_second.bias.data(), std::vector<float>(second.dst().elements()));
      const auto op = on.plan_squeeze_excite(first, second, activation::silu);
      const device_vector means(on, of_first.src),
          gate(on, std::vector<float>(expected.size(), NAN));
      on.squeeze_excite_forward(op,
                                op.squeeze().pack(of_first.weights.data(), of_first.bias.data()),
                                op.excite().pack(of_second.weights.data(), of_second.bias.data()),
                                {means.data(), first.src}, {gate.data(), second.dst()});
      CHECK(largest_error(gate.host(), expected) < tolerance);
    }
}

/// A gate is multiplied in before numbers are rounded.
template <fuses_mbconv B>
void check_gated_convolution(const B& on, cuda::products of, double tolerance = 1e-5) {
  for (const int channels : {37, 38}) {
    const conv_problem p =
        make_case("", {2, 9, 13, channels}, 70, 1, 1, 1, padding_rule::tf_same).problem;
    conv_data data(p);
    const auto all = static_cast<std::size_t>(channels);
    const std::vector<float> gate = noise(2 * all, 8), src = as_stored(on, data.src);
    for (std::size_t i = 0; i < src.size(); ++i)
      data.src[i] = src[i] * gate[i / (src.size() / 2) * all + i % all];
    const auto expected = convolve(p, {}, rounded(data.src, of).data(),
                                   rounded(data.weights, of).data(), data.bias.data(), {});
    const auto op = on.plan_gated_conv(p, {});
    const auto packed = op.pack(data.weights.data(), data.bias.data());
    const device_map source(on, src), result(on, std::vector<float>(expected.size(), NAN));
    const device_vector gates(on, gate);
    on.conv_forward_gated(op, packed, source.view(p.src), {gates.data(), {2, 1, 1, channels}},
                          result.view(p.dst()), nullptr);
    CHECK(largest_error(result.host(), std::vector<float>(expected.begin(), expected.end())) <
          rounding_step(map_type(on), tolerance));
  }
}

template <training_backend B>
void check_norms(const B& on) {
  const double of_maps = rounding_step(map_type(on), 1e-5);
  for (const shape4& shape : {shape4{3, 2, 4, 5}, shape4{2, 9, 7, 40}, shape4{1, 40, 30, 8}})
    for (const norm_case& at : norm_cases(shape))
      for (const bool in_place : {false, true}) {
        CAPTURE(to_string(at));
        norm_data data(shape);
        for (std::vector<float>* map : {&data.src, &data.residual, &data.diff_dst})
          *map = as_stored(on, *map);
        const norm_results got = run_norm(on, at, data, in_place);
        const norm_results expected = run_norm(reference_training_backend{}, at, data, in_place);
        CHECK(largest_error(got.mean, expected.mean) < 1e-5);
        CHECK(largest_error(got.variance, expected.variance) < 1e-5);
        CHECK(largest_error(got.dst, expected.dst) < of_maps);
        CHECK(largest_error(got.pooled, expected.pooled) < 1e-5);
        CHECK(largest_error(got.diff_gate, expected.diff_gate) < 1e-5);
        CHECK(largest_error(got.diff_src, expected.diff_src) < of_maps);
        CHECK(largest_error(got.diff_weight, expected.diff_weight) < 1e-5);
        CHECK(largest_error(got.diff_bias, expected.diff_bias) < 1e-5);
      }
}

/// What one forward and backward pass leaves.
struct network_pass {
  double loss;
  std::vector<float> logits;
  std::vector<std::vector<float>> gradients, values;
};
template <training_backend B>
network_pass train_once(const B& on, const weights& from, const training_batch& batch,
                        const std::vector<float>& images, const std::vector<float>& targets) {
  training_network<B> net(from, on);
  const device_vector images_there(on, images), targets_there(on, targets);
  training_batch there = batch;
  there.images.data = images_there.data();
  there.targets = targets_there.data();
  network_pass made{
      .loss = net.forward_backward(there), .logits = {}, .gradients = {}, .values = {}};
  const auto copy = [&](const float* data, std::size_t count) {
    std::vector<float> host(count);
    on.download(data, host.data(), count * sizeof(float));
    return host;
  };
  made.logits = copy(net.logits().data, net.logits().shape.elements());
  for (std::size_t i = 0; i < net.tensors().size(); ++i) {
    const auto gradient = net.gradient(i), values = net.values(i);
    made.gradients.push_back(copy(gradient.data(), gradient.size()));
    made.values.push_back(copy(values.data(), values.size()));
  }
  return made;
}

/// How far a network may be from the reference, relative.
struct network_tolerance {
  double loss = 1e-5, logits = 1e-4;
  double gradients = 5e-5, gradient = 1e-4;  ///< all together, and that of one tensor
  double values = 1e-5;
};
/// Of one whose maps and products are in bf16, whose rounding errors are 2^15 times those of fp32:
/// batch norm over few pixels enlarges both alike.
inline constexpr network_tolerance bf16_tolerance{
    .loss = 2e-3, .logits = 0.06, .gradients = 0.25, .gradient = 0.5, .values = 0.01};

/// Four pictures of a size through a whole network, forward and backward, and through a session.
template <training_backend B>
void check_network(const B& on, const network_spec& spec, int height, int width,
                   const network_tolerance& within = {}) {
  CAPTURE(std::string_view(spec.name));
  const weights from = oracle_weights(spec, convention_for(convention_name::tf, spec));
  const shape4 shape{4, height, width, 3};
  const std::vector<float> images = oracle_images(shape);
  const auto classes = static_cast<std::size_t>(spec.classes);
  std::vector<float> targets(4 * classes);
  for (std::size_t n = 0; n < 4; ++n) targets[n * classes + 7 * n] = 1;
  const training_batch batch{
      .images = {nullptr, shape}, .smoothing = 0.1f, .dropout = 0.2f, .stochastic_depth = 0.2f};
  const network_pass got = train_once(on, from, batch, images, targets);
  const network_pass expected =
      train_once(reference_training_backend{}, from, batch, images, targets);
  CHECK(got.loss == doctest::Approx(expected.loss).epsilon(within.loss));
  CHECK(distance(got.logits, expected.logits) < within.logits * norm(expected.logits));
  double all = 0, apart = 0, worst = 0;
  for (std::size_t i = 0; i < expected.gradients.size(); ++i) {
    all = std::hypot(all, norm(expected.gradients[i]));
    apart = std::hypot(apart, distance(got.gradients[i], expected.gradients[i]));
  }
  for (std::size_t i = 0; i < expected.gradients.size(); ++i) {
    const double size = norm(expected.gradients[i]);
    const double difference = distance(got.gradients[i], expected.gradients[i]);
    // Zero but for rounding: a bias that the next batch norm takes away again.
    if (size < 1e-6 * all)
      CHECK(difference < 1e-3 * within.gradient * all);
    else
      worst = worse(worst, difference / size);
  }
  MESSAGE(std::string_view(spec.name), ": relative difference of gradients ", apart / all,
          ", largest of one ", worst);
  CHECK(apart < within.gradients * all);
  CHECK(worst < within.gradient);
  for (std::size_t i = 0; i < expected.values.size(); ++i)
    CHECK(distance(got.values[i], expected.values[i]) <=
          within.values * (1 + norm(expected.values[i])));

  const auto infer = [&]<class A>(const A& with) {
    auto session = dynamic_network<A>(from, with).make_session();
    const device_vector there(with, images);
    const const_tensor_view logits = session.run({there.data(), shape}).logits;
    std::vector<float> host(logits.shape.elements());
    with.download(logits.data, host.data(), host.size() * sizeof(float));
    return host;
  };
  const std::vector<float> inferred = infer(on), wanted = infer(reference_backend{});
  CHECK(distance(inferred, wanted) < within.logits * norm(wanted));
}

/// Maps that are stored in two bytes take half the memory; images, which graphs copy, are floats.
template <training_backend B>
void check_memory(const B& with_floats, const B& with_halves) {
  const B wide = with_floats.with_graphs(false), narrow = with_halves.with_graphs(false);
  const shape4 images{2, 96, 96, 3};
  const weights from = oracle_weights(v2_b0, convention_for(convention_name::tf, v2_b0));
  const auto inferred = [&](const B& on) {
    auto session = dynamic_network<B>(from, on).make_session();
    const device_vector there(on, std::vector<float>(images.elements()));
    session.run({there.data(), images});
    return session.memory_bytes();
  };
  const auto trained = [&](const B& on) {
    return training_network<B>(from, on).plan(images).activations;
  };
  CHECK(inferred(narrow) < 0.55 * static_cast<double>(inferred(wide)));
  if (map_type(narrow) == dtype::bf16)
    CHECK(trained(narrow) < 0.6 * static_cast<double>(trained(wide)));
}

/// Small networks with every kind of block, odd kernels included.
template <training_backend B>
void check_small_networks(const B& on, const network_tolerance& within = {}) {
  const network_spec mixed{
      .name = "mixed",
      .stem = 6,
      .stages = {fused_mbconv{.repeats = 2, .expand = 1, .in = 6, .out = 6, .se = 0.5f},
                 fused_mbconv{.stride = 2, .expand = 2, .in = 6, .out = 8},
                 mbconv{.repeats = 2, .kernel = 5, .expand = 3, .in = 8, .out = 8, .se = 0.25f},
                 mbconv{.kernel = 7, .stride = 2, .expand = 1, .in = 8, .out = 10}},
      .head = 12,
      .classes = 31};
  const network_spec residual{.name = "residual",
                              .stem = 4,
                              .stem_kernel = 7,
                              .stem_pool = true,
                              .stages = {bottleneck{.repeats = 2, .in = 4, .out = 8},
                                         bottleneck{.repeats = 2, .stride = 2, .in = 8, .out = 12}},
                              .head = 0,
                              .classes = 31,
                              .act = activation::silu};
  check_network(on, mixed, 33, 40, within);
  check_network(on, residual, 41, 33, within);
}

}  // namespace effnet::testing
