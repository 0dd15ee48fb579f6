#pragma once

#include <effnet/core/dtype.hpp>
#include <effnet/core/shape.hpp>

namespace effnet {

/// Dense NHWC activations that somebody else owns; the memory is the backend's. `data` points to
/// numbers of `type`, which is float32 but where a backend stores maps otherwise.
struct tensor_view {
  float* data = nullptr;
  shape4 shape;
  dtype type = dtype::f32;
};

/// The same, read only.
struct const_tensor_view {
  const float* data = nullptr;
  shape4 shape;
  dtype type = dtype::f32;

  const_tensor_view() = default;
  const_tensor_view(const float* d, shape4 s, dtype t = dtype::f32) : data(d), shape(s), type(t) {}
  const_tensor_view(const tensor_view& t) : data(t.data), shape(t.shape), type(t.type) {}
};

}  // namespace effnet
