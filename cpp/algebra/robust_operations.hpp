// What the robust convex program needs beside Algebra: proximal steps of robust losses and cones,
// and the entrywise passes between its products. Buffers are an Algebra's.
#pragma once

#include "algebra/algebra.hpp"
#include "algebra/robust.hpp"

namespace secondorder {

template <class Real>
class RobustOperations {
 public:
  virtual ~RobustOperations() = default;

  /// z (n × f) = prox of the weighted robust loss at q with penalty t/2‖z − q‖², row by row, over
  /// boxes of `radius` (1 × f) around the rows of x; y and weights are n × 1, weights may be empty.
  virtual void robust_loss_prox(Loss loss, ConstView<Real> x, ConstView<Real> y,
                                ConstView<Real> weights, ConstView<Real> radius, Real penalty,
                                ConstView<Real> q, View<Real> z) = 0;
  /// Rows (e, s) of e (m × f) and s (m × n) become those of the cones s ≥ radiusᵀ|e| that are
  /// nearest to rows of e0 and s0 in ‖s − s0‖² + ‖e − e0‖²/ratio.
  virtual void robust_cone_prox(ConstView<Real> radius, Real ratio, ConstView<Real> e0,
                                ConstView<Real> s0, View<Real> e, View<Real> s) = 0;
  /// What rows v (m × f) with activations s = E∘(v·Xᵀ) (m × n) violate the cones s ≥ radiusᵀ|v| by:
  /// Σ relu(radiusᵀ|v| − s)², with the total Σ s².
  virtual ConeSums robust_violation(ConstView<Real> radius, ConstView<Real> v,
                                    ConstView<Real> s) = 0;
  /// prox ← 2·prox − state, and state ← state − relaxation·prox
  virtual void reflect(Real relaxation, View<Real> prox, View<Real> state) = 0;
  /// w ← E∘w, E = 2D − 1, for every set: d (P × n) holds 0 and 1, w is sets·P × n
  virtual void apply_signs(ConstView<Real> d, View<Real> w) = 0;
  /// a(i, j) /= left(0, i) + right(0, j)
  virtual void divide_by_sums(ConstView<Real> left, ConstView<Real> right, View<Real> a) = 0;
};

}  // namespace secondorder
