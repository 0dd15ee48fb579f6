#pragma once

#include <cstddef>

#include <effnet/cpu/direct_convolution.hpp>
#include <effnet/cpu/kernel_choice.hpp>
#include <effnet/cpu/kernel_variant.hpp>
#include <effnet/cpu/window_convolution.hpp>

namespace effnet::cpu {

/// A planned convolution or fully connected layer, on the kernel that is fastest for it. Memory
/// handles in it are this plan's own: two threads use two plans.
class convolution : public forward_kernel_variant<direct_convolution, winograd_convolution,
                                                  pointwise_convolution, window_convolution> {
 public:
  convolution(const conv_problem& problem, const epilogue& then, const cpu_options& options)
      : forward_kernel_variant(planned(problem, then, options)) {}

  /// A 1x1 whose source is scaled by a gate.
  static convolution gated(const conv_problem& problem, const epilogue& then,
                           const cpu_options& options) {
    return convolution(kernels(std::in_place_type<pointwise_convolution>, problem, then,
                               source_form::gated, products_of(problem, options)));
  }
  /// Of src * gate[n, in], for one that was planned as gated.
  void forward_gated(const packed_weights& packed, const float* src, const float* gate, float* dst,
                     std::byte* scratch) const {
    std::get<pointwise_convolution>(kernel()).forward(packed, src, gate, dst, scratch);
  }

 private:
  using forward_kernel_variant::forward_kernel_variant;

  static kernels planned(const conv_problem& problem, const epilogue& then,
                         const cpu_options& options) {
    switch (kernel_for(problem, then, options)) {
      case kernel_kind::winograd:
        return kernels(std::in_place_type<winograd_convolution>, problem, then);
      case kernel_kind::pointwise:
        return kernels(std::in_place_type<pointwise_convolution>, problem, then, source_form::plain,
                       products_of(problem, options));
      case kernel_kind::window:
        return kernels(std::in_place_type<window_convolution>, problem, then);
      default:
        return kernels(std::in_place_type<direct_convolution>, problem, then);
    }
  }
};

}  // namespace effnet::cpu
