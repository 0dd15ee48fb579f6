#pragma once

#include <algorithm>
#include <cstddef>

#include <effnet/backend/problems.hpp>
#include <effnet/core/tensor_view.hpp>
#include <effnet/cpu/parallel.hpp>
#include <effnet/cpu/vector.hpp>

namespace effnet::cpu {

namespace detail {

/// The gradients of one image's channels [first, first + count), at most `channel_block`.
inline void max_pool_backward_channels(const max_pool_problem& p, const float* src,
                                       const float* diff_dst, float* diff_src, std::size_t count) {
  const shape4 d = p.dst();
  const auto channels = static_cast<std::size_t>(p.src.c);
  const auto place = [&](int y, int x) {
    return (static_cast<std::size_t>(y) * static_cast<std::size_t>(p.src.w) +
            static_cast<std::size_t>(x)) *
           channels;
  };
  for (int y = 0; y < p.src.h; ++y)
    for (int x = 0; x < p.src.w; ++x) std::fill_n(diff_src + place(y, x), count, 0.0f);
  for (int y = 0; y < d.h; ++y)
    for (int x = 0; x < d.w; ++x, diff_dst += channels) {
      const int top = y * p.stride - p.pad.top, left = x * p.stride - p.pad.left;
      const int first_y = std::max(top, 0), last_y = std::min(top + p.kernel, p.src.h);
      const int first_x = std::max(left, 0), last_x = std::min(left + p.kernel, p.src.w);
      if (first_y >= last_y || first_x >= last_x) continue;
      float largest[channel_block];
      std::size_t at[channel_block];
      const std::size_t corner = place(first_y, first_x);
      std::fill_n(at, count, corner);
      std::copy_n(src + corner, count, largest);
      for (int sy = first_y; sy < last_y; ++sy)
        for (int sx = first_x; sx < last_x; ++sx) {
          const std::size_t here = place(sy, sx);
          for (std::size_t c = 0; c < count; ++c) {
            const float value = src[here + c];
            at[c] = value > largest[c] ? here : at[c];
            largest[c] = value > largest[c] ? value : largest[c];
          }
        }
      for (std::size_t c = 0; c < count; ++c) diff_src[at[c] + c] += diff_dst[c];
    }
}

}  // namespace detail

/// A window's gradient goes to its maximum, to the first in row order where several are equal.
/// Overwrites `diff_src`. Threads share images and channels, so that no two write to one place.
inline void max_pool_backward(const max_pool_problem& p, const_tensor_view src,
                              const_tensor_view diff_dst, tensor_view diff_src) {
  const auto channels = static_cast<std::size_t>(p.src.c),
             images = static_cast<std::size_t>(p.src.n);
  const std::size_t blocks = (channels + channel_block - 1) / channel_block;
  const std::size_t from = p.src.elements() / images, to = p.dst().elements() / images;
  parallel_ranges(images * blocks, from / blocks, [&](std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) {
      const std::size_t image = i / blocks, channel = i % blocks * channel_block;
      detail::max_pool_backward_channels(
          p, src.data + image * from + channel, diff_dst.data + image * to + channel,
          diff_src.data + image * from + channel, std::min(channel_block, channels - channel));
    }
  });
}

}  // namespace effnet::cpu
