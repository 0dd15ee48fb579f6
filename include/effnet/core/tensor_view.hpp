#pragma once

#include <effnet/core/shape.hpp>

namespace effnet {

/// Dense float32 NHWC activations that somebody else owns; the memory is the backend's.
struct tensor_view {
  float* data = nullptr;
  shape4 shape;
};

/// The same, read only.
struct const_tensor_view {
  const float* data = nullptr;
  shape4 shape;

  const_tensor_view() = default;
  const_tensor_view(const float* d, shape4 s) : data(d), shape(s) {}
  const_tensor_view(const tensor_view& t) : data(t.data), shape(t.shape) {}
};

}  // namespace effnet
