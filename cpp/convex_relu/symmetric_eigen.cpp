#include "convex_relu/symmetric_eigen.hpp"

#include "base/error.hpp"

extern "C" void dsyevd_(const char* job, const char* triangle, const int* n, double* a,
                        const int* lda, double* w, double* work, const int* lwork, int* iwork,
                        const int* liwork, int* info);

namespace secondorder::convex_relu {

std::vector<double> symmetric_eigen(View<double> a) {
  const int n = static_cast<int>(a.rows), stride = static_cast<int>(a.stride);
  std::vector<double> values(a.rows);
  if (n == 0) return values;
  int info = 0, integer_size = 0, query = -1;
  double size = 0;
  // Column-major LAPACK sees our lower triangle as its upper one, and writes the eigenvectors into
  // its columns, our rows.
  dsyevd_("V", "U", &n, a.data, &stride, values.data(), &size, &query, &integer_size, &query,
          &info);
  int work_size = static_cast<int>(size);
  std::vector<double> work(static_cast<std::size_t>(work_size));
  std::vector<int> integers(static_cast<std::size_t>(integer_size));
  dsyevd_("V", "U", &n, a.data, &stride, values.data(), work.data(), &work_size, integers.data(),
          &integer_size, &info);
  if (info != 0) {
    throw Error(ErrorCode::numerical,
                "the eigenvalues of the features' Gram matrix don't converge");
  }
  return values;
}

}  // namespace secondorder::convex_relu
