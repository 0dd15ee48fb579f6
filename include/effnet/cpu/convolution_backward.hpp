#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

#include <effnet/core/aligned_buffer.hpp>
#include <effnet/cpu/dnnl_primitive.hpp>
#include <effnet/cpu/packed_weights.hpp>
#include <effnet/cpu/parallel.hpp>

namespace effnet::cpu {

/// A planned gradient of a convolution by its source. As with `convolution`, two threads use two.
class convolution_backward_data {
 public:
  explicit convolution_backward_data(const conv_problem& problem)
      : primitive_(problem, detail::plan_backward_data(problem)),
        weights_(problem, primitive_.desc_of(DNNL_ARG_WEIGHTS)) {}

  std::size_t scratch_bytes() const { return primitive_.scratch_bytes(); }
  weight_layout layout() const {
    return {.kind = kernel_kind::direct, .direct = weights_.layout()};
  }
  std::string_view implementation() const { return primitive_.implementation(); }

  /// From OIHW, into the layout of this pass: it may differ from the forward pass's.
  packed_weights pack(const float* oihw) const {
    packed_weights packed{aligned_buffer(weights_.bytes()), {}};
    repack(oihw, packed);
    return packed;
  }
  /// The same into what `pack` made, without allocating.
  void repack(const float* oihw, packed_weights& packed) const {
    weights_.pack(oihw, packed.weights.data());
  }

  /// Overwrites `diff_src`.
  void run(const packed_weights& packed, const float* diff_dst, float* diff_src,
           std::byte* scratch) const {
    primitive_.run({diff_dst, packed.weights.data(), diff_src, scratch});
  }

 private:
  detail::planned_primitive<DNNL_ARG_DIFF_DST, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_SRC> primitive_;
  detail::weight_reorder weights_;
};

namespace detail {

/// A strided 1x1 reads every stride-th pixel: with those alone it is one of stride 1. oneDNN's own
/// way to that writes past its workspace where a source has few channels (its issue 6035, in 2.6
/// to 3.14).
inline conv_problem without_stride(conv_problem p) {
  if (p.kernel != 1 || p.stride == 1) return p;
  const shape4 d = p.dst();
  p.src.h = d.h, p.src.w = d.w, p.stride = 1;
  return p;
}

/// Copies the pixels that a strided 1x1 reads.
inline void gather_strided(const conv_problem& p, const float* src, float* to) {
  const shape4 d = p.dst();
  const auto channels = static_cast<std::size_t>(p.src.c), width = static_cast<std::size_t>(d.w);
  const auto stride = static_cast<std::size_t>(p.stride);
  const auto rows = static_cast<std::size_t>(d.n) * static_cast<std::size_t>(d.h);
  parallel_ranges(rows, width * channels, [&](std::size_t first, std::size_t last) {
    for (std::size_t row = first; row < last; ++row) {
      const std::size_t n = row / static_cast<std::size_t>(d.h),
                        y = row % static_cast<std::size_t>(d.h);
      const float* from = src + (n * static_cast<std::size_t>(p.src.h) + y * stride) *
                                    static_cast<std::size_t>(p.src.w) * channels;
      for (std::size_t x = 0; x < width; ++x)
        std::copy_n(from + x * stride * channels, channels, to + (row * width + x) * channels);
    }
  });
}

}  // namespace detail

/// A planned gradient of a convolution or fully connected layer by its weights, and by its bias
/// where it has one.
class convolution_backward_weights {
 public:
  convolution_backward_weights(const conv_problem& problem, bool bias)
      : asked_(problem),
        problem_(detail::without_stride(problem)),
        primitive_(problem_, detail::plan_backward_weights(problem_, bias)),
        weights_(problem_, primitive_.desc_of(DNNL_ARG_DIFF_WEIGHTS)) {}

  std::size_t scratch_bytes() const {
    return packed_bytes() + gathered_bytes() + primitive_.scratch_bytes();
  }
  std::string_view implementation() const { return primitive_.implementation(); }

  /// Overwrites `diff_oihw` and, where planned, `diff_bias` (one an output channel).
  void run(const float* src, const float* diff_dst, float* diff_oihw, float* diff_bias,
           std::byte* scratch) const {
    std::byte *packed = scratch, *gathered = packed + packed_bytes();
    std::byte* own_scratch = gathered + gathered_bytes();
    if (gathered_bytes() > 0) {
      detail::gather_strided(asked_, src, reinterpret_cast<float*>(gathered));
      src = reinterpret_cast<const float*>(gathered);
    }
    primitive_.run({src, diff_dst, packed, diff_bias, own_scratch});
    weights_.unpack(packed, diff_oihw);
  }

 private:
  std::size_t packed_bytes() const {
    return rounded_up(weights_.bytes(), aligned_buffer::alignment);
  }
  std::size_t gathered_bytes() const {
    return asked_ == problem_
               ? 0
               : rounded_up(problem_.src.elements() * sizeof(float), aligned_buffer::alignment);
  }

  conv_problem asked_, problem_;
  detail::planned_primitive<DNNL_ARG_SRC, DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_WEIGHTS,
                            DNNL_ARG_DIFF_BIAS>
      primitive_;  // without a bias oneDNN passes over that argument
  detail::weight_reorder weights_;
};

}  // namespace effnet::cpu
