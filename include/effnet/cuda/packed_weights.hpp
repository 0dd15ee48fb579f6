#pragma once

#include <cstddef>

#include <effnet/cuda/device.hpp>
#include <effnet/cuda/global_span.hpp>

namespace effnet::cuda {

/// Weights and bias in the device's memory, as a kernel or a library reads them.
template <device D>
struct packed_weights {
  typename D::buffer weights, bias;
  typename D::buffer stored_bias;  ///< of a library: rounded as maps are, where they are
  std::size_t weight_count = 0, bias_count = 0;

  global_span<const float> weight_span() const {
    return {reinterpret_cast<const float*>(weights.data()), weight_count};
  }
  global_span<const float> bias_span() const {
    if (bias_count == 0) return {};
    return {reinterpret_cast<const float*>(bias.data()), bias_count};
  }
};

}  // namespace effnet::cuda
