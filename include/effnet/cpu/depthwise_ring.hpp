#pragma once

#include <algorithm>
#include <cstddef>

#include <effnet/backend/problems.hpp>
#include <effnet/core/rounded_up.hpp>
#include <effnet/cpu/depthwise_row.hpp>
#include <effnet/cpu/normalised_rows.hpp>
#include <effnet/cpu/panel_copy.hpp>
#include <effnet/cpu/panel_product.hpp>

namespace effnet::cpu {

/// The source rows under a depthwise kernel, for one image and a panel of channels: a ring of rows
/// that stays in the cache, between zeros, two registers of channels a pixel.
class depthwise_ring {
 public:
  /// `batch`: rows of results that are made between source rows, at most.
  depthwise_ring(const conv_problem& problem, std::size_t batch, isa best)
      : problem_(problem), best_(best), pixel_(2 * lanes_of_isa(best)) {
    batch_ = std::clamp<std::size_t>(batch, 1, size(problem_.dst().h));
    rows_ = (batch_ - 1) * stride() + kernel();
    const std::size_t results = depthwise_pixels(size(problem_.dst().w));
    padded_ = std::max((results - 1) * stride() + kernel(), size(problem_.pad.left) + width());
  }

  /// What `pass` needs as `memory`.
  std::size_t floats() const {
    return (rows_ + 1) * row_floats() +
           rounded_up(kernel() * sizeof(const float*) / sizeof(float), channel_block);
  }
  std::size_t pixel() const { return pixel_; }
  /// Where source row `y` begins.
  float* row(float* memory, std::size_t y) const {
    return memory + y % rows_ * row_floats() + size(problem_.pad.left) * pixel_;
  }

  /// Calls `use(y, ring, rows)` for the rows [first, last) of results and for each of `rings` rings
  /// that lie `floats()` apart, with pointers to the rows under the kernel as `depthwise_row` takes
  /// them, and before it `make(from, to)` for source rows that are to be put where `row` says.
  template <class Make, class Use>
  void pass(float* memory, std::size_t rings, std::size_t first, std::size_t last, const Make& make,
            const Use& use) const {
    for (std::size_t ring = 0; ring < rings; ++ring) clear_sides(memory + ring * floats());
    const std::size_t top = size(problem_.pad.top), height = size(problem_.src.h);
    const auto below = [&](std::size_t row) { return row > top ? row - top : 0; };
    std::size_t done = std::min(height, below(first * stride()));
    for (std::size_t y = first; y < last; ++y) {
      if ((y - first) % batch_ == 0) {
        const std::size_t end = std::min(last, y + batch_) - 1;
        const std::size_t needed = std::min(height, below(end * stride() + kernel()));
        if (needed > done) make(done, needed);
        done = std::max(done, needed);
      }
      for (std::size_t ring = 0; ring < rings; ++ring) {
        float* own = memory + ring * floats();
        auto** rows = reinterpret_cast<const float**>(own + (rows_ + 1) * row_floats());
        for (std::size_t ky = 0; ky < kernel(); ++ky) {
          const std::size_t row = y * stride() + ky;
          const bool inside = row >= top && row - top < height;
          rows[ky] = own + (inside ? (row - top) % rows_ : rows_) * row_floats();
        }
        use(y, ring, rows);
      }
    }
  }

  /// `count` channels of an image from `channel` on.
  struct panel {
    std::size_t image, channel, count;
  };
  /// Rows [from, to) of the source as they are.
  void copy_rows(const float* src, const panel& at, std::size_t from, std::size_t to,
                 float* memory) const {
    const std::size_t channels = size(problem_.src.c);
    for (std::size_t y = from; y < to; ++y)
      copy_panels({.src = src + first_pixel(at.image, y) * channels + at.channel,
                   .step = channels,
                   .rows = width(),
                   .whole = 0,
                   .last = pixel_,
                   .real = at.count,
                   .to = row(memory, y),
                   .ahead = width() * channels},
                  best_);
  }
  /// Rows [from, to) as they become.
  void normalise_rows(const normalised& src, const panel& at, std::size_t from, std::size_t to,
                      float* memory) const {
    for (std::size_t y = from; y < to; ++y)
      make_normalised_rows(src,
                           {.first = first_pixel(at.image, y),
                            .count = width(),
                            .channel = at.channel,
                            .channels = at.count,
                            .to = row(memory, y),
                            .to_step = pixel_,
                            .padded = pixel_,
                            .ahead = width()},
                           best_);
  }

 private:
  static std::size_t size(int n) { return static_cast<std::size_t>(n); }
  std::size_t kernel() const { return size(problem_.kernel); }
  std::size_t stride() const { return size(problem_.stride); }
  std::size_t width() const { return size(problem_.src.w); }
  std::size_t row_floats() const { return padded_ * pixel_; }
  std::size_t first_pixel(std::size_t image, std::size_t y) const {
    return (image * size(problem_.src.h) + y) * width();
  }

  /// The zeros beside the ring's rows, and the row of zeros behind it.
  void clear_sides(float* memory) const {
    const std::size_t left = size(problem_.pad.left) * pixel_;
    const std::size_t row = row_floats(), inner = left + width() * pixel_;
    for (std::size_t i = 0; i < rows_; ++i, memory += row) {
      std::fill_n(memory, left, 0.0f);
      std::fill(memory + std::min(inner, row), memory + row, 0.0f);
    }
    std::fill_n(memory, row, 0.0f);
  }

  conv_problem problem_;
  isa best_;
  std::size_t pixel_;                 // floats
  std::size_t batch_ = 1, rows_ = 1;  // result rows made between source rows; of the ring
  std::size_t padded_ = 1;            // pixels of a row with the zeros beside it
};

}  // namespace effnet::cpu
