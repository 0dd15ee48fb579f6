#pragma once

#include <mutex>
#include <optional>

#include <effnet/cuda/cublaslt_product.cuh>

namespace effnet::cuda {

/// NVIDIA's libraries on the current device. Each starts when the first op is planned for it:
/// plans are made outside of what a stream captures, and who wants no library waits for none.
class vendor_libraries {
 public:
  std::optional<cublaslt_product> plan_product(const matrix_product& what) {
    const std::scoped_lock lock(starting_);
    if (!cublaslt_) cublaslt_.emplace();
    return cublaslt_product::plan(*cublaslt_, what);
  }

 private:
  std::mutex starting_;
  std::optional<cublaslt_handle> cublaslt_;
};

}  // namespace effnet::cuda
