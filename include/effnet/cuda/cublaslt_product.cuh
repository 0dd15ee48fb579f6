#pragma once

#include <cublasLt.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include <effnet/core/error.hpp>
#include <effnet/cuda/matrix_product.hpp>

namespace effnet::cuda {

/// Throws `backend_error` unless `status` is success.
inline void check_cublaslt(cublasStatus_t status, std::string_view doing) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  throw backend_error(sentence("cuBLASLt: ", doing, ": ", cublasLtGetStatusString(status)));
}

/// cuBLASLt on the current device. Copies share it, threads may.
class cublaslt_handle {
 public:
  /// Throws `backend_error` where the library cannot start.
  cublaslt_handle() {
    cublasLtHandle_t handle = nullptr;
    check_cublaslt(cublasLtCreate(&handle),
                   "starting the library, which gpu_options{.libraries = false} does without");
    handle_ = std::shared_ptr<cublasLtContext>(
        handle, [](cublasLtHandle_t h) { static_cast<void>(cublasLtDestroy(h)); });
  }
  cublasLtHandle_t get() const { return handle_.get(); }

 private:
  std::shared_ptr<cublasLtContext> handle_;
};

/// A `matrix_product` that cuBLASLt runs, with the algorithm that its heuristic names first. Parts
/// of a sum are added up in fp32 and in a fixed order, or there are none: the same bits every time.
///
/// cuBLASLt's matrices stand column by column. A matrix of rows is its own transpose there, so that
/// what is computed is result' = right' left', "A" being right and "B" left.
/// https://docs.nvidia.com/cuda/cublas/index.html#using-the-cublaslt-api
class cublaslt_product {
 public:
  static constexpr const char* name = "cublasLt";
  /// What an algorithm may take of the stream's pool while it runs.
  static constexpr std::size_t most_workspace_bytes = std::size_t{32} << 20;

  /// Nothing where there is no algorithm.
  static std::optional<cublaslt_product> plan(cublaslt_handle handle, const matrix_product& what) {
    cublasLtMatmulPreferenceOpaque_t wanted{};
    check_cublaslt(cublasLtMatmulPreferenceInit(&wanted), "a preference");
    const auto want = [&](cublasLtMatmulPreferenceAttributes_t attribute, const auto& value) {
      check_cublaslt(cublasLtMatmulPreferenceSetAttribute(&wanted, attribute, &value, sizeof value),
                     "a preference");
    };
    want(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, std::uint64_t{most_workspace_bytes});
    want(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
         std::uint32_t{CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE});
    for (const auto side :
         {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
          CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES})
      want(side, std::uint32_t{alignment});

    // The heuristic reads the alignment of the bias off its address, and nothing there.
    description as(what, reinterpret_cast<const void*>(std::uintptr_t{alignment}));
    std::array<cublasLtMatmulHeuristicResult_t, 4> found{};
    int count = 0;
    const cublasStatus_t status = cublasLtMatmulAlgoGetHeuristic(
        handle.get(), &as.product, &as.right, &as.left, &as.result, &as.result, &wanted,
        static_cast<int>(found.size()), found.data(), &count);
    if (status == CUBLAS_STATUS_NOT_SUPPORTED) return std::nullopt;
    check_cublaslt(status, "looking for an algorithm");
    for (int i = 0; i < count; ++i) {
      const cublasLtMatmulHeuristicResult_t& one = found[static_cast<std::size_t>(i)];
      if (one.state == CUBLAS_STATUS_SUCCESS && one.workspaceSize <= most_workspace_bytes)
        return cublaslt_product(std::move(handle), what, one);
    }
    return std::nullopt;
  }

  /// `on`: a `device` that has a stream(). Throws `backend_error` for an address that is no
  /// multiple of 16, and where the library refuses.
  template <class D>
  void run(const D& on, const void* left, const void* right, const void* bias, void* result) const {
    for (const void* address : {left, right, static_cast<const void*>(result)})
      if (reinterpret_cast<std::uintptr_t>(address) % alignment != 0)
        throw backend_error(sentence("cuBLASLt: a matrix at an address that is no multiple of ",
                                     alignment, " bytes"));
    const typename D::temporary workspace(on, workspace_bytes_);
    description as(what_, bias);
    const float one = 1, keep = what_.add_result ? 1.0f : 0.0f;
    check_cublaslt(cublasLtMatmul(handle_.get(), &as.product, &one, right, &as.right, left,
                                  &as.left, &keep, result, &as.result, result, &as.result,
                                  &algorithm_, workspace.data(), workspace_bytes_, on.stream()),
                   "a product");
  }

 private:
  static constexpr unsigned alignment = 16;

  /// The product in cuBLASLt's terms. Made again for every run: threads share none.
  struct description {
    cublasLtMatmulDescOpaque_t product{};
    cublasLtMatrixLayoutOpaque_t right{}, left{}, result{};

    description(const matrix_product& what, const void* bias) {
      check_cublaslt(
          cublasLtMatmulDescInit(
              &product, what.tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F, CUDA_R_32F),
          "a description");
      set(CUBLASLT_MATMUL_DESC_TRANSA, what.right_turned ? CUBLAS_OP_T : CUBLAS_OP_N);
      set(CUBLASLT_MATMUL_DESC_TRANSB, what.left_turned ? CUBLAS_OP_T : CUBLAS_OP_N);
      set(CUBLASLT_MATMUL_DESC_EPILOGUE, epilogue_of(what));
      if (what.bias) {
        set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias);
        set(CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, std::int32_t{type_of(what.result)});
      }
      rows_of(right, what.numbers, what.right_turned ? what.columns : what.depth,
              what.right_turned ? what.depth : what.columns);
      rows_of(left, what.numbers, what.left_turned ? what.depth : what.rows,
              what.left_turned ? what.rows : what.depth);
      rows_of(result, what.result, what.rows, what.columns);
    }

   private:
    template <class Value>
    void set(cublasLtMatmulDescAttributes_t attribute, const Value& value) {
      check_cublaslt(cublasLtMatmulDescSetAttribute(&product, attribute, &value, sizeof value),
                     "a description");
    }
    /// `count` rows next to each other are as many columns.
    static void rows_of(cublasLtMatrixLayoutOpaque_t& to, dtype type, std::int64_t count,
                        std::int64_t length) {
      check_cublaslt(
          cublasLtMatrixLayoutInit(&to, type_of(type), static_cast<std::uint64_t>(length),
                                   static_cast<std::uint64_t>(count), length),
          "a matrix");
    }
    static cublasLtEpilogue_t epilogue_of(const matrix_product& what) {
      if (what.relu) return what.bias ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_RELU;
      return what.bias ? CUBLASLT_EPILOGUE_BIAS : CUBLASLT_EPILOGUE_DEFAULT;
    }
    static cudaDataType type_of(dtype type) {
      if (type == dtype::bf16) return CUDA_R_16BF;
      if (type == dtype::f16) return CUDA_R_16F;
      return CUDA_R_32F;
    }
  };

  cublaslt_product(cublaslt_handle handle, const matrix_product& what,
                   const cublasLtMatmulHeuristicResult_t& found)
      : handle_(std::move(handle)),
        what_(what),
        algorithm_(found.algo),
        workspace_bytes_(found.workspaceSize) {}

  cublaslt_handle handle_;
  matrix_product what_;
  cublasLtMatmulAlgo_t algorithm_;
  std::size_t workspace_bytes_;
};

}  // namespace effnet::cuda
