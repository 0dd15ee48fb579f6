#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string_view>

#include <effnet/backend/problems.hpp>
#include <effnet/cpu/parallel.hpp>
#include <effnet/cpu/vector.hpp>

namespace effnet::cpu {

namespace detail {

inline constexpr int depthwise_kernel = 5;

/// A register's worth of a pixel's channels, or the last `count` where it is not `Full`.
template <bool Full, class Floats>
EFFNET_KERNEL_BODY void load_channels(const float* from, std::size_t count, Floats& to) {
  if constexpr (Full) {
    load(from, to);
  } else {
    float part[lanes_of<Floats>] = {};
    std::memcpy(part, from, count * sizeof(float));
    load(part, to);
  }
}

/// The same channels of source pixel (y, x) of an image.
EFFNET_KERNEL_BODY const float* pixel_at(const conv_problem& p, const float* image, int y, int x) {
  return image + (static_cast<std::size_t>(y) * static_cast<std::size_t>(p.src.w) +
                  static_cast<std::size_t>(x)) *
                     static_cast<std::size_t>(p.src.c);
}

/// Adds one output pixel whose window may hang over the image.
template <bool Full, class Floats>
EFFNET_KERNEL_BODY void add_edge_pixel(const conv_problem& p, const float* image,
                                       const float* gradient_at, int y, int x, std::size_t count,
                                       Floats* total) {
  Floats gradient, value;
  load_channels<Full>(gradient_at, count, gradient);
  for (int ky = 0; ky < depthwise_kernel; ++ky)
    for (int kx = 0; kx < depthwise_kernel; ++kx) {
      const int sy = y * p.stride - p.pad.top + ky, sx = x * p.stride - p.pad.left + kx;
      if (sy < 0 || sy >= p.src.h || sx < 0 || sx >= p.src.w) continue;
      load_channels<Full>(pixel_at(p, image, sy, sx), count, value);
      total[ky * depthwise_kernel + kx] += gradient * value;
    }
}

/// All 5x5 gradients of up to a register of channels in one pass over source and destination: an
/// output pixel's gradient is loaded once and meets its whole window. Where windows lie inside the
/// image the sums of a row of pixels stay in registers.
template <bool Full, class Floats>
EFFNET_KERNEL_BODY void depthwise_gradient_body(const conv_problem& p, const float* src,
                                                const float* diff_dst, std::size_t channel,
                                                std::size_t count, float* diff_weights) {
  constexpr int taps = depthwise_kernel * depthwise_kernel;
  const shape4 d = p.dst();
  const auto channels = static_cast<std::size_t>(p.src.c);
  const std::size_t image_size = p.src.elements() / static_cast<std::size_t>(p.src.n);
  // Output columns and rows [inner, outer) whose windows lie within the image.
  const int inner_x = std::min(d.w, (p.pad.left + p.stride - 1) / p.stride);
  const int outer_x = std::max(
      inner_x, std::min(d.w, (p.src.w - depthwise_kernel + p.pad.left + p.stride) / p.stride));
  Floats total[taps] = {};
  const float* gradients = diff_dst + channel;
  for (int n = 0; n < d.n; ++n) {
    const float* image = src + static_cast<std::size_t>(n) * image_size + channel;
    for (int y = 0; y < d.h; ++y, gradients += static_cast<std::size_t>(d.w) * channels) {
      const int top = y * p.stride - p.pad.top;
      const bool inside = top >= 0 && top + depthwise_kernel <= p.src.h;
      const int first = inside ? inner_x : d.w, last = inside ? outer_x : d.w;
      for (int x = 0; x < first; ++x)
        add_edge_pixel<Full>(p, image, gradients + static_cast<std::size_t>(x) * channels, y, x,
                             count, total);
      Floats row[taps] = {};
      for (int x = first; x < last; ++x) {
        Floats gradient, value;
        load_channels<Full>(gradients + static_cast<std::size_t>(x) * channels, count, gradient);
        const float* window = pixel_at(p, image, top, x * p.stride - p.pad.left);
#pragma GCC unroll 5
        for (int ky = 0; ky < depthwise_kernel; ++ky)
#pragma GCC unroll 5
          for (int kx = 0; kx < depthwise_kernel; ++kx) {
            load_channels<Full>(pixel_at(p, window, ky, kx), count, value);
            row[ky * depthwise_kernel + kx] += gradient * value;
          }
      }
      for (int t = 0; t < taps; ++t) total[t] += row[t];
      for (int x = last; x < d.w; ++x)
        add_edge_pixel<Full>(p, image, gradients + static_cast<std::size_t>(x) * channels, y, x,
                             count, total);
    }
  }
  for (int t = 0; t < taps; ++t) {
    float sums[lanes_of<Floats>];
    store(total[t], sums);
    for (std::size_t c = 0; c < count; ++c)
      diff_weights[(channel + c) * static_cast<std::size_t>(taps) + static_cast<std::size_t>(t)] =
          sums[c];
  }
}

/// A block of channels, register by register.
template <class Floats>
EFFNET_KERNEL_BODY void depthwise_gradient_channels(const conv_problem& p, const float* src,
                                                    const float* diff_dst, std::size_t channel,
                                                    std::size_t count, float* diff_weights) {
  constexpr std::size_t lanes = lanes_of<Floats>;
  std::size_t c = 0;
  for (; c + lanes <= count; c += lanes)
    depthwise_gradient_body<true, Floats>(p, src, diff_dst, channel + c, lanes, diff_weights);
  if (c < count)
    depthwise_gradient_body<false, Floats>(p, src, diff_dst, channel + c, count - c, diff_weights);
}

inline void depthwise_gradient_portable(const conv_problem& p, const float* src,
                                        const float* diff_dst, std::size_t channel,
                                        std::size_t count, float* diff_weights) {
  depthwise_gradient_channels<floats4>(p, src, diff_dst, channel, count, diff_weights);
}
EFFNET_TARGET_AVX2 inline void depthwise_gradient_avx2(const conv_problem& p, const float* src,
                                                       const float* diff_dst, std::size_t channel,
                                                       std::size_t count, float* diff_weights) {
  depthwise_gradient_channels<floats8>(p, src, diff_dst, channel, count, diff_weights);
}
EFFNET_TARGET_AVX512 inline void depthwise_gradient_avx512(const conv_problem& p, const float* src,
                                                           const float* diff_dst,
                                                           std::size_t channel, std::size_t count,
                                                           float* diff_weights) {
  depthwise_gradient_channels<floats16>(p, src, diff_dst, channel, count, diff_weights);
}

}  // namespace detail

/// Whether the kernel below is written for a problem: depthwise 5x5, for which oneDNN has no fast
/// one.
inline bool has_depthwise_weight_gradient(const conv_problem& p) {
  return p.depthwise() && p.out == p.src.c && p.kernel == detail::depthwise_kernel;
}

/// The gradient of a depthwise 5x5 convolution by its weights. Threads share channels, so the
/// result does not depend on how many there are.
class depthwise_weight_gradient {
 public:
  explicit depthwise_weight_gradient(const conv_problem& problem, isa best = best_isa())
      : problem_(problem), best_(best) {}

  static constexpr std::size_t scratch_bytes() { return 0; }
  std::string_view implementation() const {
    return for_isa<std::string_view>(best_, "depthwise_portable", "depthwise_avx2",
                                     "depthwise_avx512");
  }

  /// Overwrites `diff_weights` (C,1,5,5).
  void run(const float* src, const float* diff_dst, float* diff_weights, std::byte*) const {
    const auto kernel = for_isa(best_, detail::depthwise_gradient_portable,
                                detail::depthwise_gradient_avx2, detail::depthwise_gradient_avx512);
    const auto channels = static_cast<std::size_t>(problem_.src.c);
    const std::size_t blocks = (channels + channel_block - 1) / channel_block;
    parallel_ranges(
        blocks, problem_.dst().elements() / blocks, [&](std::size_t first, std::size_t last) {
          for (std::size_t block = first; block < last; ++block)
            kernel(problem_, src, diff_dst, block * channel_block,
                   std::min(channel_block, channels - block * channel_block), diff_weights);
        });
  }

 private:
  conv_problem problem_;
  isa best_;
};

}  // namespace effnet::cpu
