#pragma once

#include <cstddef>
#include <string_view>
#include <variant>

#include <effnet/cpu/convolution_backward.hpp>
#include <effnet/cpu/kernel_choice.hpp>

namespace effnet::cpu {

/// A planned gradient of a convolution by its source, on the kernel that is fastest for it. As with
/// `convolution`, two threads use two.
class data_gradient {
 public:
  data_gradient(const conv_problem& problem, const cpu_options& options)
      : kernel_(planned(problem, options)) {}

  std::size_t scratch_bytes() const {
    return std::visit([](const auto& kernel) { return kernel.scratch_bytes(); }, kernel_);
  }
  weight_layout layout() const {
    return std::visit([](const auto& kernel) { return kernel.layout(); }, kernel_);
  }
  std::string_view implementation() const {
    return std::visit([](const auto& kernel) { return kernel.implementation(); }, kernel_);
  }

  /// From OIHW, into the layout of this pass: it may differ from the forward pass's.
  packed_weights pack(const float* oihw) const {
    if (const auto* own = std::get_if<winograd_convolution>(&kernel_))
      return own->pack_turned(oihw);
    return std::get<convolution_backward_data>(kernel_).pack(oihw);
  }
  /// The same into what `pack` made, without allocating.
  void repack(const float* oihw, packed_weights& packed) const {
    if (const auto* own = std::get_if<winograd_convolution>(&kernel_))
      own->repack_turned(oihw, packed);
    else
      std::get<convolution_backward_data>(kernel_).repack(oihw, packed);
  }

  /// Overwrites `diff_src`.
  void run(const packed_weights& packed, const float* diff_dst, float* diff_src,
           std::byte* scratch) const {
    if (const auto* own = std::get_if<winograd_convolution>(&kernel_))
      own->forward(packed, diff_dst, diff_src, scratch);
    else
      std::get<convolution_backward_data>(kernel_).run(packed, diff_dst, diff_src, scratch);
  }

 private:
  using kernels = std::variant<convolution_backward_data, winograd_convolution>;

  static kernels planned(const conv_problem& p, const cpu_options& options) {
    if (p.stride == 1 && options.winograd && prefers_winograd(turned(p)))
      return kernels(std::in_place_type<winograd_convolution>, turned(p), epilogue{});
    return kernels(std::in_place_type<convolution_backward_data>, p);
  }

  kernels kernel_;
};

}  // namespace effnet::cpu
