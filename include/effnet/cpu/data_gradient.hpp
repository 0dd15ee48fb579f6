#pragma once

#include <cstddef>
#include <variant>

#include <effnet/cpu/convolution_backward.hpp>
#include <effnet/cpu/depthwise_convolution.hpp>
#include <effnet/cpu/kernel_choice.hpp>
#include <effnet/cpu/kernel_variant.hpp>
#include <effnet/cpu/pointwise_data_gradient.hpp>
#include <effnet/cpu/window_data_gradient.hpp>

namespace effnet::cpu {

/// A planned gradient of a convolution by its source, on the kernel that is fastest for it. As with
/// `convolution`, two threads use two.
class data_gradient
    : public kernel_variant<convolution_backward_data, winograd_convolution,
                            pointwise_data_gradient, depthwise_convolution, window_data_gradient> {
  /// Some kernels are those of the forward pass, turned.
  template <class Own, class Turned>
  auto on_kernel(const Own& own, const Turned& turned) const {
    return std::visit(
        [&](const auto& one) {
          if constexpr (requires(packed_weights packed, std::byte * scratch) {
                          one.run(packed, nullptr, nullptr, scratch);
                        })
            return own(one);
          else
            return turned(one);
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
    return on_kernel([&](const auto& own) { return own.pack(oihw); },
                     [&](const auto& turned) { return turned.pack_turned(oihw); });
  }
  /// The same into what `pack` made, without allocating.
  void repack(const float* oihw, packed_weights& packed) const {
    on_kernel([&](const auto& own) { own.repack(oihw, packed); },
              [&](const auto& turned) { turned.repack_turned(oihw, packed); });
  }

  /// Overwrites `diff_src`.
  void run(const packed_weights& packed, const float* diff_dst, float* diff_src,
           std::byte* scratch) const {
    on_kernel([&](const auto& own) { own.run(packed, diff_dst, diff_src, scratch); },
              [&](const auto& turned) { turned.forward(packed, diff_dst, diff_src, scratch); });
  }

 private:
  static kernels planned(const conv_problem& p, const cpu_options& options) {
    if (p.stride == 1 && options.winograd && prefers_winograd(turned(p)))
      return kernels(std::in_place_type<winograd_convolution>, turned(p), epilogue{});
    if (is_pointwise(p))
      return kernels(std::in_place_type<pointwise_data_gradient>, turned(p),
                     products_of(p, options));
    if (prefers_depthwise_data_gradient(p))
      return kernels(std::in_place_type<depthwise_convolution>, turned(p));
    if (prefers_window_data_gradient(p))
      return kernels(std::in_place_type<window_data_gradient>, p);
    return kernels(std::in_place_type<convolution_backward_data>, p);
  }
};

}  // namespace effnet::cpu
