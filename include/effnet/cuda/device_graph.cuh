#pragma once

#include <cuda_runtime_api.h>

#include <memory>

#include <effnet/cuda/check_cuda.cuh>

namespace effnet::cuda {

/// Kernels, copies and temporary memory that start with one call. A graph that is destroyed while
/// it runs still ends.
class device_graph {
 public:
  explicit device_graph(cudaGraph_t recorded) {
    cudaGraphExec_t ready = nullptr;
    check_cuda(cudaGraphInstantiate(&ready, recorded, 0), "making a graph of what was recorded");
    ready_.reset(ready);
  }

  void launch(cudaStream_t stream) const {
    check_cuda(cudaGraphLaunch(ready_.get(), stream), "a graph");
  }

 private:
  struct release {
    void operator()(cudaGraphExec_t ready) const { cudaGraphExecDestroy(ready); }
  };
  std::unique_ptr<CUgraphExec_st, release> ready_;
};

/// A stream that runs nothing: what is asked of it becomes a graph. It is one of its own, so that
/// the device goes on with what others ask of it. Only the thread that made it may use it, and must
/// not call what waits for the device (`cudaStreamCaptureModeThreadLocal`).
class graph_recorder {
 public:
  graph_recorder() {
    cudaStream_t stream = nullptr;
    check_cuda(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "a stream");
    stream_.reset(stream);
    check_cuda(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal),
               "recording a graph");
    recording_ = true;
  }
  graph_recorder(const graph_recorder&) = delete;
  graph_recorder& operator=(const graph_recorder&) = delete;
  /// Ends a recording that was not finished, which would keep this thread from other calls.
  ~graph_recorder() {
    cudaGraph_t recorded = nullptr;
    if (!recording_) return;
    cudaStreamEndCapture(stream_.get(), &recorded);
    if (recorded != nullptr) cudaGraphDestroy(recorded);
    cudaGetLastError();  // it would come back at the next launch
  }

  cudaStream_t stream() const { return stream_.get(); }

  device_graph finish() {
    cudaGraph_t recorded = nullptr;
    recording_ = false;
    const cudaError_t result = cudaStreamEndCapture(stream_.get(), &recorded);
    const std::unique_ptr<CUgraph_st, destroy_graph> owner(recorded);
    if (result != cudaSuccess) cudaGetLastError();
    check_cuda(result, "recording a graph");
    return device_graph(recorded);
  }

 private:
  struct destroy_stream {
    void operator()(cudaStream_t stream) const { cudaStreamDestroy(stream); }
  };
  struct destroy_graph {
    void operator()(cudaGraph_t graph) const { cudaGraphDestroy(graph); }
  };
  std::unique_ptr<CUstream_st, destroy_stream> stream_;
  bool recording_ = false;
};

}  // namespace effnet::cuda
