// Eigenvalues and eigenvectors of a symmetric matrix, in float64 on the host.
#pragma once

#include <cstddef>
#include <vector>

#include "algebra/cpu/cpu_algebra.hpp"

namespace secondorder::convex_relu {

/// Ascending eigenvalues; row i of `a` becomes the i-th unit eigenvector. Reads the lower triangle.
/// Throws ERR_NUMERICAL where the values aren't finite.
///
/// The host's control is looked at between panels of the reduction to a tridiagonal matrix, and
/// between blocks of back-transformed vectors. The tridiagonal problem in between is one LAPACK
/// call: a quarter of the time, 0.1 s at order 800 and 2 s at order 3000.
std::vector<double> symmetric_eigen(View<double> a, CpuAlgebra<double>& host);

/// Bytes that it takes beside the matrix.
std::size_t symmetric_eigen_bytes(std::size_t order);

}  // namespace secondorder::convex_relu
