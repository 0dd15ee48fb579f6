#pragma once

#include <effnet/cuda/for_each_channel.hpp>
#include <effnet/cuda/global_span.hpp>
#include <effnet/math/activation.hpp>

namespace effnet::cuda {

/// Floats as a kernel of another type reads them.
template <class T>
struct convert_elements {
  static constexpr const char* name = "convert";

  global_span<const float> src;
  global_span<T> dst;

  EFFNET_HD void operator()(std::size_t i) const { dst.store(i, src.load(i)); }
};

/// dst[i] = act(src[i]).
template <class T>
struct activate_elements {
  static constexpr const char* name = "activation";

  activation act;
  global_span<const T> src;
  global_span<T> dst;

  EFFNET_HD void operator()(std::size_t i) const { dst.store(i, math::apply(act, src.load(i))); }
};

/// diff_src[i] = diff_dst[i] * act'(src[i]).
template <class T>
struct activation_gradient {
  static constexpr const char* name = "activation_backward";

  activation act;
  global_span<const T> src, diff_dst;
  global_span<T> diff_src;

  EFFNET_HD void operator()(std::size_t i) const {
    diff_src.store(i, diff_dst.load(i) * math::derivative(act, src.load(i)));
  }
};

/// dst[i] = a[i] + b[i].
template <class T>
struct add_elements {
  static constexpr const char* name = "add";

  global_span<const T> a, b;
  global_span<T> dst;

  EFFNET_HD void operator()(std::size_t i) const { dst.store(i, a.load(i) + b.load(i)); }
};

/// dst = src * gate[image][channel].
template <class T>
struct scale_channels {
  static constexpr const char* name = "scale_channels";

  std::size_t channels;
  global_span<const T> src;
  global_span<const float> gate;
  global_span<T> dst;

  template <int Width>
  EFFNET_HD void operator()(const element_place& at) const {
    auto x = src.template load<Width>(at.element);
    const auto by = gate.template load<Width>(at.image * channels + at.channel);
    for (int v = 0; v < Width; ++v) x[v] *= by[v];
    dst.template store<Width>(at.element, x);
  }
};

}  // namespace effnet::cuda
