#pragma once

#include <algorithm>

#include <effnet/backend/problems.hpp>
#include <effnet/cuda/channel_block.hpp>
#include <effnet/cuda/global_span.hpp>
#include <effnet/cuda/kernel.hpp>
#include <effnet/math/activation.hpp>

namespace effnet::cuda {

/// A depthwise convolution with what follows it: dst = act(conv + bias), and, where they are asked
/// for, sums of dst over parts of an image's pixels, which squeeze-excite's mean is made of.
///
/// A thread makes strips of a row of output pixels for `Width` channels next to each other, whose
/// weights it holds in registers; neighbouring threads have neighbouring channels, so that a warp
/// reads whole lines.
template <class T, int Kernel, int Stride, int Width>
struct depthwise_forward {
  static constexpr const char* name = "depthwise_forward";
  static constexpr unsigned most_threads = channel_block::threads;
  static constexpr int strip = 4;  // pixels
  static constexpr int taps = Kernel * Kernel;
  static constexpr int columns = (strip - 1) * Stride + Kernel;  // of the source, for a strip

  conv_problem problem;
  activation act = activation::identity;
  global_span<const T> src;
  global_span<const float> weights;  ///< [taps][channels]
  global_span<const float> bias;     ///< empty: 0
  global_span<T> dst;
  global_span<float> sums;  ///< [n][parts()][channels], or empty

  struct registers {
    floats_of<Width> sum;
  };

  /// Blocks that share an image's strips.
  static unsigned parts(const conv_problem& p) {
    constexpr std::size_t strips_a_thread = 4;
    const channel_block block(p.out, Width);
    return std::min(parts_of(strips(p.dst()), strips_a_thread * block.rows()), most_parts);
  }
  launch_shape shape() const {
    const channel_block block(problem.out, Width);
    return {.grid = {block.blocks(), parts(problem), static_cast<unsigned>(problem.src.n)},
            .block = block.extent(),
            .shared_bytes = sums.empty() ? 0 : block.extent().count() * Width * sizeof(float)};
  }
  EFFNET_HD int phases() const { return sums.empty() ? 1 : 2; }

  EFFNET_HD void run(int phase, const thread_place& at, registers& own,
                     const shared_memory& shared) const {
    const std::size_t channel = first_channel<Width>(at);
    if (phase == 0) {
      own.sum = {};
      if (channel < channels()) make_strips(at, channel, own.sum);
      if (!sums.empty()) leave_row<Width>(at, own.sum, shared);
    } else if (at.in_block.y == 0 && channel < channels()) {
      const std::size_t row = std::size_t{at.in_grid.z} * at.grid.y + at.in_grid.y;
      sums.template store<Width>(row * channels() + channel, total_of_rows<Width>(at, shared));
    }
  }

 private:
  static constexpr unsigned most_parts = 64;

  EFFNET_HD std::size_t channels() const { return static_cast<std::size_t>(problem.out); }
  EFFNET_HD static constexpr std::size_t strips(const shape4& d) {
    return static_cast<std::size_t>(d.h) * static_cast<std::size_t>((d.w + strip - 1) / strip);
  }

  EFFNET_HD void make_strips(const thread_place& at, std::size_t channel,
                             floats_of<Width>& sum) const {
    floats_of<Width> taps_of[taps];
    EFFNET_UNROLL
    for (int t = 0; t < taps; ++t)
      taps_of[t] = weights.template load<Width>(static_cast<std::size_t>(t) * channels() + channel);
    floats_of<Width> offset = {};
    if (!bias.empty()) offset = bias.template load<Width>(channel);
    const shape4 d = problem.dst();
    const int strips_a_row = (d.w + strip - 1) / strip;
    const std::size_t step = std::size_t{at.grid.y} * at.block.y;
    for (std::size_t s = std::size_t{at.in_grid.y} * at.block.y + at.in_block.y; s < strips(d);
         s += step) {
      const int y = static_cast<int>(s) / strips_a_row,
                x = static_cast<int>(s) % strips_a_row * strip;
      make_strip(static_cast<int>(at.in_grid.z), y, x, channel, taps_of, offset, sum);
    }
  }

  EFFNET_HD void make_strip(int n, int y, int x, std::size_t channel,
                            const floats_of<Width> (&taps_of)[taps], const floats_of<Width>& offset,
                            floats_of<Width>& sum) const {
    floats_of<Width> made[strip];
    EFFNET_UNROLL
    for (int i = 0; i < strip; ++i) made[i] = offset;
    const int left = x * Stride - problem.pad.left;
    EFFNET_UNROLL
    for (int ky = 0; ky < Kernel; ++ky) {
      const int from_y = y * Stride - problem.pad.top + ky;
      if (from_y < 0 || from_y >= problem.src.h) continue;
      EFFNET_UNROLL
      for (int column = 0; column < columns; ++column) {
        const int from_x = left + column;
        if (from_x < 0 || from_x >= problem.src.w) continue;
        const floats_of<Width> value =
            src.template load<Width>(element(problem.src, n, from_y, from_x) + channel);
        EFFNET_UNROLL
        for (int i = 0; i < strip; ++i) {
          const int kx = column - i * Stride;
          if (kx < 0 || kx >= Kernel) continue;
          EFFNET_UNROLL
          for (int v = 0; v < Width; ++v) made[i][v] += value[v] * taps_of[ky * Kernel + kx][v];
        }
      }
    }
    const shape4 d = problem.dst();
    EFFNET_UNROLL
    for (int i = 0; i < strip; ++i) {
      if (x + i >= d.w) continue;
      EFFNET_UNROLL
      for (int v = 0; v < Width; ++v) {
        made[i][v] = math::apply(act, made[i][v]);
        sum[v] += made[i][v];
      }
      dst.template store<Width>(element(d, n, y, x + i) + channel, made[i]);
    }
  }
};

}  // namespace effnet::cuda
