#pragma once

#include <cuda_runtime_api.h>

#include <string_view>

#include <effnet/core/error.hpp>

namespace effnet::cuda {

/// Throws `backend_error` unless `result` is success.
inline void check_cuda(cudaError_t result, std::string_view doing) {
  if (result == cudaSuccess) return;
  throw backend_error(sentence("CUDA: ", doing, ": ", cudaGetErrorString(result)));
}

}  // namespace effnet::cuda
