#pragma once

#include <algorithm>
#include <cstddef>

#include <effnet/core/aligned_buffer.hpp>
#include <effnet/core/rounded_up.hpp>
#include <effnet/cpu/dnnl.hpp>

namespace effnet::cpu {

/// The kernels that convolutions run on; each packs its weights its own way.
enum class kernel_kind { direct, winograd, pointwise, depthwise, window };

/// How packed weights are laid out: plans that agree on it share them.
struct weight_layout {
  kernel_kind kind = kernel_kind::direct;
  dnnl::memory::desc direct;  ///< oneDNN's layout; empty for the others
  int block = 0;              ///< output channels that own kernels take at a time
  bool bf16 = false;          ///< pairs of such numbers, instead of floats

  friend bool operator==(const weight_layout&, const weight_layout&) = default;
};

/// Weights in a kernel's own layout, and one bias an output channel. Shared between sessions, which
/// never change them.
struct packed_weights {
  aligned_buffer weights, bias;
  const float* plain =
      nullptr;  ///< where a kernel reads them as they stand, which the caller keeps
};

/// Copies a bias of `count` channels, or zeros where there is none.
inline void fill_bias(const float* bias, std::size_t count, packed_weights& packed) {
  auto* to = reinterpret_cast<float*>(packed.bias.data());
  if (bias != nullptr)
    std::copy_n(bias, count, to);
  else
    std::fill_n(to, count, 0.0f);
}

}  // namespace effnet::cpu
