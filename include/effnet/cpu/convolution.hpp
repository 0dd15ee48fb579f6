#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

#include <effnet/cpu/dnnl_primitive.hpp>

namespace effnet::cpu {

/// Weights in a kernel's own layout. Shared between sessions, which never change them.
struct packed_weights {
  dnnl::memory weights, bias;
};

/// A planned convolution or fully connected layer. The memory handles in it are this plan's own:
/// two threads use two plans.
class convolution {
 public:
  convolution(const conv_problem& problem, const epilogue& then)
      : out_(static_cast<std::size_t>(problem.out)),
        primitive_(problem, detail::plan_forward(problem, then)),
        weights_(problem, primitive_.desc_of(DNNL_ARG_WEIGHTS)) {}

  std::size_t scratch_bytes() const { return primitive_.scratch_bytes(); }
  const dnnl::memory::desc& layout() const { return weights_.layout(); }
  std::string_view implementation() const { return primitive_.implementation(); }

  /// From OIHW (depthwise C,1,k,k; fully connected out,in) and one bias an output channel.
  packed_weights pack(const float* oihw, const float* bias) const {
    packed_weights packed{dnnl::memory(layout(), onednn_engine()),
                          dnnl::memory(primitive_.desc_of(DNNL_ARG_BIAS), onednn_engine())};
    repack(oihw, bias, packed);
    return packed;
  }
  /// The same into what `pack` made, without allocating.
  void repack(const float* oihw, const float* bias, packed_weights& packed) const {
    weights_.pack(oihw, packed.weights.get_data_handle());
    auto* to = static_cast<float*>(packed.bias.get_data_handle());
    if (bias != nullptr)
      std::copy_n(bias, out_, to);
    else
      std::fill_n(to, out_, 0.0f);
  }

  void forward(const packed_weights& packed, const float* src, float* dst,
               std::byte* scratch) const {
    primitive_.run(
        {src, packed.weights.get_data_handle(), packed.bias.get_data_handle(), dst, scratch});
  }

 private:
  std::size_t out_;
  detail::planned_primitive<DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_BIAS, DNNL_ARG_DST> primitive_;
  detail::weight_reorder weights_;
};

}  // namespace effnet::cpu
