#pragma once

#include <cstddef>
#include <string_view>
#include <variant>

#include <effnet/cpu/convolution.hpp>
#include <effnet/cpu/depthwise_convolution.hpp>

namespace effnet::cpu {

/// A planned convolution whose weights are packed anew before every run, as in training: own
/// kernels pack faster, and read a source that is still to be normalised. Two threads use two.
class trained_convolution {
 public:
  /// `normalised_src`: it had better read such a source.
  trained_convolution(const conv_problem& problem, const epilogue& then, const cpu_options& options,
                      bool normalised_src)
      : kernel_(planned(problem, then, options, normalised_src)) {}

  std::size_t scratch_bytes() const {
    return std::visit([](const auto& kernel) { return kernel.scratch_bytes(); }, kernel_);
  }
  weight_layout layout() const {
    return std::visit([](const auto& kernel) { return kernel.layout(); }, kernel_);
  }
  std::string_view implementation() const {
    return std::visit([](const auto& kernel) { return kernel.implementation(); }, kernel_);
  }
  std::string_view reason() const {
    return std::visit([](const auto& kernel) { return kernel.reason(); }, kernel_);
  }

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
  /// Whether it was planned for a source that is still to be normalised.
  bool reads_normalised() const {
    return std::visit(
        [](const auto& kernel) {
          if constexpr (requires { kernel.reads_normalised(); })
            return kernel.reads_normalised();
          else
            return false;
        },
        kernel_);
  }
  void forward(const packed_weights& packed, const normalised& src, float* dst,
               std::byte* scratch) const {
    std::visit(
        [&](const auto& kernel) {
          if constexpr (requires { kernel.reads_normalised(); })
            kernel.forward(packed, src, dst, scratch);
        },
        kernel_);
  }

 private:
  using kernels = std::variant<convolution, pointwise_convolution, depthwise_convolution>;

  static kernels planned(const conv_problem& p, const epilogue& then, const cpu_options& options,
                         bool normalised_src) {
    if (is_pointwise(p))
      return kernels(std::in_place_type<pointwise_convolution>, p, then,
                     normalised_src ? source_form::normalised : source_form::plain);
    if (has_depthwise(p) && then == epilogue{})
      return kernels(std::in_place_type<depthwise_convolution>, p, normalised_src);
    return kernels(std::in_place_type<convolution>, p, then, options);
  }

  kernels kernel_;
};

}  // namespace effnet::cpu
