#pragma once

#include <cstddef>
#include <variant>

#include <effnet/cpu/convolution_backward.hpp>
#include <effnet/cpu/depthwise_weight_gradient.hpp>
#include <effnet/cpu/kernel_choice.hpp>
#include <effnet/cpu/kernel_variant.hpp>
#include <effnet/cpu/pointwise_weight_gradient.hpp>
#include <effnet/cpu/window_weight_gradient.hpp>
#include <effnet/cpu/winograd_weight_gradient.hpp>

namespace effnet::cpu {

/// A planned gradient of a convolution by its weights, with the fastest kernel for it: the choice
/// is a function of the problem and the options alone.
class weight_gradient : public kernel_variant<convolution_backward_weights,
                                              depthwise_weight_gradient, pointwise_weight_gradient,
                                              winograd_weight_gradient, window_weight_gradient> {
 public:
  /// `normalised_src`: it had better read a source that is still to be normalised.
  weight_gradient(const conv_problem& problem, bool bias, const cpu_options& options,
                  bool normalised_src)
      : kernel_variant(planned(problem, bias, options, normalised_src)) {}

  /// Overwrites `diff_oihw`.
  void run(const normalised& src, const float* diff_dst, float* diff_oihw,
           std::byte* scratch) const {
    std::visit(
        [&](const auto& one) {
          if constexpr (requires { one.run(src, diff_dst, diff_oihw, scratch); })
            one.run(src, diff_dst, diff_oihw, scratch);
        },
        kernel());
  }
  /// Overwrites `diff_oihw` and, where planned, `diff_bias` (one an output channel).
  void run(const float* src, const float* diff_dst, float* diff_oihw, float* diff_bias,
           std::byte* scratch) const {
    if (const auto* general = std::get_if<convolution_backward_weights>(&kernel()))
      return general->run(src, diff_dst, diff_oihw, diff_bias, scratch);
    std::visit(
        [&](const auto& one) {
          if constexpr (requires { one.run(src, diff_dst, diff_oihw, scratch); })
            one.run(src, diff_dst, diff_oihw, scratch);
        },
        kernel());
  }

 private:
  static kernels planned(const conv_problem& p, bool bias, const cpu_options& options,
                         bool normalised_src) {
    if (!bias && has_depthwise_weight_gradient(p))
      return kernels(std::in_place_type<depthwise_weight_gradient>, p, normalised_src);
    if (!bias && is_pointwise(p))
      return kernels(std::in_place_type<pointwise_weight_gradient>, p, normalised_src,
                     products_of(p, options));
    if (!bias && options.winograd && prefers_winograd_weight_gradient(p))
      return kernels(std::in_place_type<winograd_weight_gradient>, p);
    if (!bias && prefers_window_weight_gradient(p))
      return kernels(std::in_place_type<window_weight_gradient>, p);
    return kernels(std::in_place_type<convolution_backward_weights>, p, bias);
  }
};

}  // namespace effnet::cpu
