#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include <effnet/backend/training_backend.hpp>
#include <effnet/core/rng.hpp>
#include <effnet/math/activation.hpp>
#include <effnet/math/batch_norm.hpp>
#include <effnet/math/loss.hpp>
#include <effnet/reference/pooling.hpp>

#include "op_cases.hpp"
#include "oracle_fill.hpp"

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
                            std::vector<float> dst) {
  const auto scope = on.enter();
  const auto run = [&](const typename B::conv& op, float* to) {
    const auto packed = op.pack(oihw, bias);
    const typename B::buffer scratch(op.scratch_bytes());
    on.conv_forward(op, packed, {src.data(), p.src}, {to, p.dst()}, scratch.data());
  };
  if constexpr (fuses_epilogues<B>) {
    run(on.plan_conv(p, then), dst.data());
  } else {
    std::vector<float> result(dst.size());
    const tensor_view view{result.data(), p.dst()};
    run(on.plan_conv(p), result.data());
    on.activation_forward(then.before, view, view);
    if (then.add_dst) on.add_forward(view, {dst.data(), p.dst()}, view);
    on.activation_forward(then.after, view, view);
    dst = std::move(result);
  }
  return dst;
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

/// Gradients of one convolution on one backend.
struct conv_gradients {
  std::vector<float> src, weights, bias;
};

/// With `data`, and the gradient `diff_dst` of the result. `with_bias`: as the bias is planned for.
template <training_backend B>
conv_gradients run_conv_backward(const B& on, const conv_problem& p, const conv_data& data,
                                 const std::vector<float>& diff_dst, bool with_bias = true) {
  const auto scope = on.enter();
  conv_gradients got{std::vector<float>(data.src.size()), std::vector<float>(data.weights.size()),
                     std::vector<float>(with_bias ? data.bias.size() : 0)};
  const auto by_data = on.plan_conv_backward_data(p);
  typename B::buffer scratch(by_data.scratch_bytes());
  on.conv_backward_data(by_data, by_data.pack(data.weights.data()), {diff_dst.data(), p.dst()},
                        {got.src.data(), p.src}, scratch.data());
  const auto by_weights = on.plan_conv_backward_weights(p, with_bias);
  scratch = typename B::buffer(by_weights.scratch_bytes());
  on.conv_backward_weights(by_weights, {data.src.data(), p.src}, {diff_dst.data(), p.dst()},
                           got.weights.data(), with_bias ? got.bias.data() : nullptr,
                           scratch.data());
  return got;
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
  norm_results got{.mean = data.mean,
                   .variance = data.variance,
                   .dst = std::vector<float>(s.elements()),
                   .pooled = std::vector<float>(pooled.elements()),
                   .diff_gate = std::vector<float>(pooled.elements()),
                   .diff_src = std::vector<float>(s.elements()),
                   .diff_weight = std::vector<float>(channels),
                   .diff_bias = std::vector<float>(channels)};
  if (in_place) {
    got.dst = data.residual;
    got.diff_src = data.diff_dst;
  }
  const typename B::buffer scratch(on.norm_scratch_bytes(s));
  if (at.of_batch)
    on.batch_statistics({data.src.data(), s}, got.mean.data(), got.variance.data(), scratch.data());
  std::vector<float> constants(norm_constants::rows * channels);
  on.prepare_norm(got.mean.data(), got.variance.data(), data.weight.data(), data.bias.data(),
                  norm_data::eps, s.c, constants.data());
  normalised what{.src = {data.src.data(), s}, .constants = {constants.data(), s.c}, .act = at.act};
  on.normalise_pool(what, {got.pooled.data(), pooled});
  if (at.keep) what.keep = data.keep.data();
  std::vector<float> sums(4 * pooled.elements());
  on.gate_backward(what, {data.diff_dst.data(), s}, {got.diff_gate.data(), pooled}, sums.data());
  if (at.gate) what.gate = data.gate.data();
  const float* residual = in_place ? got.dst.data() : data.residual.data();
  on.normalise_forward(what, at.keep ? residual : nullptr, {got.dst.data(), s});
  const float* diff_dst = in_place ? got.diff_src.data() : data.diff_dst.data();
  const bool trained = at.of_batch || at.keep;
  on.normalise_backward(what, at.diff_dst ? diff_dst : nullptr,
                        at.diff_pool ? data.diff_pool.data() : nullptr,
                        at.gate && at.diff_pool ? sums.data() : nullptr, at.of_batch,
                        {got.diff_src.data(), s}, trained ? got.diff_weight.data() : nullptr,
                        trained ? got.diff_bias.data() : nullptr, scratch.data());
  return got;
}

/// Element-wise and pooling ops against their definitions, odd shapes included.
template <backend B>
void check_elementwise(const B& on) {
  const auto scope = on.enter();
  for (const shape4 shape : {shape4{1, 1, 1, 1}, shape4{2, 5, 3, 19}, shape4{3, 9, 9, 64}}) {
    CAPTURE(to_string(shape));
    const std::vector<float> a = noise(shape.elements(), 5, 4), b = noise(shape.elements(), 6, 4);
    const shape4 pooled{shape.n, 1, 1, shape.c};
    const std::vector<float> gate = noise(pooled.elements(), 7);
    std::vector<float> dst(shape.elements()), mean(pooled.elements());
    const auto each = [&](auto expected) {
      double worst = 0;
      for (std::size_t i = 0; i < dst.size(); ++i)
        worst = std::max(worst, std::abs(double{dst[i]} - double{expected(i)}));
      CHECK(worst < 1e-6);
    };
    using enum activation;
    for (activation act : {identity, silu, relu, relu6, sigmoid}) {
      on.activation_forward(act, {a.data(), shape}, {dst.data(), shape});
      each([&](std::size_t i) { return math::apply(act, a[i]); });
    }
    dst = a;  // in place
    on.activation_forward(silu, {dst.data(), shape}, {dst.data(), shape});
    each([&](std::size_t i) { return math::silu(a[i]); });
    on.add_forward({a.data(), shape}, {b.data(), shape}, {dst.data(), shape});
    each([&](std::size_t i) { return a[i] + b[i]; });
    dst = a;
    on.scale_channels_forward({dst.data(), shape}, {gate.data(), pooled}, {dst.data(), shape});
    const auto channels = static_cast<std::size_t>(shape.c);
    const std::size_t image = shape.elements() / static_cast<std::size_t>(shape.n);
    each([&](std::size_t i) { return a[i] * gate[i / image * channels + i % channels]; });
    on.global_pool_forward({a.data(), shape}, {mean.data(), pooled});
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
    const std::vector<float> src = noise(p.src.elements(), 8);
    const shape4 d = p.dst();
    CHECK(d.h == (side + 1) / 2);
    std::vector<float> dst(d.elements());
    on.max_pool_forward(p, {src.data(), p.src}, {dst.data(), d});
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

/// The ops of training that are neither convolutions nor of the `normalised` family.
template <training_backend B>
void check_training_ops(const B& on) {
  const auto scope = on.enter();
  const shape4 shape{2, 5, 3, 19};
  const std::vector<float> src = noise(shape.elements(), 1, 8), diff_dst = noise(src.size(), 2);
  using enum activation;
  for (activation act : {identity, silu, relu, relu6, sigmoid}) {
    std::vector<float> diff = diff_dst;  // in place
    on.activation_backward(act, {src.data(), shape}, {diff.data(), shape}, {diff.data(), shape});
    double worst = 0;
    for (std::size_t i = 0; i < diff.size(); ++i)
      worst = std::max(
          worst, std::abs(double{diff[i]} - double{diff_dst[i] * math::derivative(act, src[i])}));
    CHECK(worst < 1e-6);
  }

  for (const int images : {1, 5})
    for (const loss_kind kind : {loss_kind::softmax, loss_kind::sigmoid}) {
      const shape4 logits{images, 1, 1, 11};
      const std::vector<float> x = noise(logits.elements(), 3, 4), weights = noise(11, 4);
      std::vector<float> targets(x.size()), diff(x.size()), one(11);
      for (std::size_t i = 0; i < targets.size(); i += 11) targets[i + i / 11] = 1;
      double sum = 0, worst = 0;
      const double loss = on.loss_backward(kind, {x.data(), logits}, targets.data(), 0.1f,
                                           weights.data(), {diff.data(), logits});
      for (std::size_t i = 0; i < x.size(); i += 11) {
        const auto loss_of =
            kind == loss_kind::softmax ? math::softmax_cross_entropy : math::sigmoid_cross_entropy;
        sum += loss_of(x.data() + i, targets.data() + i, 11, 0.1f, weights.data(), one.data());
        for (std::size_t k = 0; k < 11; ++k)
          worst = std::max(worst, std::abs(double{diff[i + k]} - double{one[k]} / double(images)));
      }
      CHECK(loss == doctest::Approx(sum / images));
      CHECK(worst < 1e-7);
    }

  float mean = 3, variance = 3.5f, running_mean = 1, running_var = 1;
  on.move_statistics(&mean, &variance, 4, 1, 0.1f, running_variance::unbiased, &running_mean,
                     &running_var);
  CHECK(running_mean == doctest::Approx(1.2f));
  CHECK(running_var == doctest::Approx(0.9 + 0.1 * 14 / 3));
  running_var = 1;
  on.move_statistics(&mean, &variance, 4, 1, 0.1f, running_variance::biased, &running_mean,
                     &running_var);
  CHECK(running_var == doctest::Approx(1.25f));

  for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{100'003}}) {
    std::vector<int> seen(count);
    on.in_parallel(count, [&](std::size_t first, std::size_t last) {
      for (std::size_t i = first; i < last; ++i) ++seen[i];
    });
    CHECK(std::count(seen.begin(), seen.end(), 1) == static_cast<std::ptrdiff_t>(count));
  }

  for (const int side : {5, 6, 23}) {
    const max_pool_problem p{.src = {2, side, side + 1, 19}, .pad = {1, 1, 1, 1}};
    std::vector<float> values = noise(p.src.elements(), 5);
    for (float& x : values) x = std::round(4 * x);  // many equal ones: the first gets all
    const std::vector<float> diff = noise(p.dst().elements(), 6);
    std::vector<float> expected(values.size()), got(values.size(), 1.0f);
    reference::max_pool_backward(p, {values.data(), p.src}, {diff.data(), p.dst()},
                                 {expected.data(), p.src});
    on.max_pool_backward(p, {values.data(), p.src}, {diff.data(), p.dst()}, {got.data(), p.src});
    CHECK(largest_difference(got.data(), expected.data(), got.size()) < 1e-6);
  }
}

}  // namespace effnet::testing
