#pragma once

#include <doctest/doctest.h>

#include <vector>

#include <effnet/backend/backend.hpp>
#include <effnet/core/rng.hpp>
#include <effnet/math/activation.hpp>

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

}  // namespace effnet::testing
