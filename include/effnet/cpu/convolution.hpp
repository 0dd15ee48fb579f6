#pragma once

#include <cstddef>
#include <string_view>
#include <utility>
#include <variant>

#include <effnet/cpu/direct_convolution.hpp>
#include <effnet/cpu/kernel_choice.hpp>

namespace effnet::cpu {

/// A planned convolution or fully connected layer, on the kernel that is fastest for it. Memory
/// handles in it are this plan's own: two threads use two plans.
class convolution {
 public:
  convolution(const conv_problem& problem, const epilogue& then, const cpu_options& options)
      : kernel_(planned(problem, then, options)) {}

  /// A 1x1 whose source is scaled by a gate.
  static convolution gated(const conv_problem& problem, const epilogue& then) {
    return convolution(
        kernels(std::in_place_type<pointwise_convolution>, problem, then, source_form::gated));
  }

  std::size_t scratch_bytes() const {
    return std::visit([](const auto& kernel) { return kernel.scratch_bytes(); }, kernel_);
  }
  weight_layout layout() const {
    return std::visit([](const auto& kernel) { return kernel.layout(); }, kernel_);
  }
  std::string_view implementation() const {
    return std::visit([](const auto& kernel) { return kernel.implementation(); }, kernel_);
  }

  /// Why this kernel.
  std::string_view reason() const {
    return std::visit([](const auto& kernel) { return kernel.reason(); }, kernel_);
  }

  /// From OIHW (depthwise C,1,k,k; fully connected out,in) and one bias an output channel, or none.
  packed_weights pack(const float* oihw, const float* bias) const {
    return std::visit([&](const auto& kernel) { return kernel.pack(oihw, bias); }, kernel_);
  }
  /// The same into what `pack` made, without allocating.
  void repack(const float* oihw, const float* bias, packed_weights& packed) const {
    std::visit([&](const auto& kernel) { kernel.repack(oihw, bias, packed); }, kernel_);
  }

  void forward(const packed_weights& packed, const float* src, float* dst,
               std::byte* scratch) const {
    std::visit([&](const auto& kernel) { kernel.forward(packed, src, dst, scratch); }, kernel_);
  }
  /// Of src * gate[n, in], for one that was planned as gated.
  void forward_gated(const packed_weights& packed, const float* src, const float* gate, float* dst,
                     std::byte* scratch) const {
    std::get<pointwise_convolution>(kernel_).forward(packed, src, gate, dst, scratch);
  }

 private:
  using kernels = std::variant<direct_convolution, winograd_convolution, pointwise_convolution,
                               stem_convolution>;

  explicit convolution(kernels kernel) : kernel_(std::move(kernel)) {}

  static kernels planned(const conv_problem& problem, const epilogue& then,
                         const cpu_options& options) {
    switch (kernel_for(problem, then, options)) {
      case kernel_kind::winograd:
        return kernels(std::in_place_type<winograd_convolution>, problem, then);
      case kernel_kind::pointwise:
        return kernels(std::in_place_type<pointwise_convolution>, problem, then);
      case kernel_kind::stem:
        return kernels(std::in_place_type<stem_convolution>, problem, then);
      default:
        return kernels(std::in_place_type<direct_convolution>, problem, then);
    }
  }

  kernels kernel_;
};

}  // namespace effnet::cpu
