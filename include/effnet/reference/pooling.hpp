#pragma once

#include <algorithm>
#include <limits>

#include <effnet/backend/problems.hpp>
#include <effnet/core/tensor_view.hpp>
#include <effnet/reference/window.hpp>

namespace effnet::reference {

/// Mean over all pixels, summed in double: [n,h,w,c] to [n,1,1,c].
inline void global_pool_forward(const_tensor_view src, tensor_view dst) {
  const auto pixels = static_cast<std::size_t>(src.shape.h) * static_cast<std::size_t>(src.shape.w);
  const auto channels = static_cast<std::size_t>(src.shape.c);
  for (std::size_t n = 0; n < static_cast<std::size_t>(src.shape.n); ++n)
    for (std::size_t c = 0; c < channels; ++c) {
      const float* image = src.data + n * pixels * channels + c;
      double sum = 0;
      for (std::size_t p = 0; p < pixels; ++p) sum += static_cast<double>(image[p * channels]);
      dst.data[n * channels + c] = static_cast<float>(sum / static_cast<double>(pixels));
    }
}

inline void max_pool_forward(const max_pool_problem& p, const_tensor_view src, tensor_view dst) {
  const shape4 out = p.dst();
  float* next = dst.data;
  for (int n = 0; n < out.n; ++n)
    for (int y = 0; y < out.h; ++y)
      for (int x = 0; x < out.w; ++x) {
        const int top = std::max(y * p.stride - p.pad.top, 0);
        const int left = std::max(x * p.stride - p.pad.left, 0);
        const int bottom = std::min(y * p.stride - p.pad.top + p.kernel, p.src.h);
        const int right = std::min(x * p.stride - p.pad.left + p.kernel, p.src.w);
        for (int c = 0; c < out.c; ++c) {
          float largest = -std::numeric_limits<float>::infinity();
          for (int sy = top; sy < bottom; ++sy)
            for (int sx = left; sx < right; ++sx) {
              const std::size_t pixel =
                  shape4{n, p.src.h, p.src.w, 1}.elements() +
                  static_cast<std::size_t>(sy) * static_cast<std::size_t>(p.src.w) +
                  static_cast<std::size_t>(sx);
              largest = std::max(
                  largest,
                  src.data[pixel * static_cast<std::size_t>(out.c) + static_cast<std::size_t>(c)]);
            }
          *next++ = largest;
        }
      }
}

/// A window's gradient goes to its maximum, to the first in row order where several are equal (as
/// PyTorch does). Overwrites `diff_src`.
inline void max_pool_backward(const max_pool_problem& p, const_tensor_view src,
                              const_tensor_view diff_dst, tensor_view diff_src) {
  const conv_problem windows{.src = p.src,
                             .out = p.src.c,
                             .kernel = p.kernel,
                             .stride = p.stride,
                             .groups = p.src.c,
                             .pad = p.pad};
  std::fill_n(diff_src.data, src.shape.elements(), 0.0f);
  const window at(windows);
  const float* gradient = diff_dst.data;
  at.for_each_pixel([&](int n, int y, int x) {
    for (std::size_t c = 0; c < static_cast<std::size_t>(p.src.c); ++c) {
      const float* largest = nullptr;
      at.for_each_tap(n, y, x, [&](std::size_t, std::size_t offset) {
        const float* candidate = src.data + offset + c;
        if (largest == nullptr || *candidate > *largest) largest = candidate;
      });
      if (largest != nullptr) diff_src.data[largest - src.data] += *gradient;
      ++gradient;
    }
  });
}

}  // namespace effnet::reference
