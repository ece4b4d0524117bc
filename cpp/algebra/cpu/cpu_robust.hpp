// RobustOperations on the CPU, over the team of a CpuAlgebra.
#pragma once

#include "algebra/cpu/cpu_algebra.hpp"
#include "algebra/robust_operations.hpp"

namespace secondorder {

template <class Real>
class CpuRobustOperations final : public RobustOperations<Real> {
 public:
  explicit CpuRobustOperations(CpuAlgebra<Real>& algebra) : algebra_(algebra) {}

  void robust_loss_prox(Loss loss, ConstView<Real> x, ConstView<Real> y, ConstView<Real> weights,
                        ConstView<Real> radius, Real penalty, ConstView<Real> q,
                        View<Real> z) override;
  void robust_cone_prox(ConstView<Real> radius, Real ratio, ConstView<Real> e0, ConstView<Real> s0,
                        View<Real> e, View<Real> s) override;
  ConeSums robust_violation(ConstView<Real> radius, ConstView<Real> v, ConstView<Real> s) override;
  void reflect(Real relaxation, View<Real> prox, View<Real> state) override;
  void apply_signs(ConstView<Real> d, View<Real> w) override;
  void divide_by_sums(ConstView<Real> left, ConstView<Real> right, View<Real> a) override;

 private:
  CpuAlgebra<Real>& algebra_;
  std::vector<ConeSums> sums_;  ///< by row
};

}  // namespace secondorder
