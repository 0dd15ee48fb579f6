#pragma once

#include <cstddef>
#include <string_view>
#include <utility>
#include <variant>

#include <effnet/cpu/packed_weights.hpp>

namespace effnet::cpu {

/// One of several kernels, behind what they have in common.
template <class... Kernels>
class kernel_variant {
 public:
  std::size_t scratch_bytes() const {
    return std::visit([](const auto& kernel) { return kernel.scratch_bytes(); }, kernel_);
  }
  std::string_view implementation() const {
    return std::visit([](const auto& kernel) { return kernel.implementation(); }, kernel_);
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

 protected:
  using kernels = std::variant<Kernels...>;

  explicit kernel_variant(kernels kernel) : kernel_(std::move(kernel)) {}
  const kernels& kernel() const { return kernel_; }

 private:
  kernels kernel_;
};

/// One of several that run a convolution forward.
template <class... Kernels>
class forward_kernel_variant : public kernel_variant<Kernels...> {
 public:
  weight_layout layout() const {
    return std::visit([](const auto& one) { return one.layout(); }, kernel());
  }
  /// Why this kernel.
  std::string_view reason() const {
    return std::visit([](const auto& one) { return one.reason(); }, kernel());
  }

  /// From OIHW (depthwise C,1,k,k; fully connected out,in) and one bias an output channel, or none.
  packed_weights pack(const float* oihw, const float* bias) const {
    return std::visit([&](const auto& one) { return one.pack(oihw, bias); }, kernel());
  }
  /// The same into what `pack` made, without allocating.
  void repack(const float* oihw, const float* bias, packed_weights& packed) const {
    std::visit([&](const auto& one) { one.repack(oihw, bias, packed); }, kernel());
  }

  void forward(const packed_weights& packed, const float* src, float* dst,
               std::byte* scratch) const {
    std::visit([&](const auto& one) { one.forward(packed, src, dst, scratch); }, kernel());
  }

 protected:
  using kernel_variant<Kernels...>::kernel_variant;
  using kernel_variant<Kernels...>::kernel;
};

}  // namespace effnet::cpu
