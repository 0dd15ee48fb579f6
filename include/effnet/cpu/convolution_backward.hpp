#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <effnet/cpu/dnnl.hpp>

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

/// A planned gradient of a dense convolution or fully connected layer by its weights and bias.
/// (Depthwise ones have a kernel of their own: `depthwise_backward_weights`.)
class convolution_backward_weights {
 public:
  explicit convolution_backward_weights(const conv_problem& problem) : problem_(problem) {
    const auto plan = [&](auto make) {
      build(detail::planned("backward by weights", problem, [&] { return make(problem); }));
    };
    if (problem.fully_connected())
      plan(detail::inner_product_backward_weights);
    else
      plan(detail::convolution_backward_weights);
  }

  std::size_t scratch_bytes() const { return scratch_bytes_ + weights_.get_desc().get_size(); }
  std::string_view implementation() const { return implementation_; }

  /// Overwrites `diff_oihw` and `diff_bias` (one an output channel).
  void run(const float* src, const float* diff_dst, float* diff_oihw, float* diff_bias,
           std::byte* scratch) const {
    src_.set_data_handle(const_cast<float*>(src));
    diff_dst_.set_data_handle(const_cast<float*>(diff_dst));
    weights_.set_data_handle(scratch);
    bias_.set_data_handle(diff_bias);
    scratch_.set_data_handle(scratch + weights_.get_desc().get_size());
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
    bias_ = detail::handle(pd.diff_bias_desc());
    scratch_ = detail::handle(pd.scratchpad_desc());
    oihw_ = detail::handle(detail::plain_weights(problem_));
    unpack_ = dnnl::reorder(weights_, oihw_);
  }

  conv_problem problem_;
  dnnl::primitive primitive_, unpack_;
  std::size_t scratch_bytes_ = 0;
  std::string implementation_;
  mutable dnnl::memory src_, diff_dst_, weights_, bias_, scratch_, oihw_;
};

}  // namespace effnet::cpu
