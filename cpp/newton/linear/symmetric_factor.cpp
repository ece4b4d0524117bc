#include "newton/linear/symmetric_factor.hpp"

#include "newton/linear/pivots.hpp"

extern "C" {
void dsytrf_(const char* triangle, const int* n, double* a, const int* lda, int* pivots,
             double* work, const int* lwork, int* info);
void dsytrs_(const char* triangle, const int* n, const int* columns, const double* a,
             const int* lda, const int* pivots, double* b, const int* ldb, int* info);
}

namespace secondorder::newton {

namespace {

/// Columns that dsytrf takes at a time.
constexpr std::size_t panel = 64;

}  // namespace

std::span<double> SymmetricFactor::start(std::size_t order) {
  order_ = order;
  matrix_.assign(order * order, 0.0);
  return matrix_;
}

void SymmetricFactor::factor() {
  pivots_.resize(order_);
  work_.resize(order_ * panel);
  if (order_ == 0) return;
  const int order = static_cast<int>(order_), work_size = static_cast<int>(work_.size());
  int info = 0;
  dsytrf_("L", &order, matrix_.data(), &order, pivots_.data(), work_.data(), &work_size, &info);
}

Inertia SymmetricFactor::inertia() const {
  return inertia_of_pivots({pivots_.data(), order_}, matrix_.data(), order_ + 1);
}

void SymmetricFactor::solve(std::span<double> x) const {
  if (order_ == 0) return;
  const int order = static_cast<int>(order_), one = 1;
  int info = 0;
  dsytrs_("L", &order, &one, matrix_.data(), &order, pivots_.data(), x.data(), &order, &info);
}

}  // namespace secondorder::newton
