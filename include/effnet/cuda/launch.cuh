#pragma once

#include <cuda_runtime.h>

#include <effnet/cuda/kernel.hpp>

namespace effnet::cuda {

namespace detail {

template <kernel K>
__global__ void __launch_bounds__(K::most_threads) run_kernel(const __grid_constant__ K k) {
  extern __shared__ float4 memory[];
  const thread_place at{.grid = {gridDim.x, gridDim.y, gridDim.z},
                        .block = {blockDim.x, blockDim.y, blockDim.z},
                        .in_grid = {blockIdx.x, blockIdx.y, blockIdx.z},
                        .in_block = {threadIdx.x, threadIdx.y, threadIdx.z}};
  const shared_memory shared(reinterpret_cast<float*>(memory));
  typename K::registers own{};
  const int phases = k.phases();
  for (int phase = 0; phase < phases; ++phase) {
    if (phase > 0) __syncthreads();
    k.run(phase, at, own, shared);
    if constexpr (warp_kernel<K>) k.run_warp(phase, warp<typename K::registers>(at, own), shared);
  }
}

}  // namespace detail

/// Starts a kernel on `stream`. Returns what CUDA says of the start; faults of the run come later.
template <kernel K>
cudaError_t launch(const K& k, cudaStream_t stream) {
  const launch_shape s = k.shape();
  detail::run_kernel<K><<<dim3(s.grid.x, s.grid.y, s.grid.z), dim3(s.block.x, s.block.y, s.block.z),
                          s.shared_bytes, stream>>>(k);
  return cudaGetLastError();
}

}  // namespace effnet::cuda
