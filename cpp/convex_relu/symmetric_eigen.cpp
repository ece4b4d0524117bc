#include "convex_relu/symmetric_eigen.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"

extern "C" {
void dlatrd_(const char* triangle, const int* n, const int* panel, double* a, const int* lda,
             double* e, double* tau, double* w, const int* ldw);
void dsyr2k_(const char* triangle, const char* op, const int* n, const int* k, const double* alpha,
             const double* a, const int* lda, const double* b, const int* ldb, const double* beta,
             double* c, const int* ldc);
void dsytd2_(const char* triangle, const int* n, double* a, const int* lda, double* d, double* e,
             double* tau, int* info);
void dstedc_(const char* job, const int* n, double* d, double* e, double* z, const int* ldz,
             double* work, const int* lwork, int* iwork, const int* liwork, int* info);
void dormtr_(const char* side, const char* triangle, const char* op, const int* m, const int* n,
             const double* a, const int* lda, const double* tau, double* c, const int* ldc,
             double* work, const int* lwork, int* info);
}

namespace secondorder::convex_relu {

namespace {

/// Columns that the reduction takes at a time, and vectors that are transformed back at a time.
constexpr int panel = 32;
constexpr int vector_block = 64;
/// Workspace of dormtr: a panel of each vector, and its own triangular factor.
constexpr int back_work = vector_block * panel + 65 * 64;

/// Column-major LAPACK sees our lower triangle as its upper one, and writes eigenvectors into its
/// columns, our rows.
constexpr const char* upper = "U";

struct Tridiagonal {
  std::vector<double> diagonal, beside, reflectors;
};

/// LAPACK's dsytrd, in the open: A = Q·T·Qᵀ, with the vectors of Q left in A.
Tridiagonal tridiagonalize(View<double> a, const CpuAlgebra<double>& host) {
  const int n = static_cast<int>(a.rows), stride = static_cast<int>(a.stride);
  Tridiagonal t{std::vector<double>(a.rows), std::vector<double>(a.rows),
                std::vector<double>(a.rows)};
  std::vector<double> w(a.rows * panel);
  int rest = n;
  for (; rest > 2 * panel; rest -= panel) {
    host.checkpoint();
    const int left = rest - panel;
    const double minus = -1, one = 1;
    double* columns = a.row(static_cast<std::size_t>(left));
    dlatrd_(upper, &rest, &panel, a.data, &stride, t.beside.data(), t.reflectors.data(), w.data(),
            &n);
    dsyr2k_(upper, "N", &left, &panel, &minus, columns, &stride, w.data(), &n, &one, a.data,
            &stride);
    for (auto j = static_cast<std::size_t>(left); j < static_cast<std::size_t>(rest); ++j) {
      a.row(j)[j - 1] = t.beside[j - 1];
      t.diagonal[j] = a.row(j)[j];
    }
  }
  int info = 0;
  dsytd2_(upper, &rest, a.data, &stride, t.diagonal.data(), t.beside.data(), t.reflectors.data(),
          &info);
  return t;
}

/// Sizes of dstedc's workspaces for all eigenvectors.
int divide_work(int n) { return 1 + 4 * n + n * n; }
int divide_integers(int n) { return 3 + 5 * n; }

/// 1, or what brings a matrix of extreme scale to where squares neither overflow nor vanish.
double safe_scale(View<double> a) {
  double largest = 0;
  bool finite = true;
  for (std::size_t i = 0; i < a.rows; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      finite = finite && std::isfinite(a.row(i)[j]);
      largest = std::max(largest, std::abs(a.row(i)[j]));
    }
  }
  if (!finite) {
    throw Error(ErrorCode::numerical, "products of the features overflow; scale the data");
  }
  return largest > 0 && (largest < 1e-140 || largest > 1e140) ? 1 / largest : 1;
}

}  // namespace

std::size_t symmetric_eigen_bytes(std::size_t order) {
  return (2 * order * order + (panel + 12) * order) * sizeof(double);
}

std::vector<double> symmetric_eigen(View<double> a, CpuAlgebra<double>& host) {
  if (a.rows == 0) return {};
  const int n = static_cast<int>(a.rows), stride = static_cast<int>(a.stride);
  const double scale = safe_scale(a);
  if (scale != 1) host.axpby(scale, a, 0, a);
  Tridiagonal t = tridiagonalize(a, host);

  host.checkpoint();
  std::vector<double> vectors(a.rows * a.rows);
  int info = 0;
  {
    const int work_size = divide_work(n), integers_size = divide_integers(n);
    std::vector<double> work(static_cast<std::size_t>(work_size));
    std::vector<int> integers(static_cast<std::size_t>(integers_size));
    dstedc_("I", &n, t.diagonal.data(), t.beside.data(), vectors.data(), &n, work.data(),
            &work_size, integers.data(), &integers_size, &info);
  }
  if (info != 0) {
    throw Error(ErrorCode::numerical,
                "the eigenvalues of the features' Gram matrix don't converge");
  }
  host.for_blocks(a.rows, vector_block, [&](std::size_t first, std::size_t last) {
    const int count = static_cast<int>(last - first);
    std::vector<double> work(back_work);
    int failed = 0;
    double* block = vectors.data() + first * a.rows;
    dormtr_("L", upper, "N", &n, &count, a.data, &stride, t.reflectors.data(), block, &n,
            work.data(), &back_work, &failed);
  });
  host.copy({vectors.data(), a.rows, a.rows}, a);
  for (double& value : t.diagonal) value /= scale;
  return std::move(t.diagonal);
}

}  // namespace secondorder::convex_relu
