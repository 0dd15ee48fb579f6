#pragma once

#include <effnet/core/tensor_view.hpp>
#include <effnet/math/activation.hpp>

namespace effnet::reference {

inline void activation_forward(activation act, const_tensor_view src, tensor_view dst) {
  const std::size_t count = src.shape.elements();
  for (std::size_t i = 0; i < count; ++i) dst.data[i] = math::apply(act, src.data[i]);
}

inline void add_forward(const_tensor_view a, const_tensor_view b, tensor_view dst) {
  const std::size_t count = a.shape.elements();
  for (std::size_t i = 0; i < count; ++i) dst.data[i] = a.data[i] + b.data[i];
}

/// dst[n,h,w,c] = src[n,h,w,c] * gate[n,c].
inline void scale_channels_forward(const_tensor_view src, const_tensor_view gate, tensor_view dst) {
  const auto pixels = static_cast<std::size_t>(src.shape.h) * static_cast<std::size_t>(src.shape.w);
  const auto channels = static_cast<std::size_t>(src.shape.c);
  std::size_t i = 0;
  for (std::size_t n = 0; n < static_cast<std::size_t>(src.shape.n); ++n)
    for (std::size_t p = 0; p < pixels; ++p)
      for (std::size_t c = 0; c < channels; ++c, ++i)
        dst.data[i] = src.data[i] * gate.data[n * channels + c];
}

/// diff_src = diff_dst * act'(src), from the activation's source. `diff_src` may be `diff_dst`.
inline void activation_backward(activation act, const_tensor_view src, const_tensor_view diff_dst,
                                tensor_view diff_src) {
  const std::size_t count = src.shape.elements();
  for (std::size_t i = 0; i < count; ++i)
    diff_src.data[i] = diff_dst.data[i] * math::derivative(act, src.data[i]);
}

}  // namespace effnet::reference
