#pragma once

#include <cstddef>

#include <effnet/cpu/convolution.hpp>
#include <effnet/cpu/depthwise_convolution.hpp>

namespace effnet::cpu {

/// A planned convolution whose weights are packed anew before every run, as in training: own
/// kernels pack faster, and read a source that is still to be normalised. Two threads use two.
class trained_convolution
    : public forward_kernel_variant<convolution, pointwise_convolution, depthwise_convolution> {
 public:
  /// `normalised_src`: it had better read such a source.
  trained_convolution(const conv_problem& problem, const epilogue& then, const cpu_options& options,
                      bool normalised_src)
      : forward_kernel_variant(planned(problem, then, options, normalised_src)) {}

  using forward_kernel_variant::forward;
  void forward(const packed_weights& packed, const normalised& src, float* dst,
               std::byte* scratch) const {
    std::visit(
        [&](const auto& one) {
          if constexpr (requires { one.forward(packed, src, dst, scratch); })
            one.forward(packed, src, dst, scratch);
        },
        kernel());
  }

 private:
  static kernels planned(const conv_problem& p, const epilogue& then, const cpu_options& options,
                         bool normalised_src) {
    if (is_pointwise(p))
      return kernels(std::in_place_type<pointwise_convolution>, p, then,
                     normalised_src ? source_form::normalised : source_form::plain,
                     products_of(p, options));
    if (p.depthwise() && then == epilogue{})
      return kernels(std::in_place_type<depthwise_convolution>, p, normalised_src);
    return kernels(std::in_place_type<convolution>, p, then, options);
  }
};

}  // namespace effnet::cpu
