#pragma once

#include <effnet/core/aligned_buffer.hpp>
#include <effnet/cpu/dnnl.hpp>

namespace effnet::cpu {

/// The kernels that convolutions run on; each packs its weights its own way.
enum class kernel_kind { direct, winograd, pointwise };

/// How packed weights are laid out: plans that agree on it share them.
struct weight_layout {
  kernel_kind kind = kernel_kind::direct;
  dnnl::memory::desc direct;  ///< oneDNN's layout; empty for the others
  int block = 0;              ///< output channels that own kernels take at a time

  friend bool operator==(const weight_layout&, const weight_layout&) = default;
};

/// Weights in a kernel's own layout, and one bias an output channel. Shared between sessions, which
/// never change them.
struct packed_weights {
  aligned_buffer weights, bias;
};

}  // namespace effnet::cpu
