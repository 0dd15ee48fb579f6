#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <memory>
#include <memory_resource>

#include <effnet/cuda/check_cuda.cuh>
#include <effnet/cuda/pinned_memory.cuh>

namespace effnet::cuda {

/// A stream for copies beside a device's own (`uploading_device`), with events between the two.
class cuda_upload_lane {
 public:
  template <class D>
  explicit cuda_upload_lane(const D&) {
    cudaStream_t stream = nullptr;
    check_cuda(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "a stream");
    stream_.reset(stream);
    cudaEvent_t event = nullptr;
    check_cuda(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "an event");
    event_.reset(event);
  }

  static std::pmr::memory_resource* host_memory() {
    static pinned_memory memory;
    return &memory;
  }
  void upload(const std::byte* host, std::byte* memory, std::size_t bytes) {
    if (bytes > 0)
      check_cuda(cudaMemcpyAsync(memory, host, bytes, cudaMemcpyHostToDevice, stream_.get()),
                 "an upload");
  }
  template <class D>
  void after(const D& on) {
    order(on.stream(), stream_.get());
  }
  template <class D>
  void before(const D& on) {
    order(stream_.get(), on.stream());
  }
  void wait() { check_cuda(cudaStreamSynchronize(stream_.get()), "waiting for uploads"); }

 private:
  struct release {
    void operator()(CUstream_st* stream) const {
      cudaStreamSynchronize(stream);  // what it copies from and to may go next
      cudaStreamDestroy(stream);
    }
    void operator()(CUevent_st* event) const { cudaEventDestroy(event); }
  };

  /// One event does for all: a wait is for what was recorded before it.
  void order(CUstream_st* first, CUstream_st* second) {
    check_cuda(cudaEventRecord(event_.get(), first), "an event");
    check_cuda(cudaStreamWaitEvent(second, event_.get(), 0), "waiting for an event");
  }

  std::unique_ptr<CUstream_st, release> stream_;
  std::unique_ptr<CUevent_st, release> event_;
};

}  // namespace effnet::cuda
