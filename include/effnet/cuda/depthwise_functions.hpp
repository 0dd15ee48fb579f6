#pragma once

#include <effnet/backend/problems.hpp>
#include <effnet/cuda/channel_block.hpp>
#include <effnet/cuda/for_each_channel.hpp>
#include <effnet/math/activation.hpp>

namespace effnet::cuda {

/// Any depthwise convolution, for kernels that `depthwise_forward` is not made for.
template <class T>
struct any_depthwise {
  static constexpr const char* name = "any_depthwise";

  conv_problem problem;
  activation act = activation::identity;
  global_span<const T> src;
  global_span<const float> weights;  ///< [taps][channels]
  global_span<const float> bias;     ///< empty: 0
  global_span<T> dst;

  template <int Width>
  EFFNET_HD void operator()(const element_place& at) const {
    const shape4 d = problem.dst();
    const int y = static_cast<int>(at.pixel) / d.w, x = static_cast<int>(at.pixel) % d.w;
    const auto channels = static_cast<std::size_t>(problem.out);
    floats_of<Width> sum = {};
    if (!bias.empty()) sum = bias.template load<Width>(at.channel);
    for (int ky = 0; ky < problem.kernel; ++ky)
      for (int kx = 0; kx < problem.kernel; ++kx) {
        const int from_y = y * problem.stride - problem.pad.top + ky;
        const int from_x = x * problem.stride - problem.pad.left + kx;
        if (from_y < 0 || from_y >= problem.src.h || from_x < 0 || from_x >= problem.src.w)
          continue;
        const auto tap = static_cast<std::size_t>(ky * problem.kernel + kx);
        const auto weight = weights.template load<Width>(tap * channels + at.channel);
        const auto value = src.template load<Width>(
            element(problem.src, static_cast<int>(at.image), from_y, from_x) + at.channel);
        for (int v = 0; v < Width; ++v) sum[v] += value[v] * weight[v];
      }
    for (int v = 0; v < Width; ++v) sum[v] = math::apply(act, sum[v]);
    dst.template store<Width>(at.element, sum);
  }
};

/// The gradient of a depthwise convolution's source, gathered: no two threads write to a place.
template <class T>
struct depthwise_data_gradient {
  static constexpr const char* name = "depthwise_data_gradient";

  conv_problem problem;
  global_span<const T> diff_dst;
  global_span<const float> weights;  ///< [taps][channels]
  global_span<T> diff_src;

  template <int Width>
  EFFNET_HD void operator()(const element_place& at) const {
    const shape4 s = problem.src, d = problem.dst();
    const int y = static_cast<int>(at.pixel) / s.w + problem.pad.top;
    const int x = static_cast<int>(at.pixel) % s.w + problem.pad.left;
    const auto channels = static_cast<std::size_t>(s.c);
    floats_of<Width> sum = {};
    // Only every `stride`-th tap meets a pixel of the result.
    for (int ky = y % problem.stride; ky < problem.kernel && ky <= y; ky += problem.stride)
      for (int kx = x % problem.stride; kx < problem.kernel && kx <= x; kx += problem.stride) {
        const int to_y = (y - ky) / problem.stride, to_x = (x - kx) / problem.stride;
        if (to_y >= d.h || to_x >= d.w) continue;
        const auto tap = static_cast<std::size_t>(ky * problem.kernel + kx);
        const auto weight = weights.template load<Width>(tap * channels + at.channel);
        const auto diff = diff_dst.template load<Width>(
            element(d, static_cast<int>(at.image), to_y, to_x) + at.channel);
        for (int v = 0; v < Width; ++v) sum[v] += diff[v] * weight[v];
      }
    diff_src.template store<Width>(at.element, sum);
  }
};

/// The gradient of a depthwise convolution's weights, all taps in one pass, for `channel_sums` over
/// the result's pixels.
template <class T, int Kernel>
struct depthwise_weight_sums {
  static constexpr const char* name = "depthwise_weight_gradient";
  static constexpr int count = Kernel * Kernel;

  conv_problem problem;
  global_span<const T> src, diff_dst;

  template <int Width>
  EFFNET_HD void operator()(const element_place& at, floats_of<Width> (&sums)[count]) const {
    const shape4 d = problem.dst();
    const int y = static_cast<int>(at.pixel) / d.w * problem.stride - problem.pad.top;
    const int x = static_cast<int>(at.pixel) % d.w * problem.stride - problem.pad.left;
    const auto diff = diff_dst.template load<Width>(at.element);
    EFFNET_UNROLL
    for (int ky = 0; ky < Kernel; ++ky) {
      EFFNET_UNROLL
      for (int kx = 0; kx < Kernel; ++kx) {
        if (y + ky < 0 || y + ky >= problem.src.h || x + kx < 0 || x + kx >= problem.src.w)
          continue;
        const auto value = src.template load<Width>(
            element(problem.src, static_cast<int>(at.image), y + ky, x + kx) + at.channel);
        for (int v = 0; v < Width; ++v) sums[ky * Kernel + kx][v] += diff[v] * value[v];
      }
    }
  }
};

/// The same for one tap of any kernel.
template <class T>
struct depthwise_tap_sum {
  static constexpr const char* name = "depthwise_tap_gradient";
  static constexpr int count = 1;

  conv_problem problem;
  global_span<const T> src, diff_dst;
  int ky, kx;

  template <int Width>
  EFFNET_HD void operator()(const element_place& at, floats_of<Width> (&sums)[count]) const {
    const shape4 d = problem.dst();
    const int y = static_cast<int>(at.pixel) / d.w * problem.stride - problem.pad.top + ky;
    const int x = static_cast<int>(at.pixel) % d.w * problem.stride - problem.pad.left + kx;
    if (y < 0 || y >= problem.src.h || x < 0 || x >= problem.src.w) return;
    const auto diff = diff_dst.template load<Width>(at.element);
    const auto value = src.template load<Width>(
        element(problem.src, static_cast<int>(at.image), y, x) + at.channel);
    for (int v = 0; v < Width; ++v) sums[0][v] += diff[v] * value[v];
  }
};

/// Where totals of taps go: diff_weights[channel][first + tap], of `taps` in all.
template <int Count>
struct store_tap_totals {
  static constexpr const char* name = "store_tap_totals";
  static constexpr int count = Count;

  global_span<float> diff_weights;
  int first, taps;

  EFFNET_HD void operator()(std::size_t, std::size_t channel, const double (&totals)[Count]) const {
    for (int t = 0; t < Count; ++t)
      diff_weights.store(
          channel * static_cast<std::size_t>(taps) + static_cast<std::size_t>(first + t),
          static_cast<float>(totals[t]));
  }
};

}  // namespace effnet::cuda
