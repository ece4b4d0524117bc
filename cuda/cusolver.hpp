// The functions of cuSOLVER in use, by prototypes of our own, as cublas.hpp has them of cuBLAS.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cublas.hpp"

using cusolverDnHandle_t = struct cusolverDnContext*;

enum cusolverStatus_t { CUSOLVER_STATUS_SUCCESS = 0, CUSOLVER_STATUS_ALLOC_FAILED = 2 };
/// cudaDataType of library_types.h, as an argument of cuSOLVER's 64-bit functions.
enum cusolverDataType_t { CUSOLVER_R_64F = 1 };

#define SECONDORDER_CUSOLVER_TYPED_FUNCTIONS(X, letter, Real)                               \
  X(cusolverStatus_t, cusolverDn##letter##potrf_bufferSize,                                 \
    (cusolverDnHandle_t handle, cublasFillMode_t fill, int n, Real* a, int lda, int* work)) \
  X(cusolverStatus_t, cusolverDn##letter##potrf,                                            \
    (cusolverDnHandle_t handle, cublasFillMode_t fill, int n, Real* a, int lda, Real* work, \
     int work_size, int* info))

/// L·D·Lᵀ of symmetric indefinite matrices, whose solves have a 64-bit form alone, and Q·R.
#define SECONDORDER_CUSOLVER_DOUBLE_FUNCTIONS(X)                                                  \
  X(cusolverStatus_t, cusolverDnDsytrf_bufferSize,                                                \
    (cusolverDnHandle_t handle, int n, double* a, int lda, int* work))                            \
  X(cusolverStatus_t, cusolverDnDsytrf,                                                           \
    (cusolverDnHandle_t handle, cublasFillMode_t fill, int n, double* a, int lda, int* pivots,    \
     double* work, int work_size, int* info))                                                     \
  X(cusolverStatus_t, cusolverDnXsytrs_bufferSize,                                                \
    (cusolverDnHandle_t handle, cublasFillMode_t fill, std::int64_t n, std::int64_t columns,      \
     cusolverDataType_t type_a, const void* a, std::int64_t lda, const std::int64_t* pivots,      \
     cusolverDataType_t type_b, void* b, std::int64_t ldb, std::size_t* device_bytes,             \
     std::size_t* host_bytes))                                                                    \
  X(cusolverStatus_t, cusolverDnXsytrs,                                                           \
    (cusolverDnHandle_t handle, cublasFillMode_t fill, std::int64_t n, std::int64_t columns,      \
     cusolverDataType_t type_a, const void* a, std::int64_t lda, const std::int64_t* pivots,      \
     cusolverDataType_t type_b, void* b, std::int64_t ldb, void* device_work,                     \
     std::size_t device_bytes, void* host_work, std::size_t host_bytes, int* info))               \
  X(cusolverStatus_t, cusolverDnDgeqrf_bufferSize,                                                \
    (cusolverDnHandle_t handle, int m, int n, double* a, int lda, int* work))                     \
  X(cusolverStatus_t, cusolverDnDgeqrf,                                                           \
    (cusolverDnHandle_t handle, int m, int n, double* a, int lda, double* tau, double* work,      \
     int work_size, int* info))                                                                   \
  X(cusolverStatus_t, cusolverDnDorgqr_bufferSize,                                                \
    (cusolverDnHandle_t handle, int m, int n, int k, const double* a, int lda, const double* tau, \
     int* work))                                                                                  \
  X(cusolverStatus_t, cusolverDnDorgqr,                                                           \
    (cusolverDnHandle_t handle, int m, int n, int k, double* a, int lda, const double* tau,       \
     double* work, int work_size, int* info))

/// X(result, name, (parameters)) for each function.
#define SECONDORDER_CUSOLVER_FUNCTIONS(X)                                                    \
  X(cusolverStatus_t, cusolverDnCreate, (cusolverDnHandle_t * handle))                       \
  X(cusolverStatus_t, cusolverDnDestroy, (cusolverDnHandle_t handle))                        \
  X(cusolverStatus_t, cusolverDnSetStream, (cusolverDnHandle_t handle, cudaStream_t stream)) \
  SECONDORDER_CUSOLVER_TYPED_FUNCTIONS(X, S, float)                                          \
  SECONDORDER_CUSOLVER_TYPED_FUNCTIONS(X, D, double)                                         \
  SECONDORDER_CUSOLVER_DOUBLE_FUNCTIONS(X)

namespace secondorder::cuda {

struct Cusolver {
#define SECONDORDER_MEMBER(result, name, parameters) result(*name) parameters = nullptr;
  SECONDORDER_CUSOLVER_FUNCTIONS(SECONDORDER_MEMBER)
#undef SECONDORDER_MEMBER
};

}  // namespace secondorder::cuda
