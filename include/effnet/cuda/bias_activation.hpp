#pragma once

#include <effnet/cuda/for_each_channel.hpp>
#include <effnet/cuda/global_span.hpp>
#include <effnet/math/activation.hpp>

namespace effnet::cuda {

/// What a library leaves of a convolution's epilogue: dst = act(dst + bias).
template <class T>
struct bias_activation {
  static constexpr const char* name = "bias_activation";

  activation act;
  global_span<const float> bias;  ///< one a channel, or empty
  global_span<T> dst;

  template <int Width>
  EFFNET_HD void operator()(const element_place& at) const {
    auto x = dst.template load<Width>(at.element);
    floats_of<Width> add = {};
    if (!bias.empty()) add = bias.template load<Width>(at.channel);
    for (int v = 0; v < Width; ++v) x[v] = math::apply(act, x[v] + add[v]);
    dst.template store<Width>(at.element, x);
  }
};

}  // namespace effnet::cuda
