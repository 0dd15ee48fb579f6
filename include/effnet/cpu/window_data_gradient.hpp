#pragma once

#include <omp.h>

#include <algorithm>
#include <cstddef>
#include <string_view>

#include <effnet/cpu/packed_weights.hpp>
#include <effnet/cpu/panels.hpp>
#include <effnet/cpu/parallel.hpp>
#include <effnet/cpu/result_store.hpp>
#include <effnet/cpu/window_rows.hpp>

namespace effnet::cpu {

/// The gradient of a dense convolution by its source. Source pixels of one phase, (y + top) mod
/// stride and (x + left) mod stride, meet the same part of the kernel: for each it is a convolution
/// of stride 1 of the result's gradients, whose windows are read in place.
class window_data_gradient {
 public:
  explicit window_data_gradient(const conv_problem& problem, isa best = best_isa())
      : problem_(problem),
        best_(best),
        workers_(static_cast<std::size_t>(omp_get_max_threads())),
        in_(static_cast<std::size_t>(problem.src.c)),
        out_(static_cast<std::size_t>(problem.out)),
        kernel_(static_cast<std::size_t>(problem.kernel)),
        stride_(static_cast<std::size_t>(problem.stride)),
        panels_(in_, best),
        windows_(windows_of(problem)),
        rows_(windows_) {}

  std::size_t scratch_bytes() const { return workers_ * worker_floats() * sizeof(float); }
  weight_layout layout() const {
    return {.kind = kernel_kind::window, .direct = {}, .block = static_cast<int>(panels_.width())};
  }
  std::string_view implementation() const {
    return for_isa<std::string_view>(best_, "window_portable", "window_avx2", "window_avx512");
  }

  packed_weights pack(const float* oihw) const {
    packed_weights packed{
        aligned_buffer(kernel_ * kernel_ * out_ * panels_.all_columns() * sizeof(float)), {}};
    repack(oihw, packed);
    return packed;
  }
  /// [row phase][column phase][panel][row][column][out][columns of the panel], rows and columns of
  /// the phase's part of the kernel backwards.
  void repack(const float* oihw, packed_weights& packed) const {
    auto* to = reinterpret_cast<float*>(packed.weights.data());
    for (std::size_t ry = 0; ry < stride_; ++ry)
      for (std::size_t rx = 0; rx < stride_; ++rx)
        for (std::size_t panel = 0; panel < panels_.count(); ++panel) {
          const std::size_t down = taps(ry), across = taps(rx);
          const auto weight = [&](std::size_t i, std::size_t k) {
            const std::size_t o = k % out_, kx = rx + (across - 1 - k / out_ % across) * stride_;
            const std::size_t ky = ry + (down - 1 - k / out_ / across) * stride_;
            return oihw[((o * in_ + i) * kernel_ + ky) * kernel_ + kx];
          };
          panels_.pack(panel, down * across * out_, weight, to + before(ry, rx, panel));
        }
  }

  /// Overwrites `diff_src`.
  void run(const packed_weights& packed, const float* diff_dst, float* diff_src,
           std::byte* scratch) const {
    const auto* weights = reinterpret_cast<const float*>(packed.weights.data());
    const auto height = static_cast<std::size_t>(windows_.dst().h);
    const std::size_t parts = (height + rows_at_a_time - 1) / rows_at_a_time;
    parallel_items(static_cast<std::size_t>(windows_.src.n) * parts, [&](std::size_t worker,
                                                                         std::size_t item) {
      const std::size_t image = item / parts, first = item % parts * rows_at_a_time;
      const std::size_t last = std::min(height, first + rows_at_a_time);
      float* sums = reinterpret_cast<float*>(scratch) + worker * worker_floats();
      float* rows = sums + sum_floats();
      rows_.copy(diff_dst, image, first, rows_.rows(last - first), rows);
      for (std::size_t y = first; y < last; ++y)
        make_rows(weights, image, y, rows + (y - first) * rows_.row(), sums, diff_src);
    });
  }

 private:
  static constexpr std::size_t rows_at_a_time = 4;  // of windows, `stride` rows of results each

  /// The kernel's rows, or columns, that phase `r` meets.
  std::size_t taps(std::size_t r) const { return (kernel_ - r + stride_ - 1) / stride_; }
  /// Those of the phases in front of it.
  std::size_t taps_before(std::size_t r) const {
    std::size_t count = 0;
    for (std::size_t other = 0; other < r; ++other) count += taps(other);
    return count;
  }
  /// Where a panel's weights begin.
  std::size_t before(std::size_t ry, std::size_t rx, std::size_t panel) const {
    const std::size_t in_front = taps_before(ry) * kernel_ + taps(ry) * taps_before(rx);
    return (in_front * panels_.all_columns() + taps(ry) * taps(rx) * panels_.first(panel)) * out_;
  }

  /// The windows of phase 0, which has most of the kernel, and as many as any phase has.
  static conv_problem windows_of(const conv_problem& p) {
    const shape4 d = p.dst();
    const int taps = (p.kernel + p.stride - 1) / p.stride;
    return {.src = d,
            .out = p.src.c,
            .kernel = taps,
            .pad = {taps - 1, taps - 1, (p.src.h - 1 + p.pad.top) / p.stride + 1 - d.h,
                    (p.src.w - 1 + p.pad.left) / p.stride + 1 - d.w}};
  }

  std::size_t sum_floats() const {
    return static_cast<std::size_t>(windows_.dst().w) * panels_.width();
  }
  std::size_t worker_floats() const {
    return sum_floats() + rows_.floats(rows_.rows(rows_at_a_time));
  }

  /// Windows of one axis whose pixels of phase `r` lie inside the image.
  struct inside {
    std::size_t first, last;
  };
  inside inside_of(std::size_t r, int pad, int size) const {
    const auto before = static_cast<std::size_t>(pad),
               all = before + static_cast<std::size_t>(size);
    const auto up = [&](std::size_t end) {
      return end > r ? (end - r + stride_ - 1) / stride_ : 0;
    };
    return {up(before), up(all)};
  }

  /// The results of all phases from row `y` of windows.
  void make_rows(const float* weights, std::size_t image, std::size_t y, const float* rows,
                 float* sums, float* diff_src) const {
    const auto height = static_cast<std::size_t>(problem_.src.h);
    const auto width = static_cast<std::size_t>(problem_.src.w);
    const auto most = static_cast<std::size_t>(windows_.kernel);
    for (std::size_t ry = 0; ry < stride_; ++ry) {
      const inside lines = inside_of(ry, problem_.pad.top, problem_.src.h);
      if (y < lines.first || y >= lines.last) continue;
      const std::size_t line = y * stride_ + ry - static_cast<std::size_t>(problem_.pad.top);
      for (std::size_t panel = 0; panel < panels_.count(); ++panel)
        for (std::size_t rx = 0; rx < stride_; ++rx) {
          const inside pixels = inside_of(rx, problem_.pad.left, problem_.src.w);
          if (pixels.first >= pixels.last) continue;
          const std::size_t pixel =
              pixels.first * stride_ + rx - static_cast<std::size_t>(problem_.pad.left);
          make_pixels(
              weights + before(ry, rx, panel), panel, taps(ry), taps(rx),
              rows + (most - taps(ry)) * rows_.row() + (pixels.first + most - taps(rx)) * out_,
              pixels.last - pixels.first, sums,
              diff_src + ((image * height + line) * width + pixel) * in_);
        }
    }
  }

  /// `count` pixels of one phase in a row, for the channels of a panel.
  void make_pixels(const float* weights, std::size_t panel, std::size_t down, std::size_t across,
                   const float* rows, std::size_t count, float* sums, float* to) const {
    const std::size_t columns = panels_.columns(panel), channels = panels_.channels(panel);
    to += panels_.first(panel);
    const bool bare = channels == columns;  // results are made in their place
    multiply({.src = rows,
              .row_step = out_,
              .rows = count,
              .weights = weights,
              .weight_step = columns,
              .depth = across * out_,
              .runs = down,
              .run_step = rows_.row(),
              .sums = bare ? to : sums,
              .sum_step = bare ? stride_ * in_ : columns,
              .add = false},
             panels_.registers(panel), best_);
    if (!bare)
      store_results({.sums = sums,
                     .sum_step = columns,
                     .rows = count,
                     .channels = channels,
                     .bias = nullptr,
                     .then = {},
                     .dst = to,
                     .dst_step = stride_ * in_},
                    best_);
  }

  conv_problem problem_;
  isa best_;
  std::size_t workers_, in_, out_, kernel_, stride_;
  panels panels_;
  conv_problem windows_;
  window_rows rows_;
};

}  // namespace effnet::cpu
