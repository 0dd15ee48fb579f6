#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include <effnet/cuda/driven_device.hpp>
#include <effnet/cuda/gpu_backend.hpp>
#include <effnet/cuda/vendor_libraries.cuh>

#include "../../op_cases.hpp"

namespace effnet::testing {

/// The processor in the place of a device that has NVIDIA's libraries.
class stand_in_device : public cuda::driven_device {
 public:
  static constexpr std::string_view name() { return "stand-in"; }

  cudaStream_t stream() const { return nullptr; }
  std::optional<cuda::cublaslt_product> plan_product(const cuda::matrix_product& what) const {
    return libraries_->plan_product(what);
  }
#if EFFNET_CUDNN
  std::optional<cuda::cudnn_convolution> plan_convolution(
      const cuda::library_convolution& what) const {
    return libraries_->plan_convolution(what);
  }
#endif

 private:
  std::shared_ptr<cuda::vendor_libraries> libraries_ =
      std::make_shared<cuda::vendor_libraries>(nullptr);
};

using stand_in_backend = cuda::gpu_backend<stand_in_device>;

/// Libraries take what they can, however small; `depth`: from which one leaves activations to a
/// pass behind it.
constexpr cuda::gpu_options whenever_possible(int depth = 0) {
  return {.least_macs = 0, .channel_multiple = 1, .least_depth_before_pass = depth};
}

inline conv_problem square(int kernel, shape4 src, int out, int stride = 1,
                           padding_rule rule = padding_rule::symmetric) {
  return make_case("", src, out, kernel, stride, 1, rule).problem;
}

}  // namespace effnet::testing
