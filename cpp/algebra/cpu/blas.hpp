// BLAS and LAPACK as overloads for float and double; row-major, one thread a call.
#pragma once

#include <cblas.h>

#include <algorithm>
#include <cstddef>

extern "C" {
void spotrf_(const char*, const int*, float*, const int*, int*);
void dpotrf_(const char*, const int*, double*, const int*, int*);
}

namespace secondorder::blas {

inline blasint size(std::size_t n) { return static_cast<blasint>(n); }
/// BLAS wants a leading dimension of at least one, even of an empty matrix.
inline blasint stride(std::size_t n) { return static_cast<blasint>(std::max<std::size_t>(n, 1)); }

inline void gemm(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, std::size_t m, std::size_t n,
                 std::size_t k, float alpha, const float* a, std::size_t lda, const float* b,
                 std::size_t ldb, float beta, float* c, std::size_t ldc) {
  cblas_sgemm(CblasRowMajor, ta, tb, size(m), size(n), size(k), alpha, a, stride(lda), b,
              stride(ldb), beta, c, stride(ldc));
}
inline void gemm(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, std::size_t m, std::size_t n,
                 std::size_t k, double alpha, const double* a, std::size_t lda, const double* b,
                 std::size_t ldb, double beta, double* c, std::size_t ldc) {
  cblas_dgemm(CblasRowMajor, ta, tb, size(m), size(n), size(k), alpha, a, stride(lda), b,
              stride(ldb), beta, c, stride(ldc));
}

inline void gemv(CBLAS_TRANSPOSE ta, std::size_t m, std::size_t n, float alpha, const float* a,
                 std::size_t lda, const float* x, std::size_t incx, float beta, float* y,
                 std::size_t incy) {
  cblas_sgemv(CblasRowMajor, ta, size(m), size(n), alpha, a, stride(lda), x, size(incx), beta, y,
              size(incy));
}
inline void gemv(CBLAS_TRANSPOSE ta, std::size_t m, std::size_t n, double alpha, const double* a,
                 std::size_t lda, const double* x, std::size_t incx, double beta, double* y,
                 std::size_t incy) {
  cblas_dgemv(CblasRowMajor, ta, size(m), size(n), alpha, a, stride(lda), x, size(incx), beta, y,
              size(incy));
}

/// C = alpha·op(A)·B + beta·C, by a matrix-vector product where B is one column.
template <class Real>
void multiply_columns(CBLAS_TRANSPOSE ta, std::size_t m, std::size_t n, std::size_t k, Real alpha,
                      const Real* a, std::size_t lda, const Real* b, std::size_t ldb, Real beta,
                      Real* c, std::size_t ldc) {
  if (n != 1) {
    gemm(ta, CblasNoTrans, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
  } else if (ta == CblasNoTrans) {
    gemv(ta, m, k, alpha, a, lda, b, ldb, beta, c, ldc);
  } else {
    gemv(ta, k, m, alpha, a, lda, b, ldb, beta, c, ldc);
  }
}

inline void trsm(CBLAS_SIDE side, CBLAS_TRANSPOSE ta, std::size_t m, std::size_t n, const float* l,
                 std::size_t ldl, float* b, std::size_t ldb) {
  cblas_strsm(CblasRowMajor, side, CblasLower, ta, CblasNonUnit, size(m), size(n), 1.0F, l,
              stride(ldl), b, stride(ldb));
}
inline void trsm(CBLAS_SIDE side, CBLAS_TRANSPOSE ta, std::size_t m, std::size_t n, const double* l,
                 std::size_t ldl, double* b, std::size_t ldb) {
  cblas_dtrsm(CblasRowMajor, side, CblasLower, ta, CblasNonUnit, size(m), size(n), 1.0, l,
              stride(ldl), b, stride(ldb));
}

inline void trsv(CBLAS_TRANSPOSE ta, std::size_t m, const float* l, std::size_t ldl, float* b,
                 std::size_t incb) {
  cblas_strsv(CblasRowMajor, CblasLower, ta, CblasNonUnit, size(m), l, stride(ldl), b, size(incb));
}
inline void trsv(CBLAS_TRANSPOSE ta, std::size_t m, const double* l, std::size_t ldl, double* b,
                 std::size_t incb) {
  cblas_dtrsv(CblasRowMajor, CblasLower, ta, CblasNonUnit, size(m), l, stride(ldl), b, size(incb));
}

/// Lower Cholesky factor in place; false where a pivot isn't positive.
/// LAPACK is column-major: its upper factor is our lower one.
inline bool potrf(std::size_t n, float* a, std::size_t lda) {
  const int order = size(n), leading = stride(lda);
  int info = 0;
  spotrf_("U", &order, a, &leading, &info);
  return info == 0;
}
inline bool potrf(std::size_t n, double* a, std::size_t lda) {
  const int order = size(n), leading = stride(lda);
  int info = 0;
  dpotrf_("U", &order, a, &leading, &info);
  return info == 0;
}

}  // namespace secondorder::blas
