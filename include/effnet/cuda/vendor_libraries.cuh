#pragma once

#include <cuda_runtime_api.h>

#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include <effnet/cuda/cublaslt_product.cuh>
#if EFFNET_CUDNN
#include <effnet/cuda/cudnn_convolution.cuh>
#endif

namespace effnet::cuda {

/// NVIDIA's libraries on the current device and a stream on it; cuDNN where effnet is built with
/// EFFNET_CUDNN defined as 1. Each starts when the first op is planned for it: plans are made
/// outside of what a stream captures, and who wants no library waits for none.
class vendor_libraries {
 public:
  explicit vendor_libraries(std::shared_ptr<CUstream_st> stream) : stream_(std::move(stream)) {}

  std::optional<cublaslt_product> plan_product(const matrix_product& what) {
    const std::scoped_lock lock(starting_);
    if (!cublaslt_) cublaslt_.emplace();
    return cublaslt_product::plan(*cublaslt_, what);
  }
#if EFFNET_CUDNN
  std::optional<cudnn_convolution> plan_convolution(const library_convolution& what) {
    const std::scoped_lock lock(starting_);
    if (!cudnn_) cudnn_.emplace(stream_);
    return cudnn_convolution::plan(*cudnn_, what);
  }
#endif

 private:
  std::shared_ptr<CUstream_st> stream_;
  std::mutex starting_;
  std::optional<cublaslt_handle> cublaslt_;
#if EFFNET_CUDNN
  std::optional<cudnn_handle> cudnn_;
#endif
};

}  // namespace effnet::cuda
