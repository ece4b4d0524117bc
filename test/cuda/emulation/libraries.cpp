#include "libraries.hpp"

#include <cblas.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "cuda_runtime.h"
#include "device.hpp"
#include "streams.hpp"

extern "C" {
void spotrf_(const char*, const int*, float*, const int*, int*);
void dpotrf_(const char*, const int*, double*, const int*, int*);
void dsytrf_(const char*, const int*, double*, const int*, int*, double*, const int*, int*);
void dsytrs_(const char*, const int*, const int*, const double*, const int*, const int*, double*,
             const int*, int*);
void dgeqrf_(const int*, const int*, double*, const int*, double*, double*, const int*, int*);
void dorgqr_(const int*, const int*, const int*, double*, const int*, const double*, double*,
             const int*, int*);
}

struct cublasContext {
  cudaStream_t stream = nullptr;
  void* workspace = nullptr;
  cublasMath_t math = CUBLAS_DEFAULT_MATH;
};
struct cusolverDnContext {
  cudaStream_t stream = nullptr;
};

namespace {

CBLAS_TRANSPOSE blas(cublasOperation_t op) { return op == CUBLAS_OP_N ? CblasNoTrans : CblasTrans; }
CBLAS_UPLO blas(cublasFillMode_t fill) {
  return fill == CUBLAS_FILL_MODE_LOWER ? CblasLower : CblasUpper;
}
CBLAS_SIDE blas(cublasSideMode_t side) { return side == CUBLAS_SIDE_LEFT ? CblasLeft : CblasRight; }
CBLAS_DIAG blas(cublasDiagType_t diagonal) {
  return diagonal == CUBLAS_DIAG_UNIT ? CblasUnit : CblasNonUnit;
}

/// What cuBLAS demands of sizes, and refuses with CUBLAS_STATUS_INVALID_VALUE.
constexpr auto invalid_value = static_cast<cublasStatus_t>(7);
constexpr auto solver_invalid_value = static_cast<cusolverStatus_t>(3);
constexpr auto execution_failed = static_cast<cublasStatus_t>(13);
constexpr auto solver_execution_failed = static_cast<cusolverStatus_t>(6);
/// LAPACK's blocks, for the sizes of work space.
constexpr int lapack_block = 64;
const char* triangle(cublasFillMode_t fill) { return fill == CUBLAS_FILL_MODE_LOWER ? "L" : "U"; }

/// As tensor cores take a factor: 10 bits of mantissa, to the nearest.
float to_tf32(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return std::isfinite(value) ? std::bit_cast<float>((bits + 0x1000U) & ~0x1FFFU) : value;
}
double to_tf32(double value) { return value; }

/// A column-major factor of a product, or a rounded copy of it, packed.
template <class Real>
struct Factor {
  Factor(const Real* from, int rows, int cols, int from_leading, bool tf32)
      : values(from), leading(from_leading) {
    if (!tf32) return;
    for (std::ptrdiff_t j = 0; j < cols; ++j) {
      for (std::ptrdiff_t i = 0; i < rows; ++i) copy.push_back(to_tf32(from[j * leading + i]));
    }
    values = copy.data();
    leading = std::max(rows, 1);
  }
  Factor(const Factor&) = delete;
  Factor& operator=(const Factor&) = delete;

  const Real* values;
  int leading;
  std::vector<Real> copy;
};

/// What a call does, on its handle's stream. In a capture cuBLAS would allocate a workspace for
/// each graph where it has none, which is an error here.
cublasStatus_t run(cublasHandle_t handle, std::function<void()> work) {
  const bool captured =
      handle->stream != nullptr && handle->stream->capture != CUstream_st::Capture::none;
  if (captured && handle->workspace == nullptr) return execution_failed;
  const bool issued = secondorder::emulation::issue_library_call(handle->stream, std::move(work));
  return issued ? CUBLAS_STATUS_SUCCESS : execution_failed;
}
cusolverStatus_t run(cusolverDnHandle_t handle, std::function<void()> work) {
  const bool issued = secondorder::emulation::issue_library_call(handle->stream, std::move(work));
  return issued ? CUSOLVER_STATUS_SUCCESS : solver_execution_failed;
}

bool fits(int rows, int leading) { return rows >= 0 && leading >= std::max(rows, 1); }

}  // namespace

extern "C" {

cublasStatus_t cublasCreate_v2(cublasHandle_t* handle) {
  *handle = new cublasContext;  // destroyed by the code under test
  secondorder::emulation::count_handles(1);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasDestroy_v2(cublasHandle_t handle) {
  delete handle;
  secondorder::emulation::count_handles(-1);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetStream_v2(cublasHandle_t handle, cudaStream_t stream) {
  handle->stream = stream;
  handle->workspace = nullptr;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetWorkspace_v2(cublasHandle_t handle, void* workspace, std::size_t) {
  constexpr std::uintptr_t alignment = 256;
  if (reinterpret_cast<std::uintptr_t>(workspace) % alignment != 0) return invalid_value;
  handle->workspace = workspace;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode) {
  handle->math = mode;
  return CUBLAS_STATUS_SUCCESS;
}

#define SECONDORDER_DEFINE(letter, prefix, Real)                                                   \
  cublasStatus_t cublas##letter##gemm_v2(cublasHandle_t handle, cublasOperation_t op_a,            \
                                         cublasOperation_t op_b, int m, int n, int k,              \
                                         const Real* alpha, const Real* a, int lda, const Real* b, \
                                         int ldb, const Real* beta, Real* c, int ldc) {            \
    if (n < 0 || k < 0 || !fits(op_a == CUBLAS_OP_N ? m : k, lda) ||                               \
        !fits(op_b == CUBLAS_OP_N ? k : n, ldb) || !fits(m, ldc)) {                                \
      return invalid_value;                                                                        \
    }                                                                                              \
    const bool tf32 = handle->math == CUBLAS_TF32_TENSOR_OP_MATH;                                  \
    return run(handle, [=, alpha = *alpha, beta = *beta] {                                         \
      const Factor<Real> left(a, op_a == CUBLAS_OP_N ? m : k, op_a == CUBLAS_OP_N ? k : m, lda,    \
                              tf32);                                                               \
      const Factor<Real> right(b, op_b == CUBLAS_OP_N ? k : n, op_b == CUBLAS_OP_N ? n : k, ldb,   \
                               tf32);                                                              \
      cblas_##prefix##gemm(CblasColMajor, blas(op_a), blas(op_b), m, n, k, alpha, left.values,     \
                           left.leading, right.values, right.leading, beta, c, ldc);               \
    });                                                                                            \
  }                                                                                                \
  cublasStatus_t cublas##letter##gemv_v2(                                                          \
      cublasHandle_t handle, cublasOperation_t op, int m, int n, const Real* alpha, const Real* a, \
      int lda, const Real* x, int incx, const Real* beta, Real* y, int incy) {                     \
    if (n < 0 || !fits(m, lda) || incx == 0 || incy == 0) return invalid_value;                    \
    return run(handle, [=, alpha = *alpha, beta = *beta] {                                         \
      cblas_##prefix##gemv(CblasColMajor, blas(op), m, n, alpha, a, lda, x, incx, beta, y, incy);  \
    });                                                                                            \
  }                                                                                                \
  cublasStatus_t cublas##letter##syrk_v2(                                                          \
      cublasHandle_t handle, cublasFillMode_t fill, cublasOperation_t op, int n, int k,            \
      const Real* alpha, const Real* a, int lda, const Real* beta, Real* c, int ldc) {             \
    if (k < 0 || !fits(op == CUBLAS_OP_N ? n : k, lda) || !fits(n, ldc)) return invalid_value;     \
    return run(handle, [=, alpha = *alpha, beta = *beta] {                                         \
      cblas_##prefix##syrk(CblasColMajor, blas(fill), blas(op), n, k, alpha, a, lda, beta, c,      \
                           ldc);                                                                   \
    });                                                                                            \
  }                                                                                                \
  cublasStatus_t cublas##letter##trsm_v2(                                                          \
      cublasHandle_t handle, cublasSideMode_t side, cublasFillMode_t fill, cublasOperation_t op,   \
      cublasDiagType_t diagonal, int m, int n, const Real* alpha, const Real* a, int lda, Real* b, \
      int ldb) {                                                                                   \
    if (n < 0 || !fits(side == CUBLAS_SIDE_LEFT ? m : n, lda) || !fits(m, ldb)) {                  \
      return invalid_value;                                                                        \
    }                                                                                              \
    return run(handle, [=, alpha = *alpha] {                                                       \
      cblas_##prefix##trsm(CblasColMajor, blas(side), blas(fill), blas(op), blas(diagonal), m, n,  \
                           alpha, a, lda, b, ldb);                                                 \
    });                                                                                            \
  }                                                                                                \
  cusolverStatus_t cusolverDn##letter##potrf_bufferSize(cusolverDnHandle_t, cublasFillMode_t,      \
                                                        int n, Real*, int, int* work) {            \
    *work = std::max(n, 1);                                                                        \
    return CUSOLVER_STATUS_SUCCESS;                                                                \
  }                                                                                                \
  cusolverStatus_t cusolverDn##letter##potrf(cusolverDnHandle_t handle, cublasFillMode_t fill,     \
                                             int n, Real* a, int lda, Real* work, int work_size,   \
                                             int* info) {                                          \
    return run(handle, [=] {                                                                       \
      std::fill_n(work, work_size, Real(0));                                                       \
      prefix##potrf_(triangle(fill), &n, a, &lda, info);                                           \
    });                                                                                            \
  }
SECONDORDER_DEFINE(S, s, float)
SECONDORDER_DEFINE(D, d, double)
#undef SECONDORDER_DEFINE

cusolverStatus_t cusolverDnDsytrf_bufferSize(cusolverDnHandle_t, int n, double*, int lda,
                                             int* work) {
  if (!fits(n, lda)) return solver_invalid_value;
  *work = lapack_block * std::max(n, 1);
  return CUSOLVER_STATUS_SUCCESS;
}
cusolverStatus_t cusolverDnDsytrf(cusolverDnHandle_t handle, cublasFillMode_t fill, int n,
                                  double* a, int lda, int* pivots, double* work, int work_size,
                                  int* info) {
  if (!fits(n, lda) || work_size < lapack_block * n) return solver_invalid_value;
  return run(handle, [=] { dsytrf_(triangle(fill), &n, a, &lda, pivots, work, &work_size, info); });
}
cusolverStatus_t cusolverDnXsytrs_bufferSize(cusolverDnHandle_t, cublasFillMode_t, std::int64_t n,
                                             std::int64_t columns, cusolverDataType_t, const void*,
                                             std::int64_t, const std::int64_t*, cusolverDataType_t,
                                             void*, std::int64_t, std::size_t* device_bytes,
                                             std::size_t* host_bytes) {
  *device_bytes = static_cast<std::size_t>(n * columns) * sizeof(double);
  *host_bytes = 64;
  return CUSOLVER_STATUS_SUCCESS;
}
cusolverStatus_t cusolverDnXsytrs(cusolverDnHandle_t handle, cublasFillMode_t fill, std::int64_t n,
                                  std::int64_t columns, cusolverDataType_t type_a, const void* a,
                                  std::int64_t lda, const std::int64_t* pivots,
                                  cusolverDataType_t type_b, void* b, std::int64_t ldb,
                                  void* device_work, std::size_t device_bytes, void* host_work,
                                  std::size_t host_bytes, int* info) {
  if (type_a != CUSOLVER_R_64F || type_b != CUSOLVER_R_64F || lda < n || ldb < n ||
      device_bytes < static_cast<std::size_t>(n * columns) * sizeof(double) || host_bytes < 64) {
    return solver_invalid_value;
  }
  return run(handle, [=] {
    std::fill_n(static_cast<std::byte*>(device_work), device_bytes, std::byte{});
    std::fill_n(static_cast<std::byte*>(host_work), host_bytes, std::byte{});
    const std::vector<int> rows(pivots, pivots + n);
    const int order = static_cast<int>(n), right = static_cast<int>(columns);
    const int stride_a = static_cast<int>(lda), stride_b = static_cast<int>(ldb);
    dsytrs_(triangle(fill), &order, &right, static_cast<const double*>(a), &stride_a, rows.data(),
            static_cast<double*>(b), &stride_b, info);
  });
}
cusolverStatus_t cusolverDnDgeqrf_bufferSize(cusolverDnHandle_t, int m, int n, double*, int lda,
                                             int* work) {
  if (!fits(m, lda)) return solver_invalid_value;
  *work = lapack_block * std::max(n, 1);
  return CUSOLVER_STATUS_SUCCESS;
}
cusolverStatus_t cusolverDnDgeqrf(cusolverDnHandle_t handle, int m, int n, double* a, int lda,
                                  double* tau, double* work, int work_size, int* info) {
  if (!fits(m, lda) || work_size < lapack_block * n) return solver_invalid_value;
  return run(handle, [=] { dgeqrf_(&m, &n, a, &lda, tau, work, &work_size, info); });
}
cusolverStatus_t cusolverDnDorgqr_bufferSize(cusolverDnHandle_t, int m, int n, int, const double*,
                                             int lda, const double*, int* work) {
  if (!fits(m, lda)) return solver_invalid_value;
  *work = lapack_block * std::max(n, 1);
  return CUSOLVER_STATUS_SUCCESS;
}
cusolverStatus_t cusolverDnDorgqr(cusolverDnHandle_t handle, int m, int n, int k, double* a,
                                  int lda, const double* tau, double* work, int work_size,
                                  int* info) {
  if (!fits(m, lda) || n > m || k > n || work_size < lapack_block * n) return solver_invalid_value;
  return run(handle, [=] { dorgqr_(&m, &n, &k, a, &lda, tau, work, &work_size, info); });
}

cusolverStatus_t cusolverDnCreate(cusolverDnHandle_t* handle) {
  *handle = new cusolverDnContext;
  secondorder::emulation::count_handles(1);
  return CUSOLVER_STATUS_SUCCESS;
}
cusolverStatus_t cusolverDnDestroy(cusolverDnHandle_t handle) {
  delete handle;
  secondorder::emulation::count_handles(-1);
  return CUSOLVER_STATUS_SUCCESS;
}
cusolverStatus_t cusolverDnSetStream(cusolverDnHandle_t handle, cudaStream_t stream) {
  handle->stream = stream;
  return CUSOLVER_STATUS_SUCCESS;
}

}  // extern "C"
