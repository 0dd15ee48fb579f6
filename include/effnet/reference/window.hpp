#pragma once

#include <cstddef>

#include <effnet/backend/problems.hpp>

namespace effnet::reference {

/// Where a convolution's output pixels look: walks the taps of a window that lie inside the image.
class window {
 public:
  explicit window(const conv_problem& problem) : problem_(problem) {}

  /// Calls `tap(index, offset)` for every tap of output pixel (y, x) inside the image: its number
  /// in the kernel, row by row, and the first element of its source pixel within image `n`.
  template <class Tap>
  void for_each_tap(int n, int y, int x, Tap&& tap) const {
    const shape4& s = problem_.src;
    for (int ky = 0; ky < problem_.kernel; ++ky)
      for (int kx = 0; kx < problem_.kernel; ++kx) {
        const int sy = y * problem_.stride - problem_.pad.top + ky;
        const int sx = x * problem_.stride - problem_.pad.left + kx;
        if (sy < 0 || sy >= s.h || sx < 0 || sx >= s.w) continue;
        const std::size_t pixel = (static_cast<std::size_t>(n) * static_cast<std::size_t>(s.h) +
                                   static_cast<std::size_t>(sy)) *
                                      static_cast<std::size_t>(s.w) +
                                  static_cast<std::size_t>(sx);
        tap(static_cast<std::size_t>(ky) * static_cast<std::size_t>(problem_.kernel) +
                static_cast<std::size_t>(kx),
            pixel * static_cast<std::size_t>(s.c));
      }
  }

  /// Calls `pixel(n, y, x)` for every output pixel, in memory order.
  template <class Pixel>
  void for_each_pixel(Pixel&& pixel) const {
    const shape4 d = problem_.dst();
    for (int n = 0; n < d.n; ++n)
      for (int y = 0; y < d.h; ++y)
        for (int x = 0; x < d.w; ++x) pixel(n, y, x);
  }

 private:
  conv_problem problem_;
};

}  // namespace effnet::reference
