// GMRES with a right preconditioner (Saad, "Iterative methods for sparse linear systems", 9.3.2),
// to finish what factors of a nearby matrix began.
#pragma once

#include <cmath>
#include <span>
#include <vector>

#include "newton/kkt_system.hpp"
#include "newton/vectors.hpp"

namespace secondorder::newton {

/// One cycle of at most `most_steps` steps on K·y = residual, y = M⁻¹·(…), where `apply` turns a
/// vector v into M⁻¹v in place. Returns the steps; `residual` becomes the correction y.
template <class Apply>
std::size_t gmres(const KktSystem& system, double accuracy, std::size_t most_steps,
                  const Apply& apply, Vector& residual) {
  const std::size_t order = residual.size();
  const double start = norm2(residual);
  std::vector<Vector> basis{residual}, preconditioned;
  for (double& value : basis[0]) value /= start;
  std::vector<Vector> upper;  // columns of the triangular factor of the Hessenberg matrix
  Vector cosine, sine, right{start};
  std::size_t steps = 0;
  while (steps < most_steps && std::abs(right[steps]) > accuracy) {
    preconditioned.push_back(basis[steps]);
    apply(preconditioned.back());
    Vector next(order), column;
    system.multiply(preconditioned.back(), next);
    for (std::size_t i = 0; i <= steps; ++i) {
      column.push_back(dot(basis[i], next));
      add(-column[i], basis[i], next);
    }
    const double height = norm2(next);
    if (!std::isfinite(height)) {
      preconditioned.pop_back();
      break;
    }
    for (std::size_t i = 0; i < steps; ++i) {  // the earlier rotations
      const double above = cosine[i] * column[i] + sine[i] * column[i + 1];
      column[i + 1] = -sine[i] * column[i] + cosine[i] * column[i + 1];
      column[i] = above;
    }
    const double length = newton::length(column[steps], height);
    if (length == 0) {
      preconditioned.pop_back();
      break;
    }
    cosine.push_back(column[steps] / length);
    sine.push_back(height / length);
    column[steps] = length;
    right.push_back(-sine[steps] * right[steps]);
    right[steps] *= cosine[steps];
    upper.push_back(std::move(column));
    ++steps;
    if (height == 0) break;
    for (double& value : next) value /= height;
    basis.push_back(std::move(next));
  }
  std::fill(residual.begin(), residual.end(), 0.0);
  for (std::size_t i = steps; i-- > 0;) {
    right[i] /= upper[i][i];
    for (std::size_t k = 0; k < i; ++k) right[k] -= upper[i][k] * right[i];
    add(right[i], preconditioned[i], residual);
  }
  return steps;
}

}  // namespace secondorder::newton
