// The functions of cuBLAS in use, by prototypes of our own: its headers are not needed to build,
// and the library is opened at run time (library.cpp). Names and values are those of cublas_api.h;
// matrices are column-major.
#pragma once

#include <cstddef>

using cublasHandle_t = struct cublasContext*;
using cudaStream_t = struct CUstream_st*;

enum cublasStatus_t { CUBLAS_STATUS_SUCCESS = 0, CUBLAS_STATUS_ALLOC_FAILED = 3 };
enum cublasOperation_t { CUBLAS_OP_N = 0, CUBLAS_OP_T = 1 };
enum cublasFillMode_t { CUBLAS_FILL_MODE_LOWER = 0, CUBLAS_FILL_MODE_UPPER = 1 };
enum cublasDiagType_t { CUBLAS_DIAG_NON_UNIT = 0, CUBLAS_DIAG_UNIT = 1 };
enum cublasSideMode_t { CUBLAS_SIDE_LEFT = 0, CUBLAS_SIDE_RIGHT = 1 };
enum cublasMath_t { CUBLAS_DEFAULT_MATH = 0, CUBLAS_TF32_TENSOR_OP_MATH = 3 };

#define SECONDORDER_CUBLAS_TYPED_FUNCTIONS(X, letter, Real)                                        \
  X(cublasStatus_t, cublas##letter##gemm_v2,                                                       \
    (cublasHandle_t handle, cublasOperation_t op_a, cublasOperation_t op_b, int m, int n, int k,   \
     const Real* alpha, const Real* a, int lda, const Real* b, int ldb, const Real* beta, Real* c, \
     int ldc))                                                                                     \
  X(cublasStatus_t, cublas##letter##gemv_v2,                                                       \
    (cublasHandle_t handle, cublasOperation_t op, int m, int n, const Real* alpha, const Real* a,  \
     int lda, const Real* x, int incx, const Real* beta, Real* y, int incy))                       \
  X(cublasStatus_t, cublas##letter##syrk_v2,                                                       \
    (cublasHandle_t handle, cublasFillMode_t fill, cublasOperation_t op, int n, int k,             \
     const Real* alpha, const Real* a, int lda, const Real* beta, Real* c, int ldc))               \
  X(cublasStatus_t, cublas##letter##trsm_v2,                                                       \
    (cublasHandle_t handle, cublasSideMode_t side, cublasFillMode_t fill, cublasOperation_t op,    \
     cublasDiagType_t diagonal, int m, int n, const Real* alpha, const Real* a, int lda, Real* b,  \
     int ldb))

/// X(result, name, (parameters)) for each function.
#define SECONDORDER_CUBLAS_FUNCTIONS(X)                                               \
  X(cublasStatus_t, cublasCreate_v2, (cublasHandle_t * handle))                       \
  X(cublasStatus_t, cublasDestroy_v2, (cublasHandle_t handle))                        \
  X(cublasStatus_t, cublasSetStream_v2, (cublasHandle_t handle, cudaStream_t stream)) \
  X(cublasStatus_t, cublasSetWorkspace_v2,                                            \
    (cublasHandle_t handle, void* workspace, std::size_t bytes))                      \
  X(cublasStatus_t, cublasSetMathMode, (cublasHandle_t handle, cublasMath_t mode))    \
  SECONDORDER_CUBLAS_TYPED_FUNCTIONS(X, S, float)                                     \
  SECONDORDER_CUBLAS_TYPED_FUNCTIONS(X, D, double)

namespace secondorder::cuda {

struct Cublas {
#define SECONDORDER_MEMBER(result, name, parameters) result(*name) parameters = nullptr;
  SECONDORDER_CUBLAS_FUNCTIONS(SECONDORDER_MEMBER)
#undef SECONDORDER_MEMBER
};

}  // namespace secondorder::cuda
