#pragma once

#include <string>

#include <effnet/cuda/cuda_device.cuh>

/// What the current device is. All throw `backend_error` where there is none.
namespace effnet::cuda {

/// Such as "NVIDIA H100 80GB HBM3, compute capability 9.0".
inline std::string device_name() {
  int device = 0;
  cudaDeviceProp facts{};
  check_cuda(cudaGetDevice(&device), "the current device");
  check_cuda(cudaGetDeviceProperties(&facts, device), "the device's properties");
  return sentence(static_cast<const char*>(facts.name), ", compute capability ", facts.major, '.',
                  facts.minor);
}

/// Bytes that can still be taken.
inline std::size_t free_device_memory() {
  std::size_t free = 0, all = 0;
  check_cuda(cudaMemGetInfo(&free, &all), "the device's memory");
  return free;
}

/// Of the toolkit's runtime, such as "13.0".
inline std::string runtime_version() {
  int version = 0;
  check_cuda(cudaRuntimeGetVersion(&version), "the runtime's version");
  return sentence(version / 1000, '.', version % 1000 / 10);
}

}  // namespace effnet::cuda
