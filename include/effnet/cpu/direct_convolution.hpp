#pragma once

#include <cstddef>
#include <string_view>

#include <effnet/cpu/dnnl_primitive.hpp>
#include <effnet/cpu/packed_weights.hpp>

namespace effnet::cpu {

/// A convolution or fully connected layer on oneDNN's kernels.
class direct_convolution {
 public:
  direct_convolution(const conv_problem& problem, const epilogue& then)
      : out_(static_cast<std::size_t>(problem.out)),
        primitive_(problem, detail::plan_forward(problem, then)),
        weights_(problem, primitive_.desc_of(DNNL_ARG_WEIGHTS)) {}

  std::size_t scratch_bytes() const { return primitive_.scratch_bytes(); }
  weight_layout layout() const {
    return {.kind = kernel_kind::direct, .direct = weights_.layout()};
  }
  std::string_view implementation() const { return primitive_.implementation(); }
  static std::string_view reason() { return "oneDNN: no own kernel is faster"; }

  packed_weights pack(const float* oihw, const float* bias) const {
    packed_weights packed{aligned_buffer(weights_.bytes()), aligned_buffer(out_ * sizeof(float))};
    repack(oihw, bias, packed);
    return packed;
  }
  void repack(const float* oihw, const float* bias, packed_weights& packed) const {
    weights_.pack(oihw, packed.weights.data());
    fill_bias(bias, out_, packed);
  }

  void forward(const packed_weights& packed, const float* src, float* dst,
               std::byte* scratch) const {
    primitive_.run({src, packed.weights.data(), packed.bias.data(), dst, scratch});
  }

 private:
  std::size_t out_;
  detail::planned_primitive<DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_BIAS, DNNL_ARG_DST> primitive_;
  detail::weight_reorder weights_;
};

}  // namespace effnet::cpu
