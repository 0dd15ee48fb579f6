#pragma once

#include <cstddef>
#include <type_traits>
#include <variant>

#include <effnet/cpu/convolution_backward.hpp>
#include <effnet/cpu/depthwise_convolution.hpp>
#include <effnet/cpu/kernel_choice.hpp>
#include <effnet/cpu/kernel_variant.hpp>

namespace effnet::cpu {

/// A planned gradient of a convolution by its source, on the kernel that is fastest for it. As with
/// `convolution`, two threads use two.
class data_gradient : public kernel_variant<convolution_backward_data, winograd_convolution,
                                            pointwise_convolution, depthwise_convolution> {
  /// Own kernels are those of the forward pass, turned.
  template <class General, class Own>
  auto on_kernel(const General& general, const Own& own) const {
    return std::visit(
        [&](const auto& one) {
          if constexpr (std::is_same_v<decltype(one), const convolution_backward_data&>)
            return general(one);
          else
            return own(one);
        },
        kernel());
  }

 public:
  data_gradient(const conv_problem& problem, const cpu_options& options)
      : kernel_variant(planned(problem, options)) {}

  weight_layout layout() const {
    return std::visit([](const auto& one) { return one.layout(); }, kernel());
  }

  /// From OIHW, into the layout of this pass: it may differ from the forward pass's.
  packed_weights pack(const float* oihw) const {
    return on_kernel([&](const auto& general) { return general.pack(oihw); },
                     [&](const auto& own) { return own.pack_turned(oihw); });
  }
  /// The same into what `pack` made, without allocating.
  void repack(const float* oihw, packed_weights& packed) const {
    on_kernel([&](const auto& general) { general.repack(oihw, packed); },
              [&](const auto& own) { own.repack_turned(oihw, packed); });
  }

  /// Overwrites `diff_src`.
  void run(const packed_weights& packed, const float* diff_dst, float* diff_src,
           std::byte* scratch) const {
    on_kernel([&](const auto& general) { general.run(packed, diff_dst, diff_src, scratch); },
              [&](const auto& own) { own.forward(packed, diff_dst, diff_src, scratch); });
  }

 private:
  static kernels planned(const conv_problem& p, const cpu_options& options) {
    if (p.stride == 1 && options.winograd && prefers_winograd(turned(p)))
      return kernels(std::in_place_type<winograd_convolution>, turned(p), epilogue{});
    if (is_pointwise(p))
      return kernels(std::in_place_type<pointwise_convolution>, turned(p), epilogue{});
    if (prefers_depthwise_data_gradient(p))
      return kernels(std::in_place_type<depthwise_convolution>, turned(p));
    return kernels(std::in_place_type<convolution_backward_data>, p);
  }
};

}  // namespace effnet::cpu
