// Small triangular factors, and division by larger ones, by matrix products: two to four times as
// fast as BLAS and LAPACK have them.
#pragma once

#include <cstddef>
#include <memory>

#include "algebra/view.hpp"

namespace secondorder::mfac {

/// Holds the inverses of the diagonal blocks of L; L must outlive it.
class TriangularDivider {
 public:
  explicit TriangularDivider(ConstView<double> l);

  /// B ← L⁻¹·B
  void divide_left(View<double> b) const;
  /// B ← B·L⁻ᵀ
  void divide_right(View<double> b) const;

  /// Columns of L⁻¹ come in panels of this many.
  static constexpr std::size_t panel = 64;
  /// Columns [first, first + columns of out) of L⁻¹, rows from `first` on, for a panel's first.
  void inverse_panel(std::size_t first, View<double> out) const;

 private:
  std::size_t width(std::size_t first) const;
  const double* inverse(std::size_t first) const { return inverses_.get() + first * panel; }

  ConstView<double> l_;
  std::unique_ptr<double[]> inverses_;
};

/// The Cholesky factor of a matrix of some hundred rows, in its lower triangle; false where it has
/// none.
bool small_cholesky(View<double> a);

}  // namespace secondorder::mfac
