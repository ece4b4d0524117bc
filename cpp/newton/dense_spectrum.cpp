#include "newton/dense_spectrum.hpp"

#include <cmath>
#include <limits>

#include "newton/vectors.hpp"

extern "C" {
void dsyev_(const char* job, const char* triangle, const int* n, double* a, const int* lda,
            double* w, double* work, const int* lwork, int* info);
void dgeqrf_(const int* m, const int* n, double* a, const int* lda, double* tau, double* work,
             const int* lwork, int* info);
void dormqr_(const char* side, const char* op, const int* m, const int* n, const int* k,
             const double* a, const int* lda, const double* tau, double* c, const int* ldc,
             double* work, const int* lwork, int* info);
}

namespace secondorder::newton {

namespace {

/// Columns that LAPACK takes at a time, and the workspace dormqr's triangular factor needs.
constexpr std::size_t panel = 64, block_work = 65 * 64;

/// The smallest eigenvalue of a dense symmetric matrix by columns, which is overwritten.
double smallest_eigenvalue(Vector& a, std::size_t order, std::size_t stride) {
  if (order == 0) return std::numeric_limits<double>::infinity();
  Vector values(order), work((panel + 2) * order);
  const int n = static_cast<int>(order), lda = static_cast<int>(stride),
            size = static_cast<int>(work.size());
  int info = 0;
  dsyev_("N", "L", &n, a.data(), &lda, values.data(), work.data(), &size, &info);
  return info == 0 ? values[0] : std::numeric_limits<double>::quiet_NaN();
}

/// Jᵀ by columns, which are the rows of J.
Vector transposed(const SparseMatrix& jacobian) {
  Vector dense(jacobian.rows() * jacobian.cols());
  for (std::size_t i = 0; i < jacobian.rows(); ++i) {
    for (auto p = static_cast<std::size_t>(jacobian.offsets()[i]);
         p < static_cast<std::size_t>(jacobian.offsets()[i + 1]); ++p) {
      dense[i * jacobian.cols() + static_cast<std::size_t>(jacobian.columns()[p])] =
          jacobian.values()[p];
    }
  }
  return dense;
}

}  // namespace

double smallest_singular_value_squared(const SparseMatrix& jacobian) {
  const std::size_t m = jacobian.rows(), n = jacobian.cols();
  if (m > n) return 0;
  const Vector rows = transposed(jacobian);
  Vector gram(m * m);
  for (std::size_t j = 0; j < m; ++j) {
    const auto row = std::span(rows).subspan(j * n, n);
    for (std::size_t i = j; i < m; ++i) {
      gram[j * m + i] = dot(row, std::span(rows).subspan(i * n, n));
    }
  }
  return smallest_eigenvalue(gram, m, m);
}

double smallest_reduced_eigenvalue(const SparseSymmetric& hessian, const SparseMatrix& jacobian) {
  const std::size_t m = jacobian.rows(), n = jacobian.cols();
  Vector dense(n * n);
  for (std::size_t j = 0; j < n; ++j) {
    for (auto p = static_cast<std::size_t>(hessian.offsets()[j]);
         p < static_cast<std::size_t>(hessian.offsets()[j + 1]); ++p) {
      const auto i = static_cast<std::size_t>(hessian.rows()[p]);
      dense[j * n + i] = dense[i * n + j] = hessian.values()[p];
    }
  }
  if (m == 0) return smallest_eigenvalue(dense, n, n);
  // H ← QᵀHQ for Jᵀ = Q·R; the null space of J is spanned by the last n − m columns of Q.
  Vector q = transposed(jacobian), tau(m), work(panel * n + block_work);
  const int rows = static_cast<int>(n), columns = static_cast<int>(m),
            size = static_cast<int>(work.size());
  int info = 0;
  dgeqrf_(&rows, &columns, q.data(), &rows, tau.data(), work.data(), &size, &info);
  dormqr_("L", "T", &rows, &rows, &columns, q.data(), &rows, tau.data(), dense.data(), &rows,
          work.data(), &size, &info);
  dormqr_("R", "N", &rows, &rows, &columns, q.data(), &rows, tau.data(), dense.data(), &rows,
          work.data(), &size, &info);
  const std::size_t rest = n - m;
  Vector reduced(rest * rest);
  for (std::size_t j = 0; j < rest; ++j) {
    for (std::size_t i = 0; i < rest; ++i) reduced[j * rest + i] = dense[(m + j) * n + m + i];
  }
  return smallest_eigenvalue(reduced, rest, rest);
}

double frobenius_norm(const SparseSymmetric& hessian, double shift) {
  double sum = 0;
  for (std::size_t j = 0; j < hessian.order(); ++j) {
    double diagonal = shift;
    for (auto p = static_cast<std::size_t>(hessian.offsets()[j]);
         p < static_cast<std::size_t>(hessian.offsets()[j + 1]); ++p) {
      const double value = hessian.values()[p];
      if (hessian.rows()[p] == static_cast<std::int32_t>(j)) {
        diagonal += value;
      } else {
        sum += 2 * value * value;
      }
    }
    sum += diagonal * diagonal;
  }
  return std::sqrt(sum);
}

}  // namespace secondorder::newton
