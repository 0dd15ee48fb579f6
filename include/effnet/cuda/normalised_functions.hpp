#pragma once

#include <effnet/backend/normalised.hpp>
#include <effnet/cuda/for_each_channel.hpp>
#include <effnet/cuda/global_span.hpp>
#include <effnet/math/activation.hpp>
#include <effnet/math/batch_norm.hpp>

/// Batch norm in training and what follows it, as functions of elements and of channels.
namespace effnet::cuda {

/// `normalised`, as kernels read it.
template <class T>
struct normalised_reader {
  activation act;
  int channels;
  global_span<const T> src;
  global_span<const float> mean, inverse, scale, shift;
  global_span<const float> gate, keep;  ///< empty: 1

  normalised_reader(const normalised& what)
      : act(what.act),
        channels(what.src.shape.c),
        src(reinterpret_cast<const T*>(what.src.data), what.src.shape.elements()) {
    const auto c = static_cast<std::size_t>(channels),
               n = static_cast<std::size_t>(what.src.shape.n);
    mean = {what.constants.mean, c}, inverse = {what.constants.inverse, c};
    scale = {what.constants.scale, c}, shift = {what.constants.shift, c};
    if (what.gate != nullptr) gate = {what.gate, n * c};
    if (what.keep != nullptr) keep = {what.keep, n};
  }

  /// scale * src + shift, what the activation sees.
  template <int Width>
  EFFNET_HD floats_of<Width> before_activation(const element_place& at) const {
    auto x = src.template load<Width>(at.element);
    const auto by = scale.template load<Width>(at.channel);
    const auto add = shift.template load<Width>(at.channel);
    for (int v = 0; v < Width; ++v) x[v] = by[v] * x[v] + add[v];
    return x;
  }
  template <int Width>
  EFFNET_HD floats_of<Width> activated(const element_place& at) const {
    auto x = before_activation<Width>(at);
    for (int v = 0; v < Width; ++v) x[v] = math::apply(act, x[v]);
    return x;
  }
  /// gate * keep.
  template <int Width>
  EFFNET_HD floats_of<Width> factor(const element_place& at) const {
    floats_of<Width> by;
    for (int v = 0; v < Width; ++v) by[v] = 1;
    if (!gate.empty())
      by = gate.template load<Width>(at.image * static_cast<std::size_t>(channels) + at.channel);
    if (!keep.empty())
      for (int v = 0; v < Width; ++v) by[v] *= keep.load(at.image);
    return by;
  }
};

/// Of every channel the sums of x - x0 and of its square, where x0 is the channel's first number:
/// squares of numbers far from zero would cancel.
template <class T>
struct statistics_sums {
  static constexpr const char* name = "batch_statistics";
  static constexpr int count = 2;

  global_span<const T> src;

  template <int Width>
  EFFNET_HD void operator()(const element_place& at, floats_of<Width> (&sums)[count]) const {
    const auto x = src.template load<Width>(at.element),
               origin = src.template load<Width>(at.channel);
    for (int v = 0; v < Width; ++v) {
      const float centred = x[v] - origin[v];
      sums[0][v] += centred;
      sums[1][v] += centred * centred;
    }
  }
};
template <class T>
struct finish_statistics {
  static constexpr const char* name = "finish_statistics";
  static constexpr int count = 2;

  double pixels;
  global_span<const T> src;
  global_span<float> mean, variance;

  EFFNET_HD void operator()(std::size_t, std::size_t channel, const double (&totals)[count]) const {
    const double shift = totals[0] / pixels, square = totals[1] / pixels - shift * shift;
    mean.store(channel, static_cast<float>(static_cast<double>(src.load(channel)) + shift));
    // Not by a comparison that would turn NaN into 0.
    variance.store(channel, static_cast<float>(square < 0 ? 0 : square));
  }
};

/// dst = what + residual.
template <class T>
struct normalise_elements {
  static constexpr const char* name = "normalise";

  normalised_reader<T> what;
  global_span<const T> residual;  ///< empty: 0
  global_span<T> dst;

  template <int Width>
  EFFNET_HD void operator()(const element_place& at) const {
    auto x = what.template activated<Width>(at);
    const auto by = what.template factor<Width>(at);
    floats_of<Width> add = {};
    if (!residual.empty()) add = residual.template load<Width>(at.element);
    for (int v = 0; v < Width; ++v) x[v] = x[v] * by[v] + add[v];
    dst.template store<Width>(at.element, x);
  }
};

/// Sums of act(scale * src + shift), times the gradient of the result where there is one.
template <class T>
struct activated_sums {
  static constexpr const char* name = "activated_sums";
  static constexpr int count = 1;

  normalised_reader<T> what;
  global_span<const T> diff_dst;  ///< empty: 1

  template <int Width>
  EFFNET_HD void operator()(const element_place& at, floats_of<Width> (&sums)[count]) const {
    auto x = what.template activated<Width>(at);
    if (!diff_dst.empty()) {
      const auto diff = diff_dst.template load<Width>(at.element);
      for (int v = 0; v < Width; ++v) x[v] *= diff[v];
    }
    for (int v = 0; v < Width; ++v) sums[0][v] += x[v];
  }
};
/// Plain sums, for means and gradients of biases.
template <class T>
struct element_sums {
  static constexpr const char* name = "element_sums";
  static constexpr int count = 1;

  global_span<const T> src;

  template <int Width>
  EFFNET_HD void operator()(const element_place& at, floats_of<Width> (&sums)[count]) const {
    const auto x = src.template load<Width>(at.element);
    for (int v = 0; v < Width; ++v) sums[0][v] += x[v];
  }
};
/// Totals into [groups][channels], times `factor`, and keep[group] where there is one.
struct store_totals {
  static constexpr const char* name = "store_totals";
  static constexpr int count = 1;

  int channels;
  double factor;
  global_span<const float> keep;  ///< empty: 1
  global_span<float> dst;

  EFFNET_HD void operator()(std::size_t group, std::size_t channel,
                            const double (&totals)[count]) const {
    const double by = factor * (keep.empty() ? 1.0 : static_cast<double>(keep.load(group)));
    dst.store(group * static_cast<std::size_t>(channels) + channel,
              static_cast<float>(totals[0] * by));
  }
};

/// g = (diff_dst * gate * keep + diff_pool / (h w)) * act'(scale * src + shift).
template <class T>
struct norm_gradient {
  normalised_reader<T> what;
  global_span<const T> diff_dst;       ///< may be empty, if
  global_span<const float> diff_pool;  ///< this is not, or the other way round
  float share;                         ///< 1 / (h w)

  template <int Width>
  EFFNET_HD floats_of<Width> of(const element_place& at) const {
    floats_of<Width> g = {};
    if (!diff_dst.empty()) {
      g = diff_dst.template load<Width>(at.element);
      const auto by = what.template factor<Width>(at);
      for (int v = 0; v < Width; ++v) g[v] *= by[v];
    }
    if (!diff_pool.empty()) {
      const auto pooled = diff_pool.template load<Width>(
          at.image * static_cast<std::size_t>(what.channels) + at.channel);
      for (int v = 0; v < Width; ++v) g[v] += pooled[v] * share;
    }
    const auto x = what.template before_activation<Width>(at);
    for (int v = 0; v < Width; ++v) g[v] *= math::derivative(what.act, x[v]);
    return g;
  }
};
/// Sums of g and of g (src - mean).
template <class T>
struct norm_gradient_sums {
  static constexpr const char* name = "norm_gradient_sums";
  static constexpr int count = 2;

  norm_gradient<T> gradient;

  template <int Width>
  EFFNET_HD void operator()(const element_place& at, floats_of<Width> (&sums)[count]) const {
    const auto g = gradient.template of<Width>(at);
    const auto x = gradient.what.src.template load<Width>(at.element);
    const auto mean = gradient.what.mean.template load<Width>(at.channel);
    for (int v = 0; v < Width; ++v) {
      sums[0][v] += g[v];
      sums[1][v] += g[v] * (x[v] - mean[v]);
    }
  }
};
/// Gradients of batch norm's weight and bias, and what of them every element's gradient loses.
struct finish_norm_gradient {
  static constexpr const char* name = "finish_norm_gradient";
  static constexpr int count = 2;

  double pixels;
  global_span<const float> inverse;
  global_span<float> diff_weight, diff_bias;  ///< or empty
  global_span<float> offset, slope;           ///< of g, over src - mean

  EFFNET_HD void operator()(std::size_t, std::size_t channel, const double (&totals)[count]) const {
    const double by = static_cast<double>(inverse.load(channel)), product = totals[1] * by;
    if (!diff_bias.empty()) diff_bias.store(channel, static_cast<float>(totals[0]));
    if (!diff_weight.empty()) diff_weight.store(channel, static_cast<float>(product));
    offset.store(channel, static_cast<float>(totals[0] / pixels));
    slope.store(channel, static_cast<float>(product * by / pixels));
  }
};
/// diff_src = scale * (g - offset - slope * (src - mean)), or scale * g.
template <class T>
struct apply_norm_gradient {
  static constexpr const char* name = "apply_norm_gradient";

  norm_gradient<T> gradient;
  global_span<const float> offset, slope;  ///< both empty: 0
  global_span<T> diff_src;

  template <int Width>
  EFFNET_HD void operator()(const element_place& at) const {
    auto g = gradient.template of<Width>(at);
    const auto scale = gradient.what.scale.template load<Width>(at.channel);
    if (!offset.empty()) {
      const auto x = gradient.what.src.template load<Width>(at.element);
      const auto mean = gradient.what.mean.template load<Width>(at.channel);
      const auto less = offset.template load<Width>(at.channel);
      const auto by = slope.template load<Width>(at.channel);
      for (int v = 0; v < Width; ++v) g[v] -= less[v] + by[v] * (x[v] - mean[v]);
    }
    for (int v = 0; v < Width; ++v) g[v] *= scale[v];
    diff_src.template store<Width>(at.element, g);
  }
};

/// The four rows of `norm_constants`, channel by channel.
struct fill_norm_constants {
  static constexpr const char* name = "fill_norm_constants";

  float eps;
  int channels;
  global_span<const float> mean, variance, weight, bias;
  global_span<float> rows;

  EFFNET_HD void operator()(std::size_t c) const {
    const math::norm_factors f =
        math::norm_factors_of(mean.load(c), variance.load(c), weight.load(c), bias.load(c), eps);
    const auto all = static_cast<std::size_t>(channels);
    rows.store(c, mean.load(c));
    rows.store(all + c, f.inverse);
    rows.store(2 * all + c, f.scale);
    rows.store(3 * all + c, f.shift);
  }
};
/// Running statistics, moved towards the batch's.
struct move_running_statistics {
  static constexpr const char* name = "move_statistics";

  double correction;
  float momentum;
  global_span<const float> mean, variance;
  global_span<float> running_mean, running_var;

  EFFNET_HD void operator()(std::size_t c) const {
    running_mean.store(c, math::moved_statistic(running_mean.load(c),
                                                static_cast<double>(mean.load(c)), momentum));
    running_var.store(
        c, math::moved_statistic(running_var.load(c),
                                 static_cast<double>(variance.load(c)) * correction, momentum));
  }
};

}  // namespace effnet::cuda
