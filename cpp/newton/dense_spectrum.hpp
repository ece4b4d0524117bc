// Norms and extreme eigenvalues by dense factorizations, for the paper's conditions.
#pragma once

#include "newton/sparse.hpp"

namespace secondorder::newton {

/// σ²_min of a matrix with no more rows than columns, 0 where it has more; infinity where empty.
double smallest_singular_value_squared(const SparseMatrix& jacobian);

/// The smallest eigenvalue of ZᵀHZ, where the orthonormal columns of Z span the null space of J
/// (m < n, full rank).
double smallest_reduced_eigenvalue(const SparseSymmetric& hessian, const SparseMatrix& jacobian);

/// ‖H + shift·I‖_F
double frobenius_norm(const SparseSymmetric& hessian, double shift = 0);

}  // namespace secondorder::newton
