#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include <effnet/cpu/convolution_backward.hpp>
#include <effnet/cpu/depthwise_backward_weights.hpp>

namespace effnet::cpu {

/// A planned gradient of a convolution by its weights, with the fastest kernel for it: the choice
/// is a function of the problem alone.
class weight_gradient {
 public:
  weight_gradient(const conv_problem& problem, bool bias) : problem_(problem) {
    if (bias || !has_depthwise_backward_weights(problem)) planned_.emplace(problem, bias);
  }

  std::size_t scratch_bytes() const { return planned_ ? planned_->scratch_bytes() : 0; }
  std::string_view implementation() const {
    return planned_ ? planned_->implementation() : "depthwise";
  }

  /// Overwrites `diff_oihw` and, where planned, `diff_bias` (one an output channel).
  void run(const float* src, const float* diff_dst, float* diff_oihw, float* diff_bias,
           std::byte* scratch) const {
    if (planned_)
      planned_->run(src, diff_dst, diff_oihw, diff_bias, scratch);
    else
      depthwise_backward_weights(problem_, src, diff_dst, diff_oihw);
  }

 private:
  conv_problem problem_;
  std::optional<convolution_backward_weights> planned_;
};

}  // namespace effnet::cpu
