// The matrices of a reference problem, written out in full, and its losses row by row.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "reference_cone_program.hpp"
#include "reference_conic_interior_point.hpp"

namespace secondorder::reference {

/// Unknowns are numbered ((sign * c + output) * P + gate) * d + feature.
class Instance {
 public:
  /// Throws std::invalid_argument for wrong sizes or values.
  explicit Instance(const ReferenceProblem& problem);

  const ReferenceProblem& problem;
  std::size_t signs;     // 2 for the cone program, 1 for the gated one
  std::size_t unknowns;  // signs * c * P * d
  Matrix prediction;     // (n * c) x unknowns: yhat = prediction * u
  /// (signs * c * P * n) x unknowns: (2D - I) X u of every block; no rows for the gated model.
  Matrix cone;
  /// The unknowns that share a norm.
  std::vector<std::vector<std::size_t>> groups;

  Real sample_weight(std::size_t sample) const;
  std::span<const double> target(std::size_t sample) const;
};

/// l(z, y) of one sample; its gradient and Hessian (c x c), for the smooth losses.
Real loss_value(Loss loss, std::span<const Real> z, std::span<const double> y);
void loss_gradient(Loss loss, std::span<const Real> z, std::span<const double> y,
                   std::span<Real> gradient);
void loss_hessian(Loss loss, std::span<const Real> z, std::span<const double> y, Matrix& hessian);

/// l*(nu) of one sample; +infinity outside the domain.
Real loss_conjugate(Loss loss, std::span<const Real> nu, std::span<const double> y);

/// Splits unknowns into v and w, fills every value of the result from (u, nu, mu).
ReferenceResult certify(const ReferenceProblem& problem, const Vector& u, std::vector<double> nu,
                        std::vector<double> mu);

}  // namespace secondorder::reference
