#pragma once

#include <thrust/system/cuda/execution_policy.h>

#include <effnet/cuda/cuda_device.cuh>
#include <effnet/cuda/launch.cuh>
#include <effnet/cuda/thrust_for_each.cuh>

/// What nvcc alone compiles of `cuda_device`. Not inlined: other source files call it.
namespace effnet::cuda {

template <class Function>
[[gnu::noinline, gnu::noclone]] void cuda_device::for_each_index(std::size_t count,
                                                                 const Function& function) const {
  thrust_for_each(thrust::cuda::par_nosync.on(stream()), count, function);
}

template <kernel K>
[[gnu::noinline, gnu::noclone]] void cuda_device::run(const K& k) const {
  check_cuda(launch(k, stream()), K::name);
}

}  // namespace effnet::cuda
