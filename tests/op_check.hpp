#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include <effnet/backend/training_backend.hpp>
#include <effnet/core/rng.hpp>
#include <effnet/math/activation.hpp>
#include <effnet/math/batch_norm.hpp>
#include <effnet/math/loss.hpp>
#include <effnet/reference/pooling.hpp>

#include "add_one_to_pieces.hpp"
#include "device_map.hpp"
#include "op_cases.hpp"
#include "oracle_fill.hpp"
#include "worse.hpp"

namespace effnet::testing {

inline std::vector<float> noise(std::size_t count, std::uint64_t stream, double scale = 1) {
  std::vector<float> values(count);
  for (std::size_t k = 0; k < count; ++k)
    values[k] = static_cast<float>(scale * (2 * uniform(stream, k) - 1));
  return values;
}

/// The definition of a convolution with its epilogue, in double, one output element at a time.
inline std::vector<double> convolve(const conv_problem& p, const epilogue& then, const float* src,
                                    const float* oihw, const float* bias,
                                    const std::vector<float>& residual) {
  const shape4 d = p.dst();
  const int in = p.src.c / p.groups, out = p.out / p.groups;
  std::vector<double> dst;
  dst.reserve(d.elements());
  for (int n = 0; n < d.n; ++n)
    for (int y = 0; y < d.h; ++y)
      for (int x = 0; x < d.w; ++x)
        for (int o = 0; o < p.out; ++o) {
          double sum = double{bias[o]};
          for (int ky = 0; ky < p.kernel; ++ky)
            for (int kx = 0; kx < p.kernel; ++kx) {
              const int sy = y * p.stride - p.pad.top + ky, sx = x * p.stride - p.pad.left + kx;
              if (sy < 0 || sy >= p.src.h || sx < 0 || sx >= p.src.w) continue;
              for (int i = 0; i < in; ++i)
                sum +=
                    double{src[((n * p.src.h + sy) * p.src.w + sx) * p.src.c + o / out * in + i]} *
                    double{oihw[((o * in + i) * p.kernel + ky) * p.kernel + kx]};
            }
          const auto act = [](activation a, double v) {
            return double{math::apply(a, static_cast<float>(v))};
          };
          sum = act(then.before, sum);
          if (then.add_dst) sum += double{residual[dst.size()]};
          dst.push_back(act(then.after, sum));
        }
  return dst;
}

/// Runs one convolution of one backend: fused where it can, else the bare convolution and what
/// follows it op by op.
template <backend B>
std::vector<float> run_conv(const B& on, const conv_problem& p, const epilogue& then,
                            const std::vector<float>& src, const float* oihw, const float* bias,
                            const std::vector<float>& dst) {
  const auto scope = on.enter();
  const device_map source(on, src), result(on, dst);
  const tensor_view view = result.view(p.dst());
  const auto run = [&](const typename B::conv& op) {
    const auto packed = op.pack(oihw, bias);
    const typename B::buffer scratch(op.scratch_bytes());
    on.conv_forward(op, packed, source.view(p.src), view, scratch.data());
  };
  if constexpr (fuses_epilogues<B>) {
    run(on.plan_conv(p, then));
  } else {
    const device_map residual(on, dst);
    run(on.plan_conv(p));
    on.activation_forward(then.before, view, view);
    if (then.add_dst) on.add_forward(view, residual.view(p.dst()), view);
    on.activation_forward(then.after, view, view);
  }
  return result.host();
}

/// Inputs of a case, the same for every backend.
struct conv_data {
  std::vector<float> src, weights, bias, residual;

  explicit conv_data(const conv_problem& p)
      : src(noise(p.src.elements(), 1)),
        weights(noise(p.weights(), 2, std::sqrt(3.0 * p.out / static_cast<double>(p.weights())))),
        bias(noise(static_cast<std::size_t>(p.out), 3)),
        residual(noise(p.dst().elements(), 4)) {}
};

/// Largest absolute difference, and that of gradients relative to the largest of them.
inline double worst_difference(const std::vector<float>& got, const std::vector<double>& expected) {
  double worst = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double d = std::abs(double{got[i]} - expected[i]);
    worst = worse(worst, d);
  }
  return worst;
}
inline double relative_difference(const std::vector<float>& got,
                                  const std::vector<float>& expected) {
  return largest_difference(got.data(), expected.data(), got.size()) /
         std::max(1e-6, largest(expected.data(), expected.size()));
}

/// Gradients of one convolution on one backend.
struct conv_gradients {
  std::vector<float> src, weights, bias;
};

/// With `data`, and the gradient `diff_dst` of the result. `with_bias`: as the bias is planned for.
template <training_backend B>
conv_gradients run_conv_backward(const B& on, const conv_problem& p, const conv_data& data,
                                 const std::vector<float>& diff_dst, bool with_bias = true) {
  const auto scope = on.enter();
  const device_map src(on, data.src), diff(on, diff_dst);
  const device_map by_src(on, std::vector<float>(data.src.size()));
  const device_vector weights(on, std::vector<float>(data.weights.size()));
  const device_vector bias(on, std::vector<float>(with_bias ? data.bias.size() : 0));
  const auto by_data = on.plan_conv_backward_data(p);
  typename B::buffer scratch(by_data.scratch_bytes());
  on.conv_backward_data(by_data, by_data.pack(data.weights.data()), diff.view(p.dst()),
                        by_src.view(p.src), scratch.data());
  const auto by_weights = on.plan_conv_backward_weights(p, with_bias);
  scratch = typename B::buffer(by_weights.scratch_bytes());
  on.conv_backward_weights(by_weights, src.view(p.src), diff.view(p.dst()), weights.data(),
                           bias.data(), scratch.data());
  return {by_src.host(), weights.host(), bias.host()};
}

/// Inputs of a batch norm, the same for every backend.
struct norm_data {
  static constexpr float eps = 1e-3f;
  std::vector<float> src, weight, bias, mean, variance, residual, gate, keep, diff_dst, diff_pool;

  explicit norm_data(const shape4& s)
      : src(noise(s.elements(), 1, 2)),
        weight(noise(channels(s), 2)),
        bias(noise(channels(s), 3)),
        mean(noise(channels(s), 4, 0.5)),
        variance(channels(s)),
        residual(noise(s.elements(), 5)),
        gate(noise(pooled(s), 6)),
        keep(static_cast<std::size_t>(s.n), 1.25f),
        diff_dst(noise(s.elements(), 7)),
        diff_pool(noise(pooled(s), 8, 4)) {
    for (std::size_t c = 0; c < variance.size(); ++c)
      variance[c] = 0.5f + static_cast<float>(uniform(9, c));
    keep[0] = 0;
  }

  /// As `prepare_norm` fills them, for `norm_constants`.
  std::vector<float> constants() const {
    std::vector<float> rows(norm_constants::rows * mean.size());
    math::fill_norm_constants(mean.data(), variance.data(), weight.data(), bias.data(), eps,
                              static_cast<int>(mean.size()), rows.data());
    return rows;
  }

 private:
  static std::size_t channels(const shape4& s) { return static_cast<std::size_t>(s.c); }
  static std::size_t pooled(const shape4& s) { return shape4{s.n, 1, 1, s.c}.elements(); }
};

/// What all ops of the `normalised` family make of a case.
struct norm_results {
  std::vector<float> mean, variance, dst, pooled, diff_gate, diff_src, diff_weight, diff_bias;
};

/// `in_place`: dst is the residual, diff_src the gradient of the result.
template <training_backend B>
norm_results run_norm(const B& on, const norm_case& at, const norm_data& data,
                      bool in_place = false) {
  const auto scope = on.enter();
  const shape4 s = at.shape, pooled{s.n, 1, 1, s.c};
  const auto channels = static_cast<std::size_t>(s.c);
  const auto empty = [&](std::size_t count) {
    return device_vector<B>(on, std::vector<float>(count));
  };
  const device_map src(on, data.src), residual(on, data.residual), diff_dst(on, data.diff_dst);
  const device_vector weight(on, data.weight), bias(on, data.bias);
  const device_vector gate(on, data.gate), keep(on, data.keep), diff_pool(on, data.diff_pool);
  const device_vector mean(on, data.mean), variance(on, data.variance);
  const device_vector diff_gate = empty(pooled.elements()), sums = empty(4 * pooled.elements());
  const device_vector pools = empty(pooled.elements());
  const device_vector diff_weight = empty(channels), diff_bias = empty(channels);
  const std::vector<float> zeros(s.elements());
  const device_map apart(on, zeros), diff_apart(on, zeros);
  const device_map<B>& dst = in_place ? residual : apart;
  const device_map<B>& diff_src = in_place ? diff_dst : diff_apart;
  const typename B::buffer scratch(on.norm_scratch_bytes(s));
  if (at.of_batch) on.batch_statistics(src.view(s), mean.data(), variance.data(), scratch.data());
  const device_vector constants = empty(norm_constants::rows * channels);
  on.prepare_norm(mean.data(), variance.data(), weight.data(), bias.data(), norm_data::eps, s.c,
                  constants.data());
  normalised what{.src = src.view(s), .constants = {constants.data(), s.c}, .act = at.act};
  on.normalise_pool(what, {pools.data(), pooled});
  if (at.keep) what.keep = keep.data();
  on.gate_backward(what, diff_dst.view(s), {diff_gate.data(), pooled}, sums.data());
  if (at.gate) what.gate = gate.data();
  on.normalise_forward(what, at.keep ? residual.data() : nullptr, dst.view(s));
  const bool trained = at.of_batch || at.keep;
  on.normalise_backward(
      what, at.diff_dst ? diff_dst.data() : nullptr, at.diff_pool ? diff_pool.data() : nullptr,
      at.gate && at.diff_pool ? sums.data() : nullptr, at.of_batch, diff_src.view(s),
      trained ? diff_weight.data() : nullptr, trained ? diff_bias.data() : nullptr, scratch.data());
  return {.mean = mean.host(),
          .variance = variance.host(),
          .dst = dst.host(),
          .pooled = pools.host(),
          .diff_gate = diff_gate.host(),
          .diff_src = diff_src.host(),
          .diff_weight = diff_weight.host(),
          .diff_bias = diff_bias.host()};
}

/// Element-wise and pooling ops against their definitions, odd shapes included.
template <backend B>
void check_elementwise(const B& on) {
  const auto scope = on.enter();
  for (const shape4 shape : {shape4{1, 1, 1, 1}, shape4{2, 5, 3, 19}, shape4{3, 9, 9, 64}}) {
    CAPTURE(to_string(shape));
    const std::vector<float> a = as_stored(on, noise(shape.elements(), 5, 4)),
                             b = as_stored(on, noise(shape.elements(), 6, 4));
    const shape4 pooled{shape.n, 1, 1, shape.c};
    const std::vector<float> gate = noise(pooled.elements(), 7);
    const device_map source(on, a), other(on, b), result(on, b);
    const device_vector gates(on, gate);
    const device_vector means(on, std::vector<float>(pooled.elements()));
    const const_tensor_view src = source.view(shape);
    const tensor_view dst = result.view(shape);
    const auto each = [&](const device_map<B>& made, auto expected) {
      const std::vector<float> got = made.host();
      double worst = 0;
      for (std::size_t i = 0; i < got.size(); ++i) {
        const double wanted{expected(i)};
        const double scale = map_type(on) == dtype::f32 ? 1 : std::max(std::abs(wanted), 1e-4);
        worst = worse(worst, std::abs(double{got[i]} - wanted) / scale);
      }
      CHECK(worst < rounding_step(map_type(on), 1e-6));
    };
    using enum activation;
    for (activation act : {identity, silu, relu, relu6, sigmoid}) {
      on.activation_forward(act, src, dst);
      each(result, [&](std::size_t i) { return math::apply(act, a[i]); });
    }
    const device_map activated(on, a), scaled(on, a);  // in place
    on.activation_forward(silu, activated.view(shape), activated.view(shape));
    each(activated, [&](std::size_t i) { return math::silu(a[i]); });
    on.add_forward(src, other.view(shape), dst);
    each(result, [&](std::size_t i) { return a[i] + b[i]; });
    on.scale_channels_forward(scaled.view(shape), {gates.data(), pooled}, scaled.view(shape));
    const auto channels = static_cast<std::size_t>(shape.c);
    const std::size_t image = shape.elements() / static_cast<std::size_t>(shape.n);
    each(scaled, [&](std::size_t i) { return a[i] * gate[i / image * channels + i % channels]; });
    on.global_pool_forward(src, {means.data(), pooled});
    const std::vector<float> mean = means.host();
    for (std::size_t n = 0; n < static_cast<std::size_t>(shape.n); ++n)
      for (std::size_t c = 0; c < channels; ++c) {
        double sum = 0;
        for (std::size_t i = c; i < image; i += channels) sum += double{a[n * image + i]};
        CHECK(double{mean[n * channels + c]} ==
              doctest::Approx(sum / static_cast<double>(image / channels)).epsilon(1e-5));
      }
  }
  for (int side : {5, 6}) {  // the window hangs over below at 5, not at 6
    const max_pool_problem p{
        .src = {2, side, side + 1, 3}, .kernel = 3, .stride = 2, .pad = {1, 1, 1, 1}};
    const std::vector<float> src = as_stored(on, noise(p.src.elements(), 8));
    const shape4 d = p.dst();
    CHECK(d.h == (side + 1) / 2);
    const device_map source(on, src), result(on, std::vector<float>(d.elements()));
    on.max_pool_forward(p, source.view(p.src), result.view(d));
    const std::vector<float> dst = result.host();
    for (std::size_t i = 0; i < dst.size(); ++i) {
      const int c = static_cast<int>(i) % d.c, x = static_cast<int>(i) / d.c % d.w,
                y = static_cast<int>(i) / (d.c * d.w) % d.h,
                n = static_cast<int>(i) / (d.c * d.w * d.h);
      float expected = -1e9f;
      for (int sy = std::max(0, 2 * y - 1); sy <= std::min(p.src.h - 1, 2 * y + 1); ++sy)
        for (int sx = std::max(0, 2 * x - 1); sx <= std::min(p.src.w - 1, 2 * x + 1); ++sx)
          expected = std::max(
              expected,
              src[static_cast<std::size_t>(((n * p.src.h + sy) * p.src.w + sx) * d.c + c)]);
      CHECK(dst[i] == expected);
    }
  }
}

/// The ops that optimizers are made of.
template <training_backend B>
void check_pieces(const B& on) {
  constexpr std::size_t length = 37;
  for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{300}}) {
    const std::vector<float> before = noise(count * length, 1);
    const device_vector numbers(on, before);
    on.for_each_piece(count, add_one_to_pieces{numbers.data(), length});
    const std::vector<float> after = numbers.host();
    for (std::size_t i = 0; i < after.size(); ++i) CHECK(after[i] == before[i] + 1);
  }
  const std::vector<float> values = noise(100'000, 2, 100);
  const device_vector there(on, values);
  const std::vector<std::size_t> counts = {1, 0, 99'000, 999};
  std::vector<float_run> runs;
  std::vector<double> expected;
  std::size_t at = 0;
  for (const std::size_t count : counts) {
    runs.push_back({there.data() + at, count});
    double sum = 0;
    for (const std::size_t end = at + count; at < end; ++at)
      sum += double{values[at]} * double{values[at]};
    expected.push_back(sum);
  }
  // Runs and sums lie in the backend's memory, which moves floats.
  std::vector<float> raw(runs.size() * sizeof(float_run) / sizeof(float));
  std::memcpy(raw.data(), runs.data(), runs.size() * sizeof(float_run));
  const device_vector runs_there(on, raw), sums(on, std::vector<float>(2 * runs.size()));
  on.squares_of_runs(reinterpret_cast<const float_run*>(runs_there.data()), runs.size(),
                     reinterpret_cast<double*>(sums.data()));
  const std::vector<float> raw_sums = sums.host();
  std::vector<double> got(runs.size());
  std::memcpy(got.data(), raw_sums.data(), got.size() * sizeof(double));
  for (std::size_t k = 0; k < got.size(); ++k)
    CHECK(got[k] == doctest::Approx(expected[k]).epsilon(1e-12));
}

/// The ops of training that are neither convolutions nor of the `normalised` family.
template <training_backend B>
void check_training_ops(const B& on) {
  const auto scope = on.enter();
  const shape4 shape{2, 5, 3, 19};
  const std::vector<float> src = as_stored(on, noise(shape.elements(), 1, 8)),
                           diff_dst = as_stored(on, noise(src.size(), 2));
  using enum activation;
  for (activation act : {identity, silu, relu, relu6, sigmoid}) {
    const device_map source(on, src), gradient(on, diff_dst);  // in place
    on.activation_backward(act, source.view(shape), gradient.view(shape), gradient.view(shape));
    const std::vector<float> diff = gradient.host();
    double worst = 0;
    for (std::size_t i = 0; i < diff.size(); ++i)
      worst = worse(
          worst, std::abs(double{diff[i]} - double{diff_dst[i] * math::derivative(act, src[i])}));
    CHECK(worst < rounding_step(map_type(on), 1e-6));
  }

  for (const int images : {1, 5})
    for (const loss_kind kind : {loss_kind::softmax, loss_kind::sigmoid}) {
      const shape4 logits{images, 1, 1, 11};
      const std::vector<float> x = noise(logits.elements(), 3, 4), weights = noise(11, 4);
      std::vector<float> targets(x.size()), one(11);
      for (std::size_t i = 0; i < targets.size(); i += 11) targets[i + i / 11] = 1;
      double sum = 0, worst = 0;
      const device_vector source(on, x), wanted(on, targets), by_class(on, weights);
      const device_vector gradient(on, x);
      const double loss = on.loss_backward(kind, {source.data(), logits}, wanted.data(), 0.1f,
                                           by_class.data(), {gradient.data(), logits});
      const std::vector<float> diff = gradient.host();
      for (std::size_t i = 0; i < x.size(); i += 11) {
        const auto loss_of =
            kind == loss_kind::softmax ? math::softmax_cross_entropy : math::sigmoid_cross_entropy;
        sum += loss_of(x.data() + i, targets.data() + i, 11, 0.1f, weights.data(), one.data());
        for (std::size_t k = 0; k < 11; ++k)
          worst = worse(worst, std::abs(double{diff[i + k]} - double{one[k]} / double(images)));
      }
      CHECK(loss == doctest::Approx(sum / images));
      CHECK(worst < 1e-7);
    }

  const device_vector mean(on, {3}), variance(on, {3.5f}), running_mean(on, {1});
  const auto moved_variance = [&](running_variance rule) {
    const device_vector running_var(on, {1});
    on.move_statistics(mean.data(), variance.data(), 4, 1, 0.1f, rule, running_mean.data(),
                       running_var.data());
    return running_var.host()[0];
  };
  CHECK(moved_variance(running_variance::unbiased) == doctest::Approx(0.9 + 0.1 * 14 / 3));
  CHECK(running_mean.host()[0] == doctest::Approx(1.2f));
  CHECK(moved_variance(running_variance::biased) == doctest::Approx(0.9 + 0.1 * 3.5));

  check_pieces(on);

  for (const int side : {5, 6, 23}) {
    const max_pool_problem p{.src = {2, side, side + 1, 19}, .pad = {1, 1, 1, 1}};
    std::vector<float> values = noise(p.src.elements(), 5);
    for (float& x : values) x = std::round(4 * x);  // many equal ones: the first gets all
    const std::vector<float> diff = as_stored(on, noise(p.dst().elements(), 6));
    std::vector<float> expected(values.size());
    reference::max_pool_backward(p, {values.data(), p.src}, {diff.data(), p.dst()},
                                 {expected.data(), p.src});
    const device_map source(on, values), gradient(on, diff), by_src(on, values);
    on.max_pool_backward(p, source.view(p.src), gradient.view(p.dst()), by_src.view(p.src));
    const std::vector<float> got = by_src.host();
    // Few numbers are added up, so that none is rounded the other way.
    expected = as_stored(on, std::move(expected));
    CHECK(largest_difference(got.data(), expected.data(), got.size()) < 1e-6);
  }
}

}  // namespace effnet::testing
