#pragma once

#include <limits>

#include <effnet/backend/problems.hpp>
#include <effnet/cuda/channel_block.hpp>
#include <effnet/cuda/for_each_channel.hpp>

namespace effnet::cuda {

/// Max pooling; what lies outside the image is never the maximum.
template <class T>
struct max_pool_window {
  max_pool_problem problem;
  global_span<const T> src;

  /// The largest number of the window of result (y, x), and where it stands first.
  EFFNET_HD float largest(int n, int y, int x, std::size_t channel, int& at_y, int& at_x) const {
    const int top = y * problem.stride - problem.pad.top;
    const int left = x * problem.stride - problem.pad.left;
    float found = -std::numeric_limits<float>::infinity();
    at_y = at_x = -1;
    for (int sy = top < 0 ? 0 : top; sy < top + problem.kernel && sy < problem.src.h; ++sy)
      for (int sx = left < 0 ? 0 : left; sx < left + problem.kernel && sx < problem.src.w; ++sx) {
        const float value = src.load(element(problem.src, n, sy, sx) + channel);
        if (at_y < 0 || value > found) found = value, at_y = sy, at_x = sx;
      }
    return found;
  }
};

template <class T>
struct max_pool_elements {
  static constexpr const char* name = "max_pool";

  max_pool_window<T> window;
  global_span<T> dst;

  template <int Width>
  EFFNET_HD void operator()(const element_place& at) const {
    const int width = window.problem.dst().w;
    const int y = static_cast<int>(at.pixel) / width, x = static_cast<int>(at.pixel) % width;
    int from_y = 0, from_x = 0;
    for (std::size_t v = 0; v < Width; ++v)
      dst.store(at.element + v,
                window.largest(static_cast<int>(at.image), y, x, at.channel + v, from_y, from_x));
  }
};

/// A source pixel's gradient: those of the windows whose maximum it is.
template <class T>
struct max_pool_gradient {
  static constexpr const char* name = "max_pool_backward";

  max_pool_window<T> window;
  global_span<const T> diff_dst;
  global_span<T> diff_src;

  template <int Width>
  EFFNET_HD void operator()(const element_place& at) const {
    const max_pool_problem& p = window.problem;
    const shape4 d = p.dst();
    const int n = static_cast<int>(at.image);
    const int y = static_cast<int>(at.pixel) / p.src.w, x = static_cast<int>(at.pixel) % p.src.w;
    const int first_y = first_window(y + p.pad.top), first_x = first_window(x + p.pad.left);
    for (std::size_t v = 0; v < Width; ++v) {
      float sum = 0;
      for (int wy = first_y; wy < d.h && wy * p.stride - p.pad.top <= y; ++wy)
        for (int wx = first_x; wx < d.w && wx * p.stride - p.pad.left <= x; ++wx) {
          int from_y = 0, from_x = 0;
          window.largest(n, wy, wx, at.channel + v, from_y, from_x);
          if (from_y == y && from_x == x)
            sum += diff_dst.load(element(d, n, wy, wx) + at.channel + v);
        }
      diff_src.store(at.element + v, sum);
    }
  }

 private:
  /// The first window that reaches a padded row or column.
  EFFNET_HD int first_window(int place) const {
    const int last = place - window.problem.kernel + 1;
    return last <= 0 ? 0 : (last + window.problem.stride - 1) / window.problem.stride;
  }
};

}  // namespace effnet::cuda
