#pragma once

/// The GPU backend: `effnet::cuda_backend`. Needs the CUDA Toolkit, and in one source file of the
/// program, which nvcc compiles, <effnet/cuda_kernels.cuh>.

#include <effnet/cuda/cuda_backend.cuh>
