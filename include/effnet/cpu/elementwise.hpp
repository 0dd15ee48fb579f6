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

template <class Floats>
EFFNET_KERNEL_BODY void scale_rows_body(const float* src, const float* by, float* dst,
                                        std::size_t rows, std::size_t columns) {
  constexpr std::size_t lanes = lanes_of<Floats>;
  for (std::size_t row = 0; row < rows; ++row, src += columns, dst += columns)
    for (std::size_t c = 0; c < columns; c += lanes) {
      Floats x;
      load(src + c, x);
      store(x * by[row], dst + c);
    }
}
inline void scale_rows_portable(const float* src, const float* by, float* dst, std::size_t rows,
                                std::size_t columns) {
  scale_rows_body<floats4>(src, by, dst, rows, columns);
}
EFFNET_TARGET_AVX2 inline void scale_rows_avx2(const float* src, const float* by, float* dst,
                                               std::size_t rows, std::size_t columns) {
  scale_rows_body<floats8>(src, by, dst, rows, columns);
}
EFFNET_TARGET_AVX512 inline void scale_rows_avx512(const float* src, const float* by, float* dst,
                                                   std::size_t rows, std::size_t columns) {
  scale_rows_body<floats16>(src, by, dst, rows, columns);
}

}  // namespace detail

/// dst[row][c] = src[row][c] * by[row], where `columns` fill whole registers.
inline void scale_rows(const float* src, const float* by, float* dst, std::size_t rows,
                       std::size_t columns, isa best = best_isa()) {
  for_isa(best, detail::scale_rows_portable, detail::scale_rows_avx2, detail::scale_rows_avx512)(
      src, by, dst, rows, columns);
}

/// dst[i] = src[i] * by[i].
inline void scale(const float* src, const float* by, float* dst, std::size_t count,
                  isa best = best_isa()) {
  for_isa(best, detail::scale_portable, detail::scale_avx2, detail::scale_avx512)(src, by, dst,
                                                                                  count);
}

inline void add_forward(const_tensor_view a, const_tensor_view b, tensor_view dst) {
  parallel_ranges(a.shape.elements(), 1, [&](std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) dst.data[i] = a.data[i] + b.data[i];
  });
}

/// dst[n,h,w,c] = src[n,h,w,c] * gate[n,c].
inline void scale_channels_forward(const_tensor_view src, const_tensor_view gate, tensor_view dst) {
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
