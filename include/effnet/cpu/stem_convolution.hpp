#pragma once

#include <omp.h>

#include <algorithm>
#include <cstddef>
#include <string_view>

#include <effnet/cpu/packed_weights.hpp>
#include <effnet/cpu/parallel.hpp>
#include <effnet/cpu/stem_kernel.hpp>

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
            static_cast<std::size_t>((problem.dst().w - 1) * problem.stride + problem.kernel)) {}

  std::size_t scratch_bytes() const {
    return workers_ * source_rows(rows_at_a_time) * source_row_ * sizeof(float);
  }
  weight_layout layout() const {
    return {.kind = kernel_kind::stem, .direct = {}, .block = static_cast<int>(block())};
  }
  std::string_view implementation() const {
    return best_ == isa::avx512 ? "stem_avx512"
           : best_ == isa::avx2 ? "stem_avx2"
                                : "stem_portable";
  }

  packed_weights pack(const float* oihw, const float* bias) const {
    packed_weights packed{
        aligned_buffer(rounded_up(out_, block() / 2) * kernel_ * window_ * sizeof(float)),
        aligned_buffer(out_ * sizeof(float))};
    repack(oihw, bias, packed);
    return packed;
  }
  /// [block][row][column][in][channels of the block]; a last block of at most one register is that
  /// wide.
  void repack(const float* oihw, const float* bias, packed_weights& packed) const {
    fill_bias(bias, out_, packed);
    auto* to = reinterpret_cast<float*>(packed.weights.data());
    const auto in = static_cast<std::size_t>(problem_.src.c), taps = kernel_ * kernel_;
    for (std::size_t channel = 0; channel < out_; channel += block()) {
      const std::size_t wide = out_ - channel > block() / 2 ? block() : block() / 2;
      for (std::size_t tap = 0; tap < taps; ++tap)
        for (std::size_t i = 0; i < in; ++i)
          for (std::size_t o = channel; o < channel + wide; ++o)
            *to++ = o < out_ ? oihw[(o * in + i) * taps + tap] : 0.0f;
    }
  }

  void forward(const packed_weights& packed, const float* src, float* dst,
               std::byte* scratch) const {
    const auto run = best_ == isa::avx512 ? detail::stem_avx512
                     : best_ == isa::avx2 ? detail::stem_avx2
                                          : detail::stem_portable;
    const auto* weights = reinterpret_cast<const float*>(packed.weights.data());
    const auto* bias = reinterpret_cast<const float*>(packed.bias.data());
    const shape4 d = problem_.dst();
    const auto height = static_cast<std::size_t>(d.h), width = static_cast<std::size_t>(d.w);
    const std::size_t parts = (height + rows_at_a_time - 1) / rows_at_a_time;
    parallel_items(static_cast<std::size_t>(d.n) * parts,
                   [&](std::size_t worker, std::size_t item) {
                     const std::size_t image = item / parts, first = item % parts * rows_at_a_time;
                     const std::size_t last = std::min(height, first + rows_at_a_time);
                     auto* rows = reinterpret_cast<float*>(scratch) +
                                  worker * source_rows(rows_at_a_time) * source_row_;
                     copy_padded(src, image, first, source_rows(last - first), rows);
                     for (std::size_t channel = 0; channel < out_; channel += block())
                       for (std::size_t y = first; y < last; ++y)
                         run({.src = rows + (y - first) * stride() * source_row_,
                              .source_row = source_row_,
                              .pixel = stride() * static_cast<std::size_t>(problem_.src.c),
                              .window = window_,
                              .kernel = kernel_,
                              .weights = weights + channel * kernel_ * window_,
                              .bias = bias + channel,
                              .dst = dst + (image * height + y) * width * out_ + channel,
                              .width = width,
                              .out = out_,
                              .block = std::min(block(), out_ - channel)},
                             then_);
                   });
  }

 private:
  static constexpr std::size_t rows_at_a_time = 8;  // of results

  std::size_t stride() const { return static_cast<std::size_t>(problem_.stride); }
  std::size_t source_rows(std::size_t results) const { return (results - 1) * stride() + kernel_; }
  std::size_t block() const {
    return 2 * (best_ == isa::avx512 ? lanes_of<floats16>
                : best_ == isa::avx2 ? lanes_of<floats8>
                                     : lanes_of<floats4>);
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
};

}  // namespace effnet::cpu
