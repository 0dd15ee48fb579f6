#pragma once

#include <cstddef>

#include <effnet/core/tensor_view.hpp>
#include <effnet/cpu/parallel.hpp>
#include <effnet/cpu/vector.hpp>

namespace effnet::cpu {

namespace detail {

template <class Floats>
EFFNET_KERNEL_BODY void scale_body(const float* src, const float* by, float* dst,
                                   std::size_t count) {
  constexpr std::size_t lanes = lanes_of<Floats>;
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    Floats x, gate;
    load(src + i, x);
    load(by + i, gate);
    store(x * gate, dst + i);
  }
  for (; i < count; ++i) dst[i] = src[i] * by[i];
}
inline void scale_portable(const float* src, const float* by, float* dst, std::size_t count) {
  scale_body<floats4>(src, by, dst, count);
}
EFFNET_TARGET_AVX2 inline void scale_avx2(const float* src, const float* by, float* dst,
                                          std::size_t count) {
  scale_body<floats8>(src, by, dst, count);
}
EFFNET_TARGET_AVX512 inline void scale_avx512(const float* src, const float* by, float* dst,
                                              std::size_t count) {
  scale_body<floats16>(src, by, dst, count);
}

}  // namespace detail

inline void add_forward(const_tensor_view a, const_tensor_view b, tensor_view dst) {
  parallel_ranges(a.shape.elements(), 1, [&](std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) dst.data[i] = a.data[i] + b.data[i];
  });
}

/// dst[n,h,w,c] = src[n,h,w,c] * gate[n,c].
inline void scale_channels_forward(const_tensor_view src, const_tensor_view gate, tensor_view dst) {
  const auto scale = best_isa() == isa::avx512 ? detail::scale_avx512
                     : best_isa() == isa::avx2 ? detail::scale_avx2
                                               : detail::scale_portable;
  const auto channels = static_cast<std::size_t>(src.shape.c);
  const auto pixels = static_cast<std::size_t>(src.shape.h) * static_cast<std::size_t>(src.shape.w);
  const auto all = static_cast<std::size_t>(src.shape.n) * pixels;
  parallel_ranges(all, channels, [&](std::size_t first, std::size_t last) {
    for (std::size_t p = first; p < last; ++p)
      scale(src.data + p * channels, gate.data + p / pixels * channels, dst.data + p * channels,
            channels);
  });
}

}  // namespace effnet::cpu
