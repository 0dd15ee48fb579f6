#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <memory_resource>

#include <effnet/cuda/check_cuda.cuh>

namespace effnet::cuda {

/// The processor's memory that the system never moves: devices copy from it on their own, whatever
/// thread asked for it. It is had in large pieces, for each takes long. Throws `backend_error`.
class pinned_memory : public std::pmr::memory_resource {
  void* do_allocate(std::size_t bytes, std::size_t) override {
    void* memory = nullptr;  // begins a page
    check_cuda(cudaHostAlloc(&memory, bytes, cudaHostAllocPortable),
               sentence("no room for ", bytes, " bytes of pinned memory"));
    return memory;
  }
  void do_deallocate(void* memory, std::size_t, std::size_t) override { cudaFreeHost(memory); }
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }
};

}  // namespace effnet::cuda
