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

/// Calls `with(oihw)` for weights of either side's memory, which lie in the device's then.
template <device D, class With>
void with_weights_there(const D& on, const float* oihw, std::size_t count, const With& with) {
  const std::size_t bytes = count * sizeof(float);
  const typename D::temporary plain(on, bytes);
  auto* there = reinterpret_cast<float*>(plain.data());
  on.copy(oihw, there, bytes);
  with(static_cast<const float*>(there));
}

}  // namespace effnet::cuda
