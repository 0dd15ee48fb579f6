#pragma once

#include <effnet/backend/problems.hpp>
#include <effnet/cuda/global_span.hpp>

namespace effnet::cuda {

/// In which order kernels read the weights of a convolution.
enum class weight_layout {
  dense,               ///< [taps][in][out]
  dense_backward,      ///< [taps][out][in]
  depthwise,           ///< [taps][channels]
  depthwise_backward,  ///< the same with the taps turned around
  filters,             ///< [out][taps][in], as libraries read it; of the type that is multiplied
};

/// Copies weights from OIHW into a layout of numbers of type `T`, for `for_each_index` over all of
/// them.
template <class T>
struct lay_out_weights {
  static constexpr const char* name = "lay_out_weights";

  weight_layout layout;
  int out, in, taps;  ///< in: 1 of a depthwise convolution
  global_span<const float> oihw;
  global_span<T> to;

  EFFNET_HD void operator()(std::size_t i) const {
    const auto outs = static_cast<std::size_t>(out), ins = static_cast<std::size_t>(in),
               all = static_cast<std::size_t>(taps);
    const std::size_t tap = i / outs / ins, rest = i % (outs * ins);
    std::size_t o = rest, c = 0, t = tap;
    switch (layout) {
      case weight_layout::dense:
        o = rest % outs, c = rest / outs;
        break;
      case weight_layout::dense_backward:
        o = rest / ins, c = rest % ins;
        break;
      case weight_layout::depthwise:
        break;
      case weight_layout::depthwise_backward:
        t = all - 1 - tap;
        break;
      case weight_layout::filters:
        c = i % ins, t = i / ins % all, o = i / ins / all;
        break;
    }
    to.store(i, oihw.load((o * ins + c) * all + t));
  }
};

/// Copies a gradient of filters, [out][taps][in], into OIHW, for `for_each_index` over all of it.
struct filters_to_oihw {
  static constexpr const char* name = "filters_to_oihw";

  int in, taps;
  global_span<const float> filters;
  global_span<float> oihw;

  EFFNET_HD void operator()(std::size_t i) const {
    const auto ins = static_cast<std::size_t>(in), all = static_cast<std::size_t>(taps);
    const std::size_t c = i % ins, tap = i / ins % all, o = i / ins / all;
    oihw.store((o * ins + c) * all + tap, filters.load(i));
  }
};

/// Adds up parts of the gradient of dense weights, [taps][in][out], in order and in double, into
/// OIHW.
struct add_weight_parts {
  static constexpr const char* name = "add_weight_parts";

  int out, in, taps;
  unsigned parts;
  global_span<const float> partial;
  global_span<float> diff_oihw;

  EFFNET_HD void operator()(std::size_t i) const {
    const auto outs = static_cast<std::size_t>(out), ins = static_cast<std::size_t>(in),
               all = static_cast<std::size_t>(taps);
    double sum = 0;
    for (std::size_t part = 0; part < parts; ++part)
      sum += static_cast<double>(partial.load(part * outs * ins * all + i));
    const std::size_t o = i % outs, c = i / outs % ins, tap = i / outs / ins;
    diff_oihw.store((o * ins + c) * all + tap, static_cast<float>(sum));
  }
};

}  // namespace effnet::cuda
