#pragma once

#include <effnet/backend/problems.hpp>
#include <effnet/core/dtype.hpp>

namespace effnet::cuda {

/// A dense convolution, or a gradient of it, as a device's library plans it. Maps are NHWC, filters
/// [out][taps][in], all of one type; sums are in fp32.
struct library_convolution {
  enum class part {
    forward,         ///< dst of src and filters
    data_gradient,   ///< diff_src of diff_dst and filters
    weight_gradient  ///< gradient of the filters of src and diff_dst
  };

  conv_problem problem;
  part of = part::forward;
  dtype numbers = dtype::f32;
  bool tf32 = false;        ///< floats may be rounded to TF32 before they are multiplied
  bool add_result = false;  ///< what stands in the result is added
};

}  // namespace effnet::cuda
