// The u-update of robust ADMM, exact: with B = (1 + γₑ)I + γₛXᵀX and parameters as rows,
//
//   (u₁ + u₂)·B = b₁ + b₂
//   (u₁ − u₂)·B + 2κ·DDᵀ·(u₁ − u₂) = b₁ − b₂ + 2κ·D·a,
//
// a Sylvester equation, which the eigenvectors of XᵀX and DDᵀ make diagonal. They are found once:
// the penalties enter the divisors alone.
#pragma once

#include "convex_relu/adversarial_program.hpp"

namespace secondorder::convex_relu {

/// Weights of the constraints u = e and E∘(Xu) = s beside u = V, for columns of norm 1.
inline constexpr double gamma_box = 1;
inline constexpr double gamma_robust_cone = 3;

template <class Real>
class SylvesterUpdate {
 public:
  /// Lays out its memory in the arena, which may only count.
  SylvesterUpdate(Algebra<Real>& algebra, RobustOperations<Real>& operations, Arena& arena,
                  const RobustProgram<Real>& program);

  /// Eigenvectors, in float64 on the host.
  void factor(const RobustData& data, GateBits patterns, HostAlgebra& host);
  /// The coefficient κ; after factor().
  void set_weight(double kappa);
  /// Solves in place: `sum` holds b₁ + b₂ and then u₁ + u₂, `difference` the right-hand side and
  /// then u₁ − u₂; both P × f.
  void solve(View<Real> sum, View<Real> difference);

 private:
  Algebra<Real>& algebra_;
  RobustOperations<Real>& operations_;
  View<Real> x_vectors_;     ///< f × f, rows
  View<Real> gate_vectors_;  ///< P × P, rows
  View<Real> metric_;        ///< 1 × f, eigenvalues of B
  View<Real> coupling_;      ///< 1 × P, 2κ·eigenvalues of DDᵀ
  View<Real> none_;          ///< 1 × P, zeros
  View<Real> rotated_, t_;   ///< P × f
  std::vector<double> gate_values_;
};

}  // namespace secondorder::convex_relu
