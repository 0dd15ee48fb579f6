#pragma once

#include <cudnn.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include <effnet/core/error.hpp>
#include <effnet/cuda/library_convolution.hpp>

namespace effnet::cuda {

/// Throws `backend_error` unless `status` is success.
inline void check_cudnn(cudnnStatus_t status, std::string_view doing) {
  if (status == CUDNN_STATUS_SUCCESS) return;
  throw backend_error(sentence("cuDNN: ", doing, ": ", cudnnGetErrorString(status)));
}

/// cuDNN on the current device and a stream on it. Copies share it; threads take turns.
class cudnn_handle {
 public:
  /// Throws `backend_error` where the library cannot start.
  explicit cudnn_handle(std::shared_ptr<CUstream_st> stream)
      : opened_(std::make_shared<opened>(std::move(stream))) {}

  /// Calls `with(handle)` while no other thread does.
  template <class With>
  decltype(auto) use(const With& with) const {
    const std::scoped_lock lock(opened_->turn);
    return with(opened_->handle);
  }

 private:
  struct opened {
    explicit opened(std::shared_ptr<CUstream_st> on) : stream(std::move(on)) {
      check_cudnn(cudnnCreate(&handle),
                  "starting the library, which gpu_options{.libraries = false} does without");
      if (const cudnnStatus_t status = cudnnSetStream(handle, stream.get());
          status != CUDNN_STATUS_SUCCESS) {
        cudnnDestroy(handle);
        check_cudnn(status, "the stream");
      }
    }
    opened(const opened&) = delete;
    opened& operator=(const opened&) = delete;
    ~opened() { cudnnDestroy(handle); }

    std::shared_ptr<CUstream_st> stream;
    cudnnHandle_t handle = nullptr;
    std::mutex turn;
  };
  std::shared_ptr<opened> opened_;
};

/// A `library_convolution` that cuDNN runs, with the first algorithm that its heuristic names of
/// those which make the same bits every time and add up plain products: Winograd's and Fourier's
/// round otherwise.
/// https://docs.nvidia.com/deeplearning/cudnn/backend/latest/api/cudnn-cnn-library.html
class cudnn_convolution {
 public:
  static constexpr const char* name = "cudnn";
  /// What an algorithm may take of the stream's pool while it runs.
  static constexpr std::size_t most_workspace_bytes = std::size_t{64} << 20;

  /// Nothing where there is no algorithm. Throws `backend_error` for padding that is not the same
  /// on both sides, which cuDNN cannot say.
  static std::optional<cudnn_convolution> plan(cudnn_handle handle,
                                               const library_convolution& what) {
    const auto as = std::make_shared<description>(what);
    const std::optional<algorithm> found = handle.use([&](cudnnHandle_t on) {
      switch (what.of) {
        case library_convolution::part::forward:
          return choose<cudnnConvolutionFwdAlgoPerf_t>(
              *as, what,
              {CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM,
               CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM},
              [&](int most, int* count, auto* perf) {
                return cudnnGetConvolutionForwardAlgorithm_v7(on, as->src, as->filters, as->how,
                                                              as->dst, most, count, perf);
              },
              [&](cudnnConvolutionFwdAlgo_t algo, std::size_t* bytes) {
                return cudnnGetConvolutionForwardWorkspaceSize(on, as->src, as->filters, as->how,
                                                               as->dst, algo, bytes);
              });
        case library_convolution::part::data_gradient:
          return choose<cudnnConvolutionBwdDataAlgoPerf_t>(
              *as, what, {CUDNN_CONVOLUTION_BWD_DATA_ALGO_1},
              [&](int most, int* count, auto* perf) {
                return cudnnGetConvolutionBackwardDataAlgorithm_v7(
                    on, as->filters, as->dst, as->how, as->src, most, count, perf);
              },
              [&](cudnnConvolutionBwdDataAlgo_t algo, std::size_t* bytes) {
                return cudnnGetConvolutionBackwardDataWorkspaceSize(on, as->filters, as->dst,
                                                                    as->how, as->src, algo, bytes);
              });
        case library_convolution::part::weight_gradient:
          break;
      }
      return choose<cudnnConvolutionBwdFilterAlgoPerf_t>(
          *as, what, {CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1},
          [&](int most, int* count, auto* perf) {
            return cudnnGetConvolutionBackwardFilterAlgorithm_v7(on, as->src, as->dst, as->how,
                                                                 as->filters, most, count, perf);
          },
          [&](cudnnConvolutionBwdFilterAlgo_t algo, std::size_t* bytes) {
            return cudnnGetConvolutionBackwardFilterWorkspaceSize(on, as->src, as->dst, as->how,
                                                                  as->filters, algo, bytes);
          });
    });
    if (!found) return std::nullopt;
    return cudnn_convolution(std::move(handle), what, as, *found);
  }

  /// Throws `backend_error` for an address that is no multiple of 16, and where the library
  /// refuses.
  template <class D>
  void run(const D& on, const void* first, const void* second, void* result) const {
    for (const void* address : {first, second, static_cast<const void*>(result)})
      if (reinterpret_cast<std::uintptr_t>(address) % alignment != 0)
        throw backend_error(
            sentence("cuDNN: a tensor at an address that is no multiple of ", alignment, " bytes"));
    const typename D::temporary workspace(on, algorithm_.workspace_bytes);
    handle_.use([&](cudnnHandle_t handle) {
      check_cudnn(cudnnSetStream(handle, on.stream()), "the stream");  // a recording has its own
      check_cudnn(start(handle, first, second, result, workspace.data()), "a convolution");
    });
  }

 private:
  static constexpr unsigned alignment = 16;

  /// Destroys what cuDNN made of a description.
  template <auto Destroy>
  struct destroy {
    template <class T>
    void operator()(T* one) const {
      static_cast<void>(Destroy(one));
    }
  };
  template <class Descriptor, auto Destroy>
  class owned {
   public:
    template <class Create>
    explicit owned(Create create) {
      Descriptor made = nullptr;
      check_cudnn(create(&made), "a description");
      made_.reset(made);
    }
    operator Descriptor() const { return made_.get(); }

   private:
    std::unique_ptr<std::remove_pointer_t<Descriptor>, destroy<Destroy>> made_;
  };

  /// The convolution in cuDNN's terms.
  struct description {
    owned<cudnnTensorDescriptor_t, cudnnDestroyTensorDescriptor> src{cudnnCreateTensorDescriptor},
        dst{cudnnCreateTensorDescriptor};
    owned<cudnnFilterDescriptor_t, cudnnDestroyFilterDescriptor> filters{
        cudnnCreateFilterDescriptor};
    owned<cudnnConvolutionDescriptor_t, cudnnDestroyConvolutionDescriptor> how{
        cudnnCreateConvolutionDescriptor};

    explicit description(const library_convolution& what) {
      const conv_problem& p = what.problem;
      if (p.pad.top != p.pad.bottom || p.pad.left != p.pad.right || p.depthwise())
        throw backend_error("cuDNN: a convolution that is not dense, or not padded alike");
      const cudnnDataType_t type = type_of(what.numbers);
      tensor(src, type, p.src);
      tensor(dst, type, p.dst());
      check_cudnn(cudnnSetFilter4dDescriptor(filters, type, CUDNN_TENSOR_NHWC, p.out, p.src.c,
                                             p.kernel, p.kernel),
                  "filters");
      check_cudnn(cudnnSetConvolution2dDescriptor(how, p.pad.top, p.pad.left, p.stride, p.stride, 1,
                                                  1, CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT),
                  "a description");
      // The default rounds floats to TF32 where that is faster.
      math(what.numbers != dtype::f32 ? CUDNN_TENSOR_OP_MATH
           : what.tf32                ? CUDNN_DEFAULT_MATH
                                      : CUDNN_FMA_MATH);
    }
    void math(cudnnMathType_t type) const {
      check_cudnn(cudnnSetConvolutionMathType(how, type), "what is multiplied");
    }

   private:
    static void tensor(cudnnTensorDescriptor_t to, cudnnDataType_t type, const shape4& s) {
      check_cudnn(cudnnSetTensor4dDescriptor(to, CUDNN_TENSOR_NHWC, type, s.n, s.c, s.h, s.w),
                  "a tensor");
    }
    static cudnnDataType_t type_of(dtype type) {
      if (type == dtype::bf16) return CUDNN_DATA_BFLOAT16;
      if (type == dtype::f16) return CUDNN_DATA_HALF;
      return CUDNN_DATA_FLOAT;
    }
  };

  struct algorithm {
    int number;  ///< of the part's own enumeration
    std::size_t workspace_bytes;
  };

  /// `list(most, count, perf)` and `size(algorithm, bytes)` ask cuDNN.
  template <class Perf, class List, class Size>
  static std::optional<algorithm> choose(const description& as, const library_convolution& what,
                                         std::initializer_list<decltype(Perf::algo)> plain,
                                         const List& list, const Size& size) {
    std::array<Perf, 16> found{};
    int count = 0;
    const cudnnStatus_t status = list(static_cast<int>(found.size()), &count, found.data());
    if (is_unsupported(status)) return std::nullopt;
    check_cudnn(status, "looking for an algorithm");
    for (int i = 0; i < count; ++i) {
      const Perf& one = found[static_cast<std::size_t>(i)];
      if (one.status != CUDNN_STATUS_SUCCESS || one.determinism != CUDNN_DETERMINISTIC ||
          std::find(plain.begin(), plain.end(), one.algo) == plain.end() ||
          !allowed(one.mathType, what))
        continue;
      as.math(one.mathType);
      std::size_t bytes = 0;
      if (size(one.algo, &bytes) == CUDNN_STATUS_SUCCESS && bytes <= most_workspace_bytes)
        return algorithm{static_cast<int>(one.algo), bytes};
    }
    return std::nullopt;
  }
  static bool allowed(cudnnMathType_t type, const library_convolution& what) {
    if (what.numbers == dtype::f32 && !what.tf32) return type == CUDNN_FMA_MATH;
    return type != CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION;
  }
  /// Of cuDNN 9, the reasons of which are 3000 and what follows, and of those before.
  static bool is_unsupported(cudnnStatus_t status) {
    const int number = static_cast<int>(status);
    return status == CUDNN_STATUS_NOT_SUPPORTED || (number >= 3000 && number < 4000);
  }

  cudnn_convolution(cudnn_handle handle, const library_convolution& what,
                    std::shared_ptr<const description> as, const algorithm& found)
      : handle_(std::move(handle)),
        of_(what.of),
        keep_(what.add_result ? 1.0f : 0.0f),
        as_(std::move(as)),
        algorithm_(found) {}

  cudnnStatus_t start(cudnnHandle_t handle, const void* first, const void* second, void* result,
                      void* workspace) const {
    const float one = 1;
    const std::size_t bytes = algorithm_.workspace_bytes;
    switch (of_) {
      case library_convolution::part::forward:
        return cudnnConvolutionForward(handle, &one, as_->src, first, as_->filters, second,
                                       as_->how,
                                       static_cast<cudnnConvolutionFwdAlgo_t>(algorithm_.number),
                                       workspace, bytes, &keep_, as_->dst, result);
      case library_convolution::part::data_gradient:
        return cudnnConvolutionBackwardData(
            handle, &one, as_->filters, second, as_->dst, first, as_->how,
            static_cast<cudnnConvolutionBwdDataAlgo_t>(algorithm_.number), workspace, bytes, &keep_,
            as_->src, result);
      case library_convolution::part::weight_gradient:
        break;
    }
    return cudnnConvolutionBackwardFilter(
        handle, &one, as_->src, first, as_->dst, second, as_->how,
        static_cast<cudnnConvolutionBwdFilterAlgo_t>(algorithm_.number), workspace, bytes, &keep_,
        as_->filters, result);
  }

  cudnn_handle handle_;
  library_convolution::part of_;
  float keep_;  ///< beta
  std::shared_ptr<const description> as_;
  algorithm algorithm_;
};

}  // namespace effnet::cuda
