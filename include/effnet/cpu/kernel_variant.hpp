#pragma once

#include <cstddef>
#include <string_view>
#include <utility>
#include <variant>

#include <effnet/cpu/packed_weights.hpp>

namespace effnet::cpu {

/// One of several kernels that run a convolution forward, behind what they have in common.
template <class... Kernels>
class kernel_variant {
 public:
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

 protected:
  using kernels = std::variant<Kernels...>;

  explicit kernel_variant(kernels kernel) : kernel_(std::move(kernel)) {}
  const kernels& kernel() const { return kernel_; }

 private:
  kernels kernel_;
};

}  // namespace effnet::cpu
