// cuBLAS for row-major matrices, as overloads for float and double. A row-major matrix is the
// transpose of the column-major one in the same memory, so factors change places and a lower
// triangle is cuBLAS's upper one.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <memory>

#include "algebra/algebra.hpp"
#include "cublas.hpp"
#include "cusolver.hpp"
#include "memory.hpp"

namespace secondorder::cuda {

enum class Side { left, right };

/// Fails where `status` isn't success: ERR_OUT_OF_MEMORY, or ERR_CUDA with the number.
void check(cublasStatus_t status, const char* call);
void check(cusolverStatus_t status, const char* call);

/// Handles on one stream. Every operation is issued on it and returns.
template <class Real>
class RowMajorBlas {
 public:
  RowMajorBlas(const Cublas& cublas, const Cusolver& cusolver, cudaStream_t stream);

  /// Lets cuBLAS work in this memory, which must outlive the handles: in a capture it would else
  /// allocate anew each time.
  void use_workspace(const DeviceMemory& workspace) const;

  /// C = alpha·op(A)·op(B) + beta·C, all dimensions at least 1. `tf32` rounds the factors of
  /// float32 products.
  void multiply(Real alpha, ConstView<Real> a, Transpose op_a, ConstView<Real> b, Transpose op_b,
                Real beta, View<Real> c, bool tf32 = false) const;
  /// The lower triangle of C = alpha·Aᵀ·A + beta·C
  void gram(Real alpha, ConstView<Real> a, Real beta, View<Real> c) const;
  /// B ← op(L)⁻¹·B, or B·op(L)⁻¹ from the right.
  void solve(Side side, Transpose op, ConstView<Real> l, View<Real> b) const;

  /// cuSOLVER's handle on the stream.
  cusolverDnHandle_t solver() const { return solver_.get(); }

  /// Elements of work space that cholesky() takes for the order n; `a` is any device memory.
  std::size_t cholesky_work(std::size_t n, Real* a) const;
  /// A = L·Lᵀ in the lower triangle; *info (on the device) is 0 where all pivots were positive.
  void cholesky(View<Real> a, Real* work, std::size_t work_size, int* info) const;

 private:
  const Cublas& cublas_;
  const Cusolver& cusolver_;
  template <class Context, class Status>
  using Handle = std::unique_ptr<Context, Status (*)(Context*)>;
  Handle<cublasContext, cublasStatus_t> blas_;
  Handle<cusolverDnContext, cusolverStatus_t> solver_;
};

extern template class RowMajorBlas<float>;
extern template class RowMajorBlas<double>;

}  // namespace secondorder::cuda
