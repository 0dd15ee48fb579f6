#include <cublasLt.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <type_traits>

#include <effnet/math/rounding.hpp>

#include "stand_in.hpp"

// https://docs.nvidia.com/cuda/cublas/index.html#using-the-cublaslt-api
namespace {
using namespace effnet::testing::stand_in;

cublasStatus_t refuse(cublasStatus_t status, const char* what) {
  library.refused = what;
  return status;
}

// What stands in the opaque structures.
struct matrix {
  std::uint64_t known;
  cudaDataType type;
  std::uint64_t rows, columns;
  std::int64_t leading;
};
struct product {
  std::uint64_t known;
  cublasComputeType_t compute;
  cudaDataType scale;
  std::int32_t transposed_a, transposed_b;
  std::uint32_t epilogue;
  std::int32_t bias_type;
  const void* bias;
};
struct preference {
  std::uint64_t known;
  std::uint64_t workspace;
  std::uint32_t reductions;
  std::uint32_t alignment[4];  // of A, B, C, D
};
/// An algorithm is good for what it was found for.
struct algorithm {
  std::uint64_t known;
  std::uint64_t problem;
  std::uint64_t workspace;
  std::uint32_t alignment[4], bias_alignment;
};
constexpr std::uint64_t matrix_mark = 0x6d617472, product_mark = 0x70726f64,
                        preference_mark = 0x70726566, algorithm_mark = 0x616c676f;

template <class Mine, class Opaque>
Mine read(const Opaque* from) {
  static_assert(sizeof(Mine) <= sizeof(Opaque) && std::is_trivially_copyable_v<Mine>);
  Mine mine;
  std::memcpy(&mine, from, sizeof mine);
  return mine;
}
template <class Mine, class Opaque>
void write(Opaque* to, const Mine& mine) {
  static_assert(sizeof(Mine) <= sizeof(Opaque) && std::is_trivially_copyable_v<Mine>);
  std::memset(to, 0, sizeof *to);
  std::memcpy(to, &mine, sizeof mine);
}

std::optional<number> number_of(cudaDataType type) {
  if (type == CUDA_R_32F) return number::f32;
  if (type == CUDA_R_16BF) return number::bf16;
  if (type == CUDA_R_16F) return number::f16;
  return std::nullopt;
}
/// The largest power of two below 512 that an address is a multiple of.
std::uint32_t alignment_of(const void* address) {
  const auto bits = reinterpret_cast<std::uintptr_t>(address) | 256;
  return static_cast<std::uint32_t>(bits & (~bits + 1));
}

/// All of a call but its addresses.
struct call {
  product of;
  matrix a, b, c, d;

  bool biased() const {
    return of.epilogue == CUBLASLT_EPILOGUE_BIAS || of.epilogue == CUBLASLT_EPILOGUE_RELU_BIAS;
  }
  bool relu() const {
    return of.epilogue == CUBLASLT_EPILOGUE_RELU || of.epilogue == CUBLASLT_EPILOGUE_RELU_BIAS;
  }
  std::uint64_t depth() const { return of.transposed_a == CUBLAS_OP_N ? a.columns : a.rows; }
  /// FNV-1a of everything that an algorithm depends on.
  std::uint64_t number_of_problem() const {
    std::uint64_t hash = 14695981039346656037u;
    for (const std::uint64_t x :
         {std::uint64_t{of.compute}, std::uint64_t(of.transposed_a), std::uint64_t(of.transposed_b),
          std::uint64_t{of.epilogue}, std::uint64_t(of.bias_type)})
      hash = (hash ^ x) * 1099511628211u;
    for (const matrix& m : {a, b, c, d})
      for (const std::uint64_t x :
           {std::uint64_t{m.type}, m.rows, m.columns, std::uint64_t(m.leading)})
        hash = (hash ^ x) * 1099511628211u;
    return hash;
  }

  cublasStatus_t check() const {
    if (of.known != product_mark || of.scale != CUDA_R_32F)
      return refuse(CUBLAS_STATUS_INVALID_VALUE, "a description");
    for (const matrix& m : {a, b, c, d}) {
      if (m.known != matrix_mark) return refuse(CUBLAS_STATUS_INVALID_VALUE, "a matrix");
      if (m.rows == 0 || m.columns == 0 || m.leading < static_cast<std::int64_t>(m.rows))
        return refuse(CUBLAS_STATUS_INVALID_VALUE, "a leading dimension");
    }
    const bool turned_a = of.transposed_a == CUBLAS_OP_T, turned_b = of.transposed_b == CUBLAS_OP_T;
    if ((turned_a ? a.columns : a.rows) != d.rows || (turned_b ? b.rows : b.columns) != d.columns ||
        (turned_b ? b.columns : b.rows) != depth() || c.rows != d.rows || c.columns != d.columns)
      return refuse(CUBLAS_STATUS_INVALID_VALUE, "extents that do not fit");
    // The table of supported types, for COMPUTE_32F and its TF32 form.
    const bool floats = a.type == CUDA_R_32F;
    const bool known_types = number_of(a.type) && a.type == b.type && c.type == d.type &&
                             (d.type == a.type || d.type == CUDA_R_32F);
    if (!known_types || (of.compute == CUBLAS_COMPUTE_32F_FAST_TF32 && !floats) ||
        (of.compute != CUBLAS_COMPUTE_32F && of.compute != CUBLAS_COMPUTE_32F_FAST_TF32))
      return refuse(CUBLAS_STATUS_NOT_SUPPORTED, "types");
    if (!biased() && !relu() && of.epilogue != CUBLASLT_EPILOGUE_DEFAULT)
      return refuse(CUBLAS_STATUS_NOT_SUPPORTED, "an epilogue");
    // -1: as D. The address counts where the heuristic looks at it, too.
    if (biased() &&
        (of.bias == nullptr || (of.bias_type != -1 && of.bias_type != std::int32_t{d.type})))
      return refuse(CUBLAS_STATUS_INVALID_VALUE, "a bias");
    return CUBLAS_STATUS_SUCCESS;
  }
};
call call_of(cublasLtMatmulDesc_t of, cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
             cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d) {
  return {read<product>(of), read<matrix>(a), read<matrix>(b), read<matrix>(c), read<matrix>(d)};
}

/// Column by column, as they stand.
float element(const matrix& m, const void* data, std::uint64_t row, std::uint64_t column,
              bool transposed) {
  if (transposed) std::swap(row, column);
  return load(*number_of(m.type), data, column * static_cast<std::uint64_t>(m.leading) + row);
}

int handles = 0;
}  // namespace

struct cublasLtContext {};

extern "C" {

cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) {
  *handle = new cublasLtContext;
  ++handles;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle) {
  delete handle;
  --handles;
  return CUBLAS_STATUS_SUCCESS;
}
const char* cublasLtGetStatusString(cublasStatus_t) {
  return library.refused.c_str();
}

cublasStatus_t cublasLtMatrixLayoutInit_internal(cublasLtMatrixLayout_t to, size_t size,
                                                 cudaDataType type, uint64_t rows, uint64_t columns,
                                                 int64_t leading) {
  if (size != sizeof *to) return refuse(CUBLAS_STATUS_ALLOC_FAILED, "the size of a matrix");
  write(to, matrix{matrix_mark, type, rows, columns, leading});
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescInit_internal(cublasLtMatmulDesc_t to, size_t size,
                                               cublasComputeType_t compute, cudaDataType_t scale) {
  if (size != sizeof *to) return refuse(CUBLAS_STATUS_ALLOC_FAILED, "the size of a description");
  write(to, product{product_mark, compute, scale, CUBLAS_OP_N, CUBLAS_OP_N,
                    CUBLASLT_EPILOGUE_DEFAULT, -1, nullptr});
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t to,
                                              cublasLtMatmulDescAttributes_t attribute,
                                              const void* from, size_t size) {
  product of = read<product>(to);
  const auto set = [&](auto& value) {
    if (size != sizeof value) return refuse(CUBLAS_STATUS_INVALID_VALUE, "an attribute's size");
    std::memcpy(&value, from, size);
    write(to, of);
    return CUBLAS_STATUS_SUCCESS;
  };
  switch (attribute) {
    case CUBLASLT_MATMUL_DESC_TRANSA:
      return set(of.transposed_a);
    case CUBLASLT_MATMUL_DESC_TRANSB:
      return set(of.transposed_b);
    case CUBLASLT_MATMUL_DESC_EPILOGUE:
      return set(of.epilogue);
    case CUBLASLT_MATMUL_DESC_BIAS_POINTER:
      return set(of.bias);
    case CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE:
      return set(of.bias_type);
    default:
      return refuse(CUBLAS_STATUS_NOT_SUPPORTED, "an attribute of a product");
  }
}

cublasStatus_t cublasLtMatmulPreferenceInit_internal(cublasLtMatmulPreference_t to, size_t size) {
  if (size != sizeof *to) return refuse(CUBLAS_STATUS_ALLOC_FAILED, "the size of a preference");
  write(to, preference{preference_mark, 0, CUBLASLT_REDUCTION_SCHEME_MASK, {256, 256, 256, 256}});
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t to,
                                                    cublasLtMatmulPreferenceAttributes_t attribute,
                                                    const void* from, size_t size) {
  preference wanted = read<preference>(to);
  const auto set = [&](auto& value) {
    if (size != sizeof value) return refuse(CUBLAS_STATUS_INVALID_VALUE, "an attribute's size");
    std::memcpy(&value, from, size);
    write(to, wanted);
    return CUBLAS_STATUS_SUCCESS;
  };
  switch (attribute) {
    case CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES:
      return set(wanted.workspace);
    case CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK:
      return set(wanted.reductions);
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES:
      return set(wanted.alignment[0]);
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES:
      return set(wanted.alignment[1]);
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES:
      return set(wanted.alignment[2]);
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES:
      return set(wanted.alignment[3]);
    default:
      return refuse(CUBLAS_STATUS_NOT_SUPPORTED, "an attribute of a preference");
  }
}

/// Two: one that failed, which nobody may take, and one.
cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t handle, cublasLtMatmulDesc_t of,
                                              cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                              cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
                                              cublasLtMatmulPreference_t with, int most,
                                              cublasLtMatmulHeuristicResult_t found[], int* count) {
  *count = 0;
  if (handle == nullptr || most < 2) return refuse(CUBLAS_STATUS_INVALID_VALUE, "a handle");
  const call asked = call_of(of, a, b, c, d);
  if (const cublasStatus_t status = asked.check(); status != CUBLAS_STATUS_SUCCESS) return status;
  const preference wanted = read<preference>(with);
  if (wanted.known != preference_mark) return refuse(CUBLAS_STATUS_INVALID_VALUE, "a preference");
  // The others add in the result's type, or in turns.
  if ((wanted.reductions & ~std::uint32_t{CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE}) != 0)
    return refuse(CUBLAS_STATUS_INVALID_VALUE, "a reduction that is not wanted");
  if (library.no_algorithm) return refuse(CUBLAS_STATUS_NOT_SUPPORTED, "no algorithm");
  algorithm made{.known = algorithm_mark,
                 .problem = asked.number_of_problem(),
                 .workspace = std::min<std::uint64_t>(library.workspace, wanted.workspace),
                 .alignment = {},
                 .bias_alignment = asked.biased() ? alignment_of(asked.of.bias) : 1};
  std::copy(wanted.alignment, wanted.alignment + 4, made.alignment);
  found[0] = found[1] = {};
  found[0].state = CUBLAS_STATUS_NOT_SUPPORTED;
  write(&found[1].algo, made);
  found[1].workspaceSize = made.workspace;
  *count = 2;
  return CUBLAS_STATUS_SUCCESS;
}

/// D = epilogue(alpha op(A) op(B) + beta C).
cublasStatus_t cublasLtMatmul(cublasLtHandle_t handle, cublasLtMatmulDesc_t of, const void* alpha,
                              const void* A, cublasLtMatrixLayout_t a, const void* B,
                              cublasLtMatrixLayout_t b, const void* beta, const void* C,
                              cublasLtMatrixLayout_t c, void* D, cublasLtMatrixLayout_t d,
                              const cublasLtMatmulAlgo_t* with, void* workspace, size_t bytes,
                              cudaStream_t) {
  if (handle == nullptr) return refuse(CUBLAS_STATUS_NOT_INITIALIZED, "a handle");
  const call asked = call_of(of, a, b, c, d);
  if (const cublasStatus_t status = asked.check(); status != CUBLAS_STATUS_SUCCESS) return status;
  const algorithm chosen = read<algorithm>(with);
  if (chosen.known != algorithm_mark || chosen.problem != asked.number_of_problem())
    return refuse(CUBLAS_STATUS_INVALID_VALUE, "an algorithm of another problem");
  const void* addresses[] = {A, B, C, D};
  for (int i = 0; i < 4; ++i)
    if (addresses[i] == nullptr || alignment_of(addresses[i]) < chosen.alignment[i])
      return refuse(CUBLAS_STATUS_INVALID_VALUE, "the alignment of a matrix");
  if (asked.biased() && alignment_of(asked.of.bias) < chosen.bias_alignment)
    return refuse(CUBLAS_STATUS_INVALID_VALUE, "the alignment of a bias");
  if (bytes < chosen.workspace || (chosen.workspace > 0 && alignment_of(workspace) < 16))
    return refuse(CUBLAS_STATUS_INVALID_VALUE, "a workspace");
  spoil(workspace, chosen.workspace);

  const float scale = *static_cast<const float*>(alpha), keep = *static_cast<const float*>(beta);
  const bool turned_a = asked.of.transposed_a == CUBLAS_OP_T,
             turned_b = asked.of.transposed_b == CUBLAS_OP_T,
             tf32 = asked.of.compute == CUBLAS_COMPUTE_32F_FAST_TF32;
  const auto taken = [&](float x) { return tf32 ? effnet::math::tf32_rounded(x) : x; };
  const number result = *number_of(asked.d.type);
  for (std::uint64_t column = 0; column < asked.d.columns; ++column)
    for (std::uint64_t row = 0; row < asked.d.rows; ++row) {
      float sum = 0;
      for (std::uint64_t k = 0; k < asked.depth(); ++k)
        sum += taken(element(asked.a, A, row, k, turned_a)) *
               taken(element(asked.b, B, k, column, turned_b));
      sum *= scale;
      if (keep != 0) sum += keep * element(asked.c, C, row, column, false);
      if (asked.biased()) sum += load(result, asked.of.bias, row);
      if (asked.relu()) sum = std::max(sum, 0.0f);
      store(result, D, column * static_cast<std::uint64_t>(asked.d.leading) + row, sum);
    }
  ++library.products;
  return CUBLAS_STATUS_SUCCESS;
}

}  // extern "C"
