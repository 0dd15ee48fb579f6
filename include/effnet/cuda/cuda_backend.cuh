#pragma once

#include <effnet/cuda/cuda_device.cuh>
#include <effnet/cuda/gpu_backend.hpp>

namespace effnet {

/// Inference and training on a CUDA device.
using cuda_backend = cuda::gpu_backend<cuda::cuda_device>;

static_assert(training_backend<cuda_backend>);

}  // namespace effnet
