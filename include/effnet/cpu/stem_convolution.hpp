#pragma once

#include <omp.h>

#include <algorithm>
#include <cstddef>
#include <string_view>

#include <effnet/cpu/packed_weights.hpp>
#include <effnet/cpu/panels.hpp>
#include <effnet/cpu/parallel.hpp>
#include <effnet/cpu/result_store.hpp>

namespace effnet::cpu {

/// What `stem_convolution` is made for: images of few channels, where a window's row is one short
/// run of floats.
constexpr bool is_stem(const conv_problem& p) {
  return p.groups == 1 && p.kernel > 1 && p.src.c <= 4;
}

/// A dense convolution of images with few channels, as a network's first layer is. A few rows of
/// results at a time: their source rows are copied between zeros, then every window is read in
/// place.
class stem_convolution {
 public:
  stem_convolution(const conv_problem& problem, const epilogue& then, isa best = best_isa())
      : problem_(problem),
        then_(then),
        best_(best),
        workers_(static_cast<std::size_t>(omp_get_max_threads())),
        out_(static_cast<std::size_t>(problem.out)),
        kernel_(static_cast<std::size_t>(problem.kernel)),
        window_(kernel_ * static_cast<std::size_t>(problem.src.c)),
        source_row_(
            static_cast<std::size_t>(problem.src.c) *
            static_cast<std::size_t>((problem.dst().w - 1) * problem.stride + problem.kernel)),
        panels_(out_, best) {}

  std::size_t scratch_bytes() const { return workers_ * worker_floats() * sizeof(float); }
  weight_layout layout() const {
    return {.kind = kernel_kind::stem, .direct = {}, .block = static_cast<int>(panels_.width())};
  }
  std::string_view implementation() const {
    return for_isa<std::string_view>(best_, "stem_portable", "stem_avx2", "stem_avx512");
  }
  static std::string_view reason() {
    return "few channels, SiLU: a window's row is read as one run";
  }

  packed_weights pack(const float* oihw, const float* bias) const {
    packed_weights packed{aligned_buffer(panels_.all_columns() * kernel_ * window_ * sizeof(float)),
                          aligned_buffer(out_ * sizeof(float))};
    repack(oihw, bias, packed);
    return packed;
  }
  /// [panel][row][column][in][columns of the panel].
  void repack(const float* oihw, const float* bias, packed_weights& packed) const {
    fill_bias(bias, out_, packed);
    const std::size_t in = window_ / kernel_, taps = kernel_ * kernel_;
    const auto weight = [&](std::size_t o, std::size_t k) {
      return oihw[(o * in + k % in) * taps + k / in];
    };
    auto* to = reinterpret_cast<float*>(packed.weights.data());
    for (std::size_t panel = 0; panel < panels_.count(); ++panel)
      panels_.pack(panel, kernel_ * window_, weight, to + panels_.first(panel) * kernel_ * window_);
  }

  void forward(const packed_weights& packed, const float* src, float* dst,
               std::byte* scratch) const {
    const shape4 d = problem_.dst();
    const auto height = static_cast<std::size_t>(d.h);
    const std::size_t parts = (height + rows_at_a_time - 1) / rows_at_a_time;
    parallel_items(
        static_cast<std::size_t>(d.n) * parts, [&](std::size_t worker, std::size_t item) {
          const std::size_t image = item / parts, first = item % parts * rows_at_a_time;
          const std::size_t last = std::min(height, first + rows_at_a_time);
          float* sums = reinterpret_cast<float*>(scratch) + worker * worker_floats();
          float* rows = sums + sum_floats();
          copy_padded(src, image, first, source_rows(last - first), rows);
          for (std::size_t panel = 0; panel < panels_.count(); ++panel)
            for (std::size_t y = first; y < last; ++y)
              make_row(packed, panel, rows + (y - first) * stride() * source_row_, sums,
                       dst + (image * height + y) * static_cast<std::size_t>(d.w) * out_);
        });
  }

 private:
  static constexpr std::size_t rows_at_a_time = 8;  // of results

  std::size_t stride() const { return static_cast<std::size_t>(problem_.stride); }
  std::size_t source_rows(std::size_t results) const { return (results - 1) * stride() + kernel_; }
  std::size_t sum_floats() const {
    return static_cast<std::size_t>(problem_.dst().w) * panels_.width();
  }
  std::size_t worker_floats() const {
    return sum_floats() + rounded_up(source_rows(rows_at_a_time) * source_row_, channel_block);
  }

  /// One row of results for the channels of a panel, from the padded source rows of its windows.
  void make_row(const packed_weights& packed, std::size_t panel, const float* rows, float* sums,
                float* dst) const {
    const auto* weights = reinterpret_cast<const float*>(packed.weights.data());
    const std::size_t channel = panels_.first(panel), columns = panels_.columns(panel);
    const auto width = static_cast<std::size_t>(problem_.dst().w);
    for (std::size_t y = 0; y < kernel_; ++y)
      multiply({.src = rows + y * source_row_,
                .row_step = stride() * window_ / kernel_,
                .rows = width,
                .weights = weights + (channel * kernel_ + y * columns) * window_,
                .weight_step = columns,
                .depth = window_,
                .sums = sums,
                .sum_step = columns,
                .add = y > 0},
               panels_.registers(panel), best_);
    store_results({.sums = sums,
                   .sum_step = columns,
                   .rows = width,
                   .channels = panels_.channels(panel),
                   .bias = reinterpret_cast<const float*>(packed.bias.data()) + channel,
                   .then = then_,
                   .dst = dst + channel,
                   .dst_step = out_},
                  best_);
  }

  /// The source rows of results from row `first` on, with what lies outside the image as zeros.
  void copy_padded(const float* src, std::size_t image, std::size_t first, std::size_t count,
                   float* to) const {
    const shape4& s = problem_.src;
    const int right =
        (problem_.dst().w - 1) * problem_.stride + problem_.kernel - problem_.pad.left;
    const auto channels = static_cast<std::size_t>(s.c);
    const std::size_t before = static_cast<std::size_t>(problem_.pad.left) * channels;
    const std::size_t length = static_cast<std::size_t>(std::min(right, s.w)) * channels;
    for (std::size_t i = 0; i < count; ++i, to += source_row_) {
      const int y = static_cast<int>(first * stride() + i) - problem_.pad.top;
      if (y < 0 || y >= s.h) {
        std::fill_n(to, source_row_, 0.0f);
        continue;
      }
      const float* from =
          src + (image * static_cast<std::size_t>(s.h) + static_cast<std::size_t>(y)) *
                    static_cast<std::size_t>(s.w) * channels;
      std::fill_n(to, before, 0.0f);
      std::copy_n(from, length, to + before);
      std::fill(to + before + length, to + source_row_, 0.0f);
    }
  }

  conv_problem problem_;
  epilogue then_;
  isa best_;
  std::size_t workers_, out_, kernel_, window_, source_row_;
  panels panels_;
};

}  // namespace effnet::cpu
