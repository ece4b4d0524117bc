// The functions of cuSOLVER in use, by prototypes of our own, as cublas.hpp has them of cuBLAS.
#pragma once

#include "cublas.hpp"

using cusolverDnHandle_t = struct cusolverDnContext*;

enum cusolverStatus_t { CUSOLVER_STATUS_SUCCESS = 0, CUSOLVER_STATUS_ALLOC_FAILED = 2 };

#define SECONDORDER_CUSOLVER_TYPED_FUNCTIONS(X, letter, Real)                               \
  X(cusolverStatus_t, cusolverDn##letter##potrf_bufferSize,                                 \
    (cusolverDnHandle_t handle, cublasFillMode_t fill, int n, Real* a, int lda, int* work)) \
  X(cusolverStatus_t, cusolverDn##letter##potrf,                                            \
    (cusolverDnHandle_t handle, cublasFillMode_t fill, int n, Real* a, int lda, Real* work, \
     int work_size, int* info))

/// X(result, name, (parameters)) for each function.
#define SECONDORDER_CUSOLVER_FUNCTIONS(X)                                                    \
  X(cusolverStatus_t, cusolverDnCreate, (cusolverDnHandle_t * handle))                       \
  X(cusolverStatus_t, cusolverDnDestroy, (cusolverDnHandle_t handle))                        \
  X(cusolverStatus_t, cusolverDnSetStream, (cusolverDnHandle_t handle, cudaStream_t stream)) \
  SECONDORDER_CUSOLVER_TYPED_FUNCTIONS(X, S, float)                                          \
  SECONDORDER_CUSOLVER_TYPED_FUNCTIONS(X, D, double)

namespace secondorder::cuda {

struct Cusolver {
#define SECONDORDER_MEMBER(result, name, parameters) result(*name) parameters = nullptr;
  SECONDORDER_CUSOLVER_FUNCTIONS(SECONDORDER_MEMBER)
#undef SECONDORDER_MEMBER
};

}  // namespace secondorder::cuda
