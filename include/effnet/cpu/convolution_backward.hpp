#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include <effnet/core/aligned_buffer.hpp>
#include <effnet/cpu/dnnl.hpp>
#include <effnet/cpu/parallel.hpp>

namespace effnet::cpu {

/// A planned gradient of a convolution by its source. As with `convolution`, two threads use two.
class convolution_backward_data {
 public:
  explicit convolution_backward_data(const conv_problem& problem) : problem_(problem) {
    const auto plan = [&](auto make) {
      build(detail::planned("backward by data", problem, [&] { return make(problem); }));
    };
    if (problem.fully_connected())
      plan(detail::inner_product_backward_data);
    else
      plan(detail::convolution_backward_data);
  }

  std::size_t scratch_bytes() const { return scratch_bytes_; }
  std::string_view implementation() const { return implementation_; }

  /// From OIHW, into the layout of this pass: it may differ from the forward pass's.
  dnnl::memory pack(const float* oihw) const {
    dnnl::memory packed(layout_, onednn_engine());
    detail::reorder(
        dnnl::memory(detail::plain_weights(problem_), onednn_engine(), const_cast<float*>(oihw)),
        packed);
    return packed;
  }

  /// Overwrites `diff_src`.
  void run(const dnnl::memory& weights, const float* diff_dst, float* diff_src,
           std::byte* scratch) const {
    diff_dst_.set_data_handle(const_cast<float*>(diff_dst));
    diff_src_.set_data_handle(diff_src);
    scratch_.set_data_handle(scratch);
    const std::array<dnnl_exec_arg_t, 4> arguments{{{DNNL_ARG_DIFF_DST, diff_dst_.get()},
                                                    {DNNL_ARG_WEIGHTS, weights.get()},
                                                    {DNNL_ARG_DIFF_SRC, diff_src_.get()},
                                                    {DNNL_ARG_SCRATCHPAD, scratch_.get()}}};
    detail::run(primitive_, arguments, problem_);
  }

 private:
  template <class Description>
  void build(const Description& pd) {
    primitive_ = dnnl::primitive(pd.get());
    layout_ = pd.weights_desc();
    scratch_bytes_ = pd.scratchpad_desc().get_size();
    implementation_ = pd.impl_info_str();
    diff_src_ = detail::handle(pd.diff_src_desc());
    diff_dst_ = detail::handle(pd.diff_dst_desc());
    scratch_ = detail::handle(pd.scratchpad_desc());
  }

  conv_problem problem_;
  dnnl::primitive primitive_;
  dnnl::memory::desc layout_;
  std::size_t scratch_bytes_ = 0;
  std::string implementation_;
  mutable dnnl::memory diff_src_, diff_dst_, scratch_;
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

/// A planned gradient of a convolution or fully connected layer by its weights and bias. For
/// depthwise ones `depthwise_backward_weights` is faster.
class convolution_backward_weights {
 public:
  explicit convolution_backward_weights(const conv_problem& problem)
      : asked_(problem), problem_(detail::without_stride(problem)) {
    const auto plan = [&](auto make) {
      build(detail::planned("backward by weights", problem, [&] { return make(problem_); }));
    };
    if (problem.fully_connected())
      plan(detail::inner_product_backward_weights);
    else
      plan(detail::convolution_backward_weights);
  }

  std::size_t scratch_bytes() const { return packed_bytes_ + gathered_bytes() + scratch_bytes_; }
  std::string_view implementation() const { return implementation_; }

  /// Overwrites `diff_oihw` and `diff_bias` (one an output channel).
  void run(const float* src, const float* diff_dst, float* diff_oihw, float* diff_bias,
           std::byte* scratch) const {
    if (gathered_bytes() > 0) {
      auto* gathered = reinterpret_cast<float*>(scratch + packed_bytes_);
      detail::gather_strided(asked_, src, gathered);
      src = gathered;
    }
    src_.set_data_handle(const_cast<float*>(src));
    diff_dst_.set_data_handle(const_cast<float*>(diff_dst));
    weights_.set_data_handle(scratch);
    bias_.set_data_handle(diff_bias);
    scratch_.set_data_handle(scratch + packed_bytes_ + gathered_bytes());
    oihw_.set_data_handle(diff_oihw);
    const std::array<dnnl_exec_arg_t, 5> arguments{{{DNNL_ARG_SRC, src_.get()},
                                                    {DNNL_ARG_DIFF_DST, diff_dst_.get()},
                                                    {DNNL_ARG_DIFF_WEIGHTS, weights_.get()},
                                                    {DNNL_ARG_DIFF_BIAS, bias_.get()},
                                                    {DNNL_ARG_SCRATCHPAD, scratch_.get()}}};
    detail::run(primitive_, arguments, problem_);
    const std::array<dnnl_exec_arg_t, 2> unpacking{
        {{DNNL_ARG_FROM, weights_.get()}, {DNNL_ARG_TO, oihw_.get()}}};
    detail::run(unpack_, unpacking, problem_);
  }

 private:
  template <class Description>
  void build(const Description& pd) {
    primitive_ = dnnl::primitive(pd.get());
    scratch_bytes_ = pd.scratchpad_desc().get_size();
    implementation_ = pd.impl_info_str();
    src_ = detail::handle(pd.src_desc());
    diff_dst_ = detail::handle(pd.diff_dst_desc());
    weights_ = detail::handle(pd.diff_weights_desc());
    packed_bytes_ = aligned(pd.diff_weights_desc().get_size());
    bias_ = detail::handle(pd.diff_bias_desc());
    scratch_ = detail::handle(pd.scratchpad_desc());
    oihw_ = detail::handle(detail::plain_weights(problem_));
    unpack_ = dnnl::reorder(weights_, oihw_);
  }

  static std::size_t aligned(std::size_t bytes) {
    return (bytes + aligned_buffer::alignment - 1) / aligned_buffer::alignment *
           aligned_buffer::alignment;
  }
  std::size_t gathered_bytes() const {
    return asked_ == problem_ ? 0 : aligned(problem_.src.elements() * sizeof(float));
  }

  conv_problem asked_, problem_;
  dnnl::primitive primitive_, unpack_;
  std::size_t packed_bytes_ = 0, scratch_bytes_ = 0;
  std::string implementation_;
  mutable dnnl::memory src_, diff_dst_, weights_, bias_, scratch_, oihw_;
};

}  // namespace effnet::cpu
