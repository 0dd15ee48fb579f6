#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <effnet/core/error.hpp>
#include <effnet/cuda/check_cuda.cuh>
#include <effnet/cuda/cuda_upload_lane.cuh>
#include <effnet/cuda/device.hpp>
#include <effnet/cuda/device_graph.cuh>
#include <effnet/cuda/kernel.hpp>
#include <effnet/cuda/vendor_libraries.cuh>

namespace effnet::cuda {

/// Why no device can be used; "" where one can.
inline std::string why_no_device() {
  int devices = 0;
  const cudaError_t result = cudaGetDeviceCount(&devices);
  if (result == cudaErrorNoDevice || (result == cudaSuccess && devices == 0))
    return "no CUDA device";
  if (result != cudaSuccess) {
    cudaGetLastError();  // it would come back at the next call
    return sentence("no CUDA device (", cudaGetErrorString(result), ')');
  }
  return "";
}

/// Memory of the current device.
class device_buffer {
 public:
  device_buffer() = default;
  explicit device_buffer(std::size_t bytes) : bytes_(bytes) {
    if (bytes == 0) return;
    void* memory = nullptr;
    check_cuda(cudaMalloc(&memory, bytes), sentence("no room for ", bytes, " bytes"));
    memory_.reset(static_cast<std::byte*>(memory));
  }
  std::byte* data() const { return memory_.get(); }
  std::size_t bytes() const { return memory_ ? bytes_ : 0; }

 private:
  struct release {
    void operator()(std::byte* memory) const { cudaFree(memory); }
  };
  std::unique_ptr<std::byte, release> memory_;
  std::size_t bytes_ = 0;
};

/// A CUDA device and a stream on it, on which everything runs in the order of the calls. Copies
/// share the stream. Every C++ compiler takes it; what starts kernels is defined in
/// cuda_launches.cuh, which one source file of a program gives to nvcc.
class cuda_device {
 public:
  using buffer = device_buffer;
  using upload_lane = cuda_upload_lane;
  using graph = device_graph;

  /// From the device's pool, in the order of the stream: nothing waits. In a graph it is taken and
  /// given back by nodes of the graph.
  class temporary {
   public:
    temporary(const cuda_device& on, std::size_t bytes) : owner_(on.stream_), stream_(on.stream()) {
      if (bytes > 0)
        check_cuda(cudaMallocAsync(&memory_, bytes, stream_),
                   sentence("no room for ", bytes, " bytes"));
    }
    temporary(const temporary&) = delete;
    temporary& operator=(const temporary&) = delete;
    ~temporary() {
      if (memory_ != nullptr) cudaFreeAsync(memory_, stream_);
    }
    std::byte* data() const { return static_cast<std::byte*>(memory_); }

   private:
    std::shared_ptr<CUstream_st> owner_;
    cudaStream_t stream_;
    void* memory_ = nullptr;
  };

  /// Throws `backend_error` where there is no device.
  cuda_device() {
    if (const std::string why = why_no_device(); !why.empty()) throw backend_error(why);
    keep_freed_memory();
    cudaStream_t stream = nullptr;
    check_cuda(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "a stream");
    stream_ = std::shared_ptr<CUstream_st>(stream, [](cudaStream_t s) { cudaStreamDestroy(s); });
    libraries_ = std::make_shared<vendor_libraries>(stream_);
  }

  /// Where calls of this thread go: the device's stream, or that of a recording.
  cudaStream_t stream() const { return recording() ? redirection::now.to : stream_.get(); }

  static constexpr std::string_view name() { return "cuda"; }
  static constexpr bool host_memory = false;

  void upload(const float* host, float* memory, std::size_t bytes) const {
    // A graph would read the processor's memory at every replay.
    if (recording()) throw backend_error("CUDA: an upload cannot be recorded in a graph");
    copy(host, memory, bytes);
  }
  void download(const float* memory, float* host, std::size_t bytes) const {
    if (recording()) throw backend_error("CUDA: a download cannot be recorded in a graph");
    copy(memory, host, bytes);
    wait();
  }
  void copy(const float* from, float* to, std::size_t bytes) const {
    if (bytes == 0) return;
    check_cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, stream()), "a copy");
  }
  /// Throws `backend_error` where one of the calls since the last failed.
  void wait() const { check_cuda(cudaStreamSynchronize(stream()), "waiting for the device"); }
  void require(products of) const {
    if (of == products::fp32) return;
    int device = 0, major = 0, minor = 0;
    check_cuda(cudaGetDevice(&device), "the current device");
    check_cuda(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device),
               "the device's compute capability");
    check_cuda(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device),
               "the device's compute capability");
    if (major < 8)
      throw backend_error(sentence(name_of(of),
                                   " needs compute capability 8.0 or later; this device has ",
                                   major, '.', minor, ": leave it out"));
  }
  std::optional<cublaslt_product> plan_product(const matrix_product& what) const {
    return libraries_->plan_product(what);
  }
#if EFFNET_CUDNN
  std::optional<cudnn_convolution> plan_convolution(const library_convolution& what) const {
    return libraries_->plan_convolution(what);
  }
#endif
  template <class Function>
  void for_each_index(std::size_t count, const Function& function) const;
  template <kernel K>
  void run(const K& k) const;

  /// Throws what `body` throws, and `backend_error` where the device refuses; nothing is left of
  /// the recording then.
  template <class Body>
  graph record(const Body& body) const {
    graph_recorder recorder;
    const redirection here(stream_.get(), recorder.stream());
    body();
    return recorder.finish();
  }
  void replay(const graph& recorded) const {
    recorded.launch(stream_.get());
  }

 private:
  /// Sends what this thread asks of one stream to another. What other threads ask of it is none of
  /// the recording's: sessions of a network share a stream.
  class redirection {
   public:
    redirection(cudaStream_t from, cudaStream_t to) : before_(now) { now = {from, to}; }
    redirection(const redirection&) = delete;
    redirection& operator=(const redirection&) = delete;
    ~redirection() { now = before_; }

    struct streams {
      cudaStream_t from, to;
    };
    static inline thread_local streams now = {nullptr, nullptr};

   private:
    streams before_;
  };

  bool recording() const {
    return redirection::now.from == stream_.get();
  }

  /// The pool would hand everything back to the system whenever somebody waits for the device.
  static void keep_freed_memory() {
    int device = 0;
    cudaMemPool_t pool = nullptr;
    std::uint64_t all = std::numeric_limits<std::uint64_t>::max();
    check_cuda(cudaGetDevice(&device), "the current device");
    check_cuda(cudaDeviceGetDefaultMemPool(&pool, device), "the device's memory pool");
    check_cuda(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &all),
               "the device's memory pool");
  }

  std::shared_ptr<CUstream_st> stream_;
  std::shared_ptr<vendor_libraries> libraries_;
};

}  // namespace effnet::cuda
