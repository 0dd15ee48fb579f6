#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include <effnet/cuda/driven_device.hpp>
#include <effnet/cuda/gpu_backend.hpp>
#include <effnet/cuda/vendor_libraries.cuh>

namespace effnet::testing {

/// The processor in the place of a device that has NVIDIA's libraries.
class stand_in_device : public cuda::driven_device {
 public:
  static constexpr std::string_view name() { return "stand-in"; }

  cudaStream_t stream() const { return nullptr; }
  std::optional<cuda::cublaslt_product> plan_product(const cuda::matrix_product& what) const {
    return libraries_->plan_product(what);
  }

 private:
  std::shared_ptr<cuda::vendor_libraries> libraries_ = std::make_shared<cuda::vendor_libraries>();
};

}  // namespace effnet::testing
