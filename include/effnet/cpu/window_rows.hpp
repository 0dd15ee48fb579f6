#pragma once

#include <algorithm>
#include <cstddef>

#include <effnet/backend/problems.hpp>
#include <effnet/core/rounded_up.hpp>
#include <effnet/cpu/panels.hpp>

namespace effnet::cpu {

/// Whether the kernels that read windows in place are written for a problem: dense, with a kernel
/// no smaller than its stride and no window of padding alone.
constexpr bool has_windows(const conv_problem& p) {
  const int last = p.kernel - 1;
  return p.groups == 1 && p.kernel > 1 && p.kernel >= p.stride && p.pad.top <= last &&
         p.pad.left <= last && p.pad.bottom <= last && p.pad.right <= last;
}

/// Rows of a dense convolution's source between the zeros beside them: the row of a window is one
/// run of floats there. Rows are counted from the first of zeros above the image.
class window_rows {
 public:
  explicit window_rows(const conv_problem& problem)
      : src_(problem.src),
        pad_(problem.pad),
        kernel_(size(problem.kernel)),
        stride_(size(problem.stride)),
        row_(size(problem.src.c) * (size(problem.dst().w - 1) * stride_ + kernel_)) {}

  /// Floats of a window's row, (kernel, channels).
  std::size_t run() const { return kernel_ * size(src_.c); }
  /// Floats from one window to the next.
  std::size_t step() const { return stride_ * size(src_.c); }
  /// Floats from one row to the next.
  std::size_t row() const { return row_; }
  /// Rows under `results` rows of windows.
  std::size_t rows(std::size_t results) const { return (results - 1) * stride_ + kernel_; }
  /// What `count` rows take, with what a register may read behind the last.
  std::size_t floats(std::size_t count) const {
    return rounded_up(count * row_ + 2 * lanes_of<floats16>, channel_block);
  }

  /// Rows [first, first + count) of an image of `src`.
  void copy(const float* src, std::size_t image, std::size_t first, std::size_t count,
            float* to) const {
    const std::size_t channels = size(src_.c), left = size(pad_.left) * channels;
    const std::size_t length = std::min(size(src_.w) * channels, row_ - std::min(row_, left));
    for (std::size_t i = first; i < first + count; ++i, to += row_) {
      const std::size_t y = i - size(pad_.top);
      if (i < size(pad_.top) || y >= size(src_.h) || length == 0) {
        std::fill_n(to, row_, 0.0f);
        continue;
      }
      std::fill_n(to, left, 0.0f);
      std::copy_n(src + (image * size(src_.h) + y) * size(src_.w) * channels, length, to + left);
      std::fill(to + left + length, to + row_, 0.0f);
    }
  }

 private:
  static std::size_t size(int n) { return static_cast<std::size_t>(n); }

  shape4 src_;
  padding pad_;
  std::size_t kernel_, stride_, row_;
};

}  // namespace effnet::cpu
