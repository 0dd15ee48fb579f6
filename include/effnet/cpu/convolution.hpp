#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <effnet/cpu/dnnl.hpp>

namespace effnet::cpu {

/// Weights in a kernel's own layout. Immutable, shared between sessions.
struct packed_weights {
  dnnl::memory weights, bias;
};

/// A planned convolution or fully connected layer. The memory handles in it are this plan's own:
/// two threads use two plans.
class convolution {
 public:
  convolution(const conv_problem& problem, const epilogue& then) : problem_(problem) {
    if (problem.fully_connected())
      build(detail::planned("forward", problem,
                            [&] { return detail::inner_product(problem, then); }));
    else
      build(
          detail::planned("forward", problem, [&] { return detail::convolution(problem, then); }));
  }

  std::size_t scratch_bytes() const { return scratch_bytes_; }
  const dnnl::memory::desc& layout() const { return layout_; }
  std::string_view implementation() const { return implementation_; }

  /// From OIHW (depthwise C,1,k,k; fully connected out,in) and one bias an output channel.
  packed_weights pack(const float* oihw, const float* bias) const {
    using tag = dnnl::memory::format_tag;
    packed_weights packed{dnnl::memory(layout_, onednn_engine()),
                          dnnl::memory(detail::plain({problem_.out}, tag::x), onednn_engine())};
    detail::reorder(
        dnnl::memory(detail::plain_weights(problem_), onednn_engine(), const_cast<float*>(oihw)),
        packed.weights);
    auto* to = static_cast<float*>(packed.bias.get_data_handle());
    for (int o = 0; o < problem_.out; ++o) to[o] = bias != nullptr ? bias[o] : 0.0f;
    return packed;
  }

  void forward(const packed_weights& packed, const float* src, float* dst,
               std::byte* scratch) const {
    src_.set_data_handle(const_cast<float*>(src));
    dst_.set_data_handle(dst);
    scratch_.set_data_handle(scratch);
    const std::array<dnnl_exec_arg_t, 5> arguments{{{DNNL_ARG_SRC, src_.get()},
                                                    {DNNL_ARG_WEIGHTS, packed.weights.get()},
                                                    {DNNL_ARG_BIAS, packed.bias.get()},
                                                    {DNNL_ARG_DST, dst_.get()},
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
    src_ = detail::handle(pd.src_desc());
    dst_ = detail::handle(pd.dst_desc());
    scratch_ = detail::handle(pd.scratchpad_desc());
  }

  conv_problem problem_;
  dnnl::primitive primitive_;
  dnnl::memory::desc layout_;
  std::size_t scratch_bytes_ = 0;
  std::string implementation_;
  mutable dnnl::memory src_, dst_, scratch_;
};

}  // namespace effnet::cpu
