#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>

#include <effnet/backend/problems.hpp>
#include <effnet/core/tensor_view.hpp>
#include <effnet/cpu/parallel.hpp>
#include <effnet/cpu/vector.hpp>

namespace effnet::cpu {

namespace detail {

/// Mean of `rows` x `columns` pixels for channels [first, last) of an image `channels` wide. Rows
/// are summed apart first, so that the error stays that of a short sum.
template <class Floats>
EFFNET_KERNEL_BODY void mean_body(const float* image, std::size_t rows, std::size_t columns,
                                  std::size_t channels, std::size_t first, std::size_t last,
                                  float* dst) {
  constexpr std::size_t lanes = lanes_of<Floats>;
  const float scale = 1.0f / static_cast<float>(rows * columns);
  std::size_t c = first;
  for (; c + lanes <= last; c += lanes) {
    Floats sum = {};
    for (std::size_t y = 0; y < rows; ++y) {
      Floats row = {};
      const float* at = image + y * columns * channels + c;
      for (std::size_t x = 0; x < columns; ++x, at += channels) {
        Floats value;
        load(at, value);
        row += value;
      }
      sum += row;
    }
    store(sum * scale, dst + c);
  }
  for (; c < last; ++c) {
    float sum = 0;
    for (std::size_t y = 0; y < rows; ++y) {
      float row = 0;
      for (std::size_t x = 0; x < columns; ++x) row += image[(y * columns + x) * channels + c];
      sum += row;
    }
    dst[c] = sum * scale;
  }
}
inline void mean_portable(const float* image, std::size_t rows, std::size_t columns,
                          std::size_t channels, std::size_t first, std::size_t last, float* dst) {
  mean_body<floats4>(image, rows, columns, channels, first, last, dst);
}
EFFNET_TARGET_AVX2 inline void mean_avx2(const float* image, std::size_t rows, std::size_t columns,
                                         std::size_t channels, std::size_t first, std::size_t last,
                                         float* dst) {
  mean_body<floats8>(image, rows, columns, channels, first, last, dst);
}
EFFNET_TARGET_AVX512 inline void mean_avx512(const float* image, std::size_t rows,
                                             std::size_t columns, std::size_t channels,
                                             std::size_t first, std::size_t last, float* dst) {
  mean_body<floats16>(image, rows, columns, channels, first, last, dst);
}

}  // namespace detail

/// Mean over all pixels: [n,h,w,c] to [n,1,1,c].
inline void global_pool_forward(const_tensor_view src, tensor_view dst) {
  const auto mean =
      for_isa(best_isa(), detail::mean_portable, detail::mean_avx2, detail::mean_avx512);
  const auto rows = static_cast<std::size_t>(src.shape.h);
  const auto columns = static_cast<std::size_t>(src.shape.w);
  const auto channels = static_cast<std::size_t>(src.shape.c);
  const std::size_t blocks = (channels + channel_block - 1) / channel_block;  // per image
  const auto all = static_cast<std::size_t>(src.shape.n) * blocks;
  parallel_ranges(all, rows * columns * channel_block, [&](std::size_t first, std::size_t last) {
    while (first < last) {  // the part of one image that falls into this range
      const std::size_t n = first / blocks, begin = first % blocks;
      const std::size_t end = std::min(blocks, begin + (last - first));
      mean(src.data + n * rows * columns * channels, rows, columns, channels, begin * channel_block,
           std::min(channels, end * channel_block), dst.data + n * channels);
      first += end - begin;
    }
  });
}

inline void max_pool_forward(const max_pool_problem& p, const_tensor_view src, tensor_view dst) {
  const shape4 out = p.dst();
  const auto channels = static_cast<std::size_t>(out.c);
  const auto width = static_cast<std::size_t>(out.w);
  const auto rows = static_cast<std::size_t>(out.n) * static_cast<std::size_t>(out.h);
  parallel_ranges(rows, width * channels, [&](std::size_t first, std::size_t last) {
    for (std::size_t row = first; row < last; ++row) {
      const int n = static_cast<int>(row) / out.h, y = static_cast<int>(row) % out.h;
      const int top = std::max(y * p.stride - p.pad.top, 0);
      const int bottom = std::min(y * p.stride - p.pad.top + p.kernel, p.src.h);
      for (int x = 0; x < out.w; ++x) {
        const int left = std::max(x * p.stride - p.pad.left, 0);
        const int right = std::min(x * p.stride - p.pad.left + p.kernel, p.src.w);
        float* to = dst.data + (row * width + static_cast<std::size_t>(x)) * channels;
        std::fill_n(to, channels, -std::numeric_limits<float>::infinity());
        for (int sy = top; sy < bottom; ++sy)
          for (int sx = left; sx < right; ++sx) {
            const std::size_t pixel =
                (static_cast<std::size_t>(n) * static_cast<std::size_t>(p.src.h) +
                 static_cast<std::size_t>(sy)) *
                    static_cast<std::size_t>(p.src.w) +
                static_cast<std::size_t>(sx);
            const float* from = src.data + pixel * channels;
            for (std::size_t c = 0; c < channels; ++c) to[c] = std::max(to[c], from[c]);
          }
      }
    }
  });
}

}  // namespace effnet::cpu
