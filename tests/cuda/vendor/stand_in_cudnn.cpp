#include <cudnn.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include <effnet/math/rounding.hpp>

#include "stand_in.hpp"

// https://docs.nvidia.com/deeplearning/cudnn/backend/latest/api/cudnn-cnn-library.html
namespace {
using namespace effnet::testing::stand_in;

cudnnStatus_t refuse(cudnnStatus_t status, const char* what) {
  library.refused = what;
  return status;
}
std::optional<number> number_of(cudnnDataType_t type) {
  if (type == CUDNN_DATA_FLOAT) return number::f32;
  if (type == CUDNN_DATA_BFLOAT16) return number::bf16;
  if (type == CUDNN_DATA_HALF) return number::f16;
  return std::nullopt;
}
}  // namespace

struct cudnnContext {};
struct cudnnTensorStruct {
  bool set = false;
  cudnnDataType_t type = CUDNN_DATA_DOUBLE;
  int n = 0, c = 0, h = 0, w = 0;
};
struct cudnnFilterStruct {
  bool set = false;
  cudnnDataType_t type = CUDNN_DATA_DOUBLE;
  int k = 0, c = 0, h = 0, w = 0;
};
struct cudnnConvolutionStruct {
  bool set = false;
  int pad_h = 0, pad_w = 0, stride_h = 0, stride_w = 0;
  cudnnMathType_t math = CUDNN_DEFAULT_MATH;
};

namespace {

/// All three descriptions of a call, whichever it is.
struct call {
  const cudnnTensorStruct& x;
  const cudnnTensorStruct& y;
  const cudnnFilterStruct& w;
  const cudnnConvolutionStruct& how;

  cudnnStatus_t check() const {
    if (!x.set || !y.set || !w.set || !how.set)
      return refuse(CUDNN_STATUS_BAD_PARAM, "a description that was not filled in");
    if (x.type != y.type || x.type != w.type)
      return refuse(CUDNN_STATUS_NOT_SUPPORTED, "types that differ");
    if (x.c != w.c || y.c != w.k || x.n != y.n ||
        y.h != 1 + (x.h + 2 * how.pad_h - w.h) / how.stride_h ||
        y.w != 1 + (x.w + 2 * how.pad_w - w.w) / how.stride_w)
      return refuse(CUDNN_STATUS_BAD_PARAM, "extents that do not fit");
    return CUDNN_STATUS_SUCCESS;
  }
  number type() const { return *number_of(x.type); }
  float taken(const void* from, std::size_t i) const {
    const float value = load(type(), from, i);
    return type() == number::f32 && how.math != CUDNN_FMA_MATH ? effnet::math::tf32_rounded(value)
                                                               : value;
  }
  static std::size_t at(const cudnnTensorStruct& t, int n, int h, int w, int c) {
    return ((static_cast<std::size_t>(n) * static_cast<std::size_t>(t.h) +
             static_cast<std::size_t>(h)) *
                static_cast<std::size_t>(t.w) +
            static_cast<std::size_t>(w)) *
               static_cast<std::size_t>(t.c) +
           static_cast<std::size_t>(c);
  }
  std::size_t filter_at(int k, int h, int w_, int c) const {
    return ((static_cast<std::size_t>(k) * static_cast<std::size_t>(w.h) +
             static_cast<std::size_t>(h)) *
                static_cast<std::size_t>(w.w) +
            static_cast<std::size_t>(w_)) *
               static_cast<std::size_t>(w.c) +
           static_cast<std::size_t>(c);
  }
  /// Calls `with(image, place of the result, place of the source, tap)` for all that lie inside.
  template <class With>
  void each(const With& with) const {
    for (int n = 0; n < y.n; ++n)
      for (int p = 0; p < y.h; ++p)
        for (int q = 0; q < y.w; ++q)
          for (int r = 0; r < w.h; ++r)
            for (int s = 0; s < w.w; ++s) {
              const int h = p * how.stride_h - how.pad_h + r, v = q * how.stride_w - how.pad_w + s;
              if (h < 0 || h >= x.h || v < 0 || v >= x.w) continue;
              for (int c = 0; c < x.c; ++c)
                for (int k = 0; k < y.c; ++k)
                  with(at(x, n, h, v, c), at(y, n, p, q, k), filter_at(k, r, s, c));
            }
  }
  std::size_t elements(const cudnnTensorStruct& t) const {
    return at(t, t.n - 1, t.h - 1, t.w - 1, t.c - 1) + 1;
  }

  /// result = alpha * sums + beta * result. `add(sums)` adds up in fp32.
  template <class Add>
  cudnnStatus_t run(const void* alpha, const void* beta, void* result, std::size_t count,
                    void* workspace, std::size_t bytes, const Add& add) const {
    if (const cudnnStatus_t status = check(); status != CUDNN_STATUS_SUCCESS) return status;
    if (bytes < library.workspace || workspace == nullptr)
      return refuse(CUDNN_STATUS_BAD_PARAM, "a workspace");
    spoil(workspace, library.workspace);
    std::vector<float> sums(count);
    add(sums);
    const float scale = *static_cast<const float*>(alpha), keep = *static_cast<const float*>(beta);
    for (std::size_t i = 0; i < count; ++i)
      store(type(), result, i,
            scale * sums[i] + (keep != 0 ? keep * load(type(), result, i) : 0.0f));
    ++library.convolutions;
    return CUDNN_STATUS_SUCCESS;
  }

  /// Those that nobody may take come first: one that depends on who is first, one that transforms,
  /// one that rounds to TF32 what is asked for in fp32.
  template <class Perf, class Algorithm>
  cudnnStatus_t list(Algorithm unordered, Algorithm transformed, Algorithm plain, int most,
                     int* count, Perf* found) const {
    *count = 0;
    if (const cudnnStatus_t status = check(); status != CUDNN_STATUS_SUCCESS) return status;
    if (library.no_algorithm) return refuse(CUDNN_STATUS_NOT_SUPPORTED, "no algorithm");
    if (most < 5) return refuse(CUDNN_STATUS_BAD_PARAM, "room for algorithms");
    const auto one = [&](Algorithm algo, cudnnStatus_t status, cudnnDeterminism_t determinism,
                         cudnnMathType_t math) {
      found[*count] = {};
      found[*count].algo = algo;
      found[*count].status = status;
      found[*count].determinism = determinism;
      found[*count].mathType = math;
      ++*count;
    };
    one(unordered, CUDNN_STATUS_SUCCESS, CUDNN_NON_DETERMINISTIC, how.math);
    one(transformed, CUDNN_STATUS_SUCCESS, CUDNN_DETERMINISTIC, how.math);
    one(plain, CUDNN_STATUS_NOT_SUPPORTED, CUDNN_DETERMINISTIC, how.math);
    if (type() == number::f32 && how.math == CUDNN_FMA_MATH)
      one(plain, CUDNN_STATUS_SUCCESS, CUDNN_DETERMINISTIC, CUDNN_TENSOR_OP_MATH);
    one(plain, CUDNN_STATUS_SUCCESS, CUDNN_DETERMINISTIC, how.math);
    return CUDNN_STATUS_SUCCESS;
  }
};

template <class T>
cudnnStatus_t create(T** made) {
  *made = new T;
  ++library.descriptions;
  return CUDNN_STATUS_SUCCESS;
}
template <class T>
cudnnStatus_t destroy(T* made) {
  delete made;
  --library.descriptions;
  return CUDNN_STATUS_SUCCESS;
}
/// Of every algorithm: which one may be taken shows when it runs.
cudnnStatus_t workspace_of(std::size_t* bytes) {
  *bytes = library.workspace;
  return CUDNN_STATUS_SUCCESS;
}

}  // namespace

extern "C" {

cudnnStatus_t cudnnCreate(cudnnHandle_t* handle) {
  return create(handle);
}
cudnnStatus_t cudnnDestroy(cudnnHandle_t handle) {
  return destroy(handle);
}
cudnnStatus_t cudnnSetStream(cudnnHandle_t, cudaStream_t) {
  return CUDNN_STATUS_SUCCESS;
}
const char* cudnnGetErrorString(cudnnStatus_t) {
  return library.refused.c_str();
}
cudnnStatus_t cudnnCreateTensorDescriptor(cudnnTensorDescriptor_t* made) {
  return create(made);
}
cudnnStatus_t cudnnDestroyTensorDescriptor(cudnnTensorDescriptor_t made) {
  return destroy(made);
}
cudnnStatus_t cudnnCreateFilterDescriptor(cudnnFilterDescriptor_t* made) {
  return create(made);
}
cudnnStatus_t cudnnDestroyFilterDescriptor(cudnnFilterDescriptor_t made) {
  return destroy(made);
}
cudnnStatus_t cudnnCreateConvolutionDescriptor(cudnnConvolutionDescriptor_t* made) {
  return create(made);
}
cudnnStatus_t cudnnDestroyConvolutionDescriptor(cudnnConvolutionDescriptor_t made) {
  return destroy(made);
}

cudnnStatus_t cudnnSetTensor4dDescriptor(cudnnTensorDescriptor_t to, cudnnTensorFormat_t format,
                                         cudnnDataType_t type, int n, int c, int h, int w) {
  if (format != CUDNN_TENSOR_NHWC || !number_of(type) || n < 1 || c < 1 || h < 1 || w < 1)
    return refuse(CUDNN_STATUS_NOT_SUPPORTED, "a tensor");
  *to = {true, type, n, c, h, w};
  return CUDNN_STATUS_SUCCESS;
}
/// Of NHWC they are K, height, width, C.
cudnnStatus_t cudnnSetFilter4dDescriptor(cudnnFilterDescriptor_t to, cudnnDataType_t type,
                                         cudnnTensorFormat_t format, int k, int c, int h, int w) {
  if (format != CUDNN_TENSOR_NHWC || !number_of(type) || k < 1 || c < 1 || h < 1 || w < 1)
    return refuse(CUDNN_STATUS_NOT_SUPPORTED, "filters");
  *to = {true, type, k, c, h, w};
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnSetConvolution2dDescriptor(cudnnConvolutionDescriptor_t to, int pad_h, int pad_w,
                                              int stride_h, int stride_w, int dilation_h,
                                              int dilation_w, cudnnConvolutionMode_t mode,
                                              cudnnDataType_t compute) {
  if (mode != CUDNN_CROSS_CORRELATION || compute != CUDNN_DATA_FLOAT || dilation_h != 1 ||
      dilation_w != 1 || pad_h < 0 || pad_w < 0 || stride_h < 1 || stride_w < 1)
    return refuse(CUDNN_STATUS_NOT_SUPPORTED, "a convolution");
  *to = {true, pad_h, pad_w, stride_h, stride_w, CUDNN_DEFAULT_MATH};
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnSetConvolutionMathType(cudnnConvolutionDescriptor_t to, cudnnMathType_t math) {
  if (!to->set) return refuse(CUDNN_STATUS_BAD_PARAM, "a description that was not filled in");
  to->math = math;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnGetConvolutionForwardAlgorithm_v7(cudnnHandle_t, const cudnnTensorDescriptor_t x,
                                                     const cudnnFilterDescriptor_t w,
                                                     const cudnnConvolutionDescriptor_t how,
                                                     const cudnnTensorDescriptor_t y,
                                                     const int most, int* count,
                                                     cudnnConvolutionFwdAlgoPerf_t* found) {
  return call{*x, *y, *w, *how}.list(
      CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM, CUDNN_CONVOLUTION_FWD_ALGO_WINOGRAD_NONFUSED,
      CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM, most, count, found);
}
cudnnStatus_t cudnnGetConvolutionForwardWorkspaceSize(cudnnHandle_t, const cudnnTensorDescriptor_t,
                                                      const cudnnFilterDescriptor_t,
                                                      const cudnnConvolutionDescriptor_t,
                                                      const cudnnTensorDescriptor_t,
                                                      cudnnConvolutionFwdAlgo_t, size_t* bytes) {
  return workspace_of(bytes);
}
cudnnStatus_t cudnnConvolutionForward(cudnnHandle_t, const void* alpha,
                                      const cudnnTensorDescriptor_t x, const void* src,
                                      const cudnnFilterDescriptor_t w, const void* filters,
                                      const cudnnConvolutionDescriptor_t how,
                                      cudnnConvolutionFwdAlgo_t algorithm, void* workspace,
                                      size_t bytes, const void* beta,
                                      const cudnnTensorDescriptor_t y, void* dst) {
  if (algorithm != CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM)
    return refuse(CUDNN_STATUS_NOT_SUPPORTED, "an algorithm");
  const call asked{*x, *y, *w, *how};
  return asked.run(alpha, beta, dst, asked.elements(*y), workspace, bytes,
                   [&](std::vector<float>& sums) {
                     asked.each([&](std::size_t from, std::size_t to, std::size_t tap) {
                       sums[to] += asked.taken(src, from) * asked.taken(filters, tap);
                     });
                   });
}

cudnnStatus_t cudnnGetConvolutionBackwardDataAlgorithm_v7(
    cudnnHandle_t, const cudnnFilterDescriptor_t w, const cudnnTensorDescriptor_t y,
    const cudnnConvolutionDescriptor_t how, const cudnnTensorDescriptor_t x, const int most,
    int* count, cudnnConvolutionBwdDataAlgoPerf_t* found) {
  return call{*x, *y, *w, *how}.list(CUDNN_CONVOLUTION_BWD_DATA_ALGO_0,
                                     CUDNN_CONVOLUTION_BWD_DATA_ALGO_WINOGRAD_NONFUSED,
                                     CUDNN_CONVOLUTION_BWD_DATA_ALGO_1, most, count, found);
}
cudnnStatus_t cudnnGetConvolutionBackwardDataWorkspaceSize(
    cudnnHandle_t, const cudnnFilterDescriptor_t, const cudnnTensorDescriptor_t,
    const cudnnConvolutionDescriptor_t, const cudnnTensorDescriptor_t,
    cudnnConvolutionBwdDataAlgo_t, size_t* bytes) {
  return workspace_of(bytes);
}
cudnnStatus_t cudnnConvolutionBackwardData(cudnnHandle_t, const void* alpha,
                                           const cudnnFilterDescriptor_t w, const void* filters,
                                           const cudnnTensorDescriptor_t y, const void* diff_dst,
                                           const cudnnConvolutionDescriptor_t how,
                                           cudnnConvolutionBwdDataAlgo_t algorithm, void* workspace,
                                           size_t bytes, const void* beta,
                                           const cudnnTensorDescriptor_t x, void* diff_src) {
  if (algorithm != CUDNN_CONVOLUTION_BWD_DATA_ALGO_1)
    return refuse(CUDNN_STATUS_NOT_SUPPORTED, "an algorithm");
  const call asked{*x, *y, *w, *how};
  return asked.run(alpha, beta, diff_src, asked.elements(*x), workspace, bytes,
                   [&](std::vector<float>& sums) {
                     asked.each([&](std::size_t to, std::size_t from, std::size_t tap) {
                       sums[to] += asked.taken(diff_dst, from) * asked.taken(filters, tap);
                     });
                   });
}

cudnnStatus_t cudnnGetConvolutionBackwardFilterAlgorithm_v7(
    cudnnHandle_t, const cudnnTensorDescriptor_t x, const cudnnTensorDescriptor_t y,
    const cudnnConvolutionDescriptor_t how, const cudnnFilterDescriptor_t w, const int most,
    int* count, cudnnConvolutionBwdFilterAlgoPerf_t* found) {
  return call{*x, *y, *w, *how}.list(CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0,
                                     CUDNN_CONVOLUTION_BWD_FILTER_ALGO_WINOGRAD_NONFUSED,
                                     CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1, most, count, found);
}
cudnnStatus_t cudnnGetConvolutionBackwardFilterWorkspaceSize(
    cudnnHandle_t, const cudnnTensorDescriptor_t, const cudnnTensorDescriptor_t,
    const cudnnConvolutionDescriptor_t, const cudnnFilterDescriptor_t,
    cudnnConvolutionBwdFilterAlgo_t, size_t* bytes) {
  return workspace_of(bytes);
}
cudnnStatus_t cudnnConvolutionBackwardFilter(cudnnHandle_t, const void* alpha,
                                             const cudnnTensorDescriptor_t x, const void* src,
                                             const cudnnTensorDescriptor_t y, const void* diff_dst,
                                             const cudnnConvolutionDescriptor_t how,
                                             cudnnConvolutionBwdFilterAlgo_t algorithm,
                                             void* workspace, size_t bytes, const void* beta,
                                             const cudnnFilterDescriptor_t w, void* diff_filters) {
  if (algorithm != CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1)
    return refuse(CUDNN_STATUS_NOT_SUPPORTED, "an algorithm");
  const call asked{*x, *y, *w, *how};
  const std::size_t count = asked.filter_at(w->k - 1, w->h - 1, w->w - 1, w->c - 1) + 1;
  return asked.run(alpha, beta, diff_filters, count, workspace, bytes,
                   [&](std::vector<float>& sums) {
                     asked.each([&](std::size_t from, std::size_t to, std::size_t tap) {
                       sums[tap] += asked.taken(src, from) * asked.taken(diff_dst, to);
                     });
                   });
}

}  // extern "C"
