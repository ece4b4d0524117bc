// The Cholesky factor of ρI + MᵀM for a tall matrix M, as exact as M's own condition allows.
//
// Rounding MᵀM loses what lies below ε‖M‖², and λ may lie there: a Cholesky factor of the product
// alone is off by the square of M's condition number. So where the product is ill-conditioned the
// factor L is used to make the rows of S = L⁻¹(ρI + MᵀM)L⁻ᵀ, computed from M·L⁻ᵀ, which is nearly
// orthonormal; L·chol(S) is then as exact as a QR factorization of M ("Cholesky QR", done twice),
// at the speed of matrix products (Yamamoto et al., ETNA 44 (2015); shifted where the first factor
// does not exist: Fukaya et al., SISC 42 (2020)).
#pragma once

#include <cstddef>

#include "algebra/view.hpp"
#include "base/function_ref.hpp"
#include "mfac/fisher_blocks_team.hpp"

namespace secondorder::mfac {

/// M, samples × order, never whole in memory as doubles.
struct TallMatrix {
  std::size_t samples = 0;
  std::size_t order = 0;
  /// Rows of a chunk are samples (count × order), or entries (order × count).
  bool samples_are_rows = true;
  /// Writes samples [first, first + count) to a chunk, in either layout, rows `stride` apart.
  FunctionRef<void(std::size_t first, std::size_t count, double* out, std::size_t stride)> read;
};

/// Writes L (order × order, zeros above the diagonal), L·Lᵀ = ridge·I + MᵀM.
/// Throws ERR_NUMERICAL where that matrix is not positive definite in float64.
void factor_tall(Team& team, const TallMatrix& m, double ridge, View<double> l);

}  // namespace secondorder::mfac
