#include "row_major_blas.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <type_traits>

#include "failure.hpp"

namespace secondorder::cuda {

namespace {

/// cuBLAS counts in int.
int size(std::size_t n) {
  if (n > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    fail(ErrorCode::invalid_argument,
         "a matrix of the GPU has " + std::to_string(n) + " rows or columns, beyond 2^31");
  }
  return static_cast<int>(n);
}

int stride(std::size_t n) { return size(std::max<std::size_t>(n, 1)); }

cublasOperation_t blas(Transpose op) { return op == Transpose::no ? CUBLAS_OP_N : CUBLAS_OP_T; }

Transpose other(Transpose op) { return op == Transpose::no ? Transpose::yes : Transpose::no; }

/// The function of a pair that is for Real.
template <class Real, class Single, class Double>
auto pick(Single single, Double twice) {
  if constexpr (std::is_same_v<Real, float>) {
    return single;
  } else {
    return twice;
  }
}

[[noreturn]] void fail_library(const char* call, int status, bool memory) {
  if (memory) fail(ErrorCode::out_of_memory, std::string(call) + " found too little GPU memory");
  fail(ErrorCode::cuda, std::string(call) + " failed with status " + std::to_string(status));
}

}  // namespace

void check(cublasStatus_t status, const char* call) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  fail_library(call, status, status == CUBLAS_STATUS_ALLOC_FAILED);
}

void check(cusolverStatus_t status, const char* call) {
  if (status == CUSOLVER_STATUS_SUCCESS) return;
  fail_library(call, status, status == CUSOLVER_STATUS_ALLOC_FAILED);
}

template <class Real>
RowMajorBlas<Real>::RowMajorBlas(const Cublas& cublas, const Cusolver& cusolver,
                                 cudaStream_t stream)
    : cublas_(cublas),
      cusolver_(cusolver),
      blas_(nullptr, cublas.cublasDestroy_v2),
      solver_(nullptr, cusolver.cusolverDnDestroy) {
  cublasHandle_t blas = nullptr;
  check(cublas_.cublasCreate_v2(&blas), "cublasCreate");
  blas_.reset(blas);
  check(cublas_.cublasSetStream_v2(blas, stream), "cublasSetStream");
  cusolverDnHandle_t solver = nullptr;
  check(cusolver_.cusolverDnCreate(&solver), "cusolverDnCreate");
  solver_.reset(solver);
  check(cusolver_.cusolverDnSetStream(solver, stream), "cusolverDnSetStream");
}

template <class Real>
void RowMajorBlas<Real>::use_workspace(const DeviceMemory& workspace) const {
  check(cublas_.cublasSetWorkspace_v2(blas_.get(), workspace.address(), workspace.bytes()),
        "cublasSetWorkspace");
}

template <class Real>
void RowMajorBlas<Real>::multiply(Real alpha, ConstView<Real> a, Transpose op_a, ConstView<Real> b,
                                  Transpose op_b, Real beta, View<Real> c, bool tf32) const {
  const std::size_t inner = op_a == Transpose::no ? a.cols : a.rows;
  if (c.cols == 1) {
    const std::size_t step = op_b == Transpose::no ? b.stride : 1;
    check(pick<Real>(cublas_.cublasSgemv_v2, cublas_.cublasDgemv_v2)(
              blas_.get(), blas(other(op_a)), size(a.cols), size(a.rows), &alpha, a.data,
              stride(a.stride), b.data, stride(step), &beta, c.data, stride(c.stride)),
          "cublasgemv");
    return;
  }
  if (tf32)
    check(cublas_.cublasSetMathMode(blas_.get(), CUBLAS_TF32_TENSOR_OP_MATH), "cublasSetMathMode");
  check(pick<Real>(cublas_.cublasSgemm_v2, cublas_.cublasDgemm_v2)(
            blas_.get(), blas(op_b), blas(op_a), size(c.cols), size(c.rows), size(inner), &alpha,
            b.data, stride(b.stride), a.data, stride(a.stride), &beta, c.data, stride(c.stride)),
        "cublasgemm");
  if (tf32) check(cublas_.cublasSetMathMode(blas_.get(), CUBLAS_DEFAULT_MATH), "cublasSetMathMode");
}

template <class Real>
void RowMajorBlas<Real>::gram(Real alpha, ConstView<Real> a, Real beta, View<Real> c) const {
  check(pick<Real>(cublas_.cublasSsyrk_v2, cublas_.cublasDsyrk_v2)(
            blas_.get(), CUBLAS_FILL_MODE_UPPER, CUBLAS_OP_N, size(c.rows), size(a.rows), &alpha,
            a.data, stride(a.stride), &beta, c.data, stride(c.stride)),
        "cublassyrk");
}

template <class Real>
void RowMajorBlas<Real>::solve(Side side, Transpose op, ConstView<Real> l, View<Real> b) const {
  const Real one = 1;
  check(pick<Real>(cublas_.cublasStrsm_v2, cublas_.cublasDtrsm_v2)(
            blas_.get(), side == Side::left ? CUBLAS_SIDE_RIGHT : CUBLAS_SIDE_LEFT,
            CUBLAS_FILL_MODE_UPPER, blas(op), CUBLAS_DIAG_NON_UNIT, size(b.cols), size(b.rows),
            &one, l.data, stride(l.stride), b.data, stride(b.stride)),
        "cublastrsm");
}

template <class Real>
std::size_t RowMajorBlas<Real>::cholesky_work(std::size_t n, Real* a) const {
  int work = 0;
  check(pick<Real>(cusolver_.cusolverDnSpotrf_bufferSize, cusolver_.cusolverDnDpotrf_bufferSize)(
            solver_.get(), CUBLAS_FILL_MODE_UPPER, size(n), a, stride(n), &work),
        "cusolverDnpotrf_bufferSize");
  return static_cast<std::size_t>(work);
}

template <class Real>
void RowMajorBlas<Real>::cholesky(View<Real> a, Real* work, std::size_t work_size,
                                  int* info) const {
  check(pick<Real>(cusolver_.cusolverDnSpotrf, cusolver_.cusolverDnDpotrf)(
            solver_.get(), CUBLAS_FILL_MODE_UPPER, size(a.rows), a.data, stride(a.stride), work,
            size(work_size), info),
        "cusolverDnpotrf");
}

template class RowMajorBlas<float>;
template class RowMajorBlas<double>;

}  // namespace secondorder::cuda
