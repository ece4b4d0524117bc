// Eigenvalues and eigenvectors of a symmetric matrix, in float64 on the host.
#pragma once

#include <vector>

#include "algebra/view.hpp"

namespace secondorder::convex_relu {

/// Ascending eigenvalues; row i of `a` becomes the i-th unit eigenvector. Reads the lower triangle.
std::vector<double> symmetric_eigen(View<double> a);

}  // namespace secondorder::convex_relu
