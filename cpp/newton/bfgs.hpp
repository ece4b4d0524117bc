// Quasi-Newton approximations of the Hessian of the Lagrangian, kept positive definite by Powell's
// damping: dense for few variables, compact with limited memory (Byrd, Nocedal, Schnabel 1994) for
// many.
#pragma once

#include <deque>

#include "newton/hessian.hpp"
#include "newton/linear/symmetric_factor.hpp"

namespace secondorder::newton {

class DenseBfgs final : public LagrangianHessian {
 public:
  explicit DenseBfgs(std::size_t variables);
  bool update(const Iterate& /*iterate*/, std::span<const double> /*lambda*/,
              double /*sigma*/) override {
    return true;
  }
  const SparseSymmetric* matrix() const override { return &matrix_; }
  void multiply(std::span<const double> v, std::span<double> out) override {
    matrix_.multiply(v, out);
  }
  void learn(std::span<const double> step, std::span<const double> change) override;
  bool learns() const override { return true; }
  void forget() override;

 private:
  void scale_identity(double sigma);

  SparseSymmetric matrix_;
  Vector image_, damped_;
  bool fresh_ = true;
};

/// B = σI − W·M⁻¹·Wᵀ with W = [σS, Y] and M = [σSᵀS, L; Lᵀ, −D], for SᵀY = L + D + upper triangle.
class LimitedMemoryBfgs final : public LagrangianHessian {
 public:
  explicit LimitedMemoryBfgs(std::size_t memory) : memory_(memory) {}
  bool update(const Iterate& /*iterate*/, std::span<const double> /*lambda*/,
              double /*sigma*/) override {
    return true;
  }
  void multiply(std::span<const double> v, std::span<double> out) override;
  void learn(std::span<const double> step, std::span<const double> change) override;
  bool learns() const override { return true; }
  void forget() override;
  std::unique_ptr<KktSolver> own_kkt_solver() override;

  double sigma() const { return sigma_; }
  /// Columns of W.
  std::size_t rank() const { return 2 * steps_.size(); }
  /// out = the j-th column of W
  void column(std::size_t j, std::span<double> out) const;
  /// The lower triangle of M, by columns.
  const Vector& middle() const { return middle_; }

 private:
  void rebuild();

  std::size_t memory_;
  double sigma_ = 1;
  std::deque<Vector> steps_, changes_;
  Vector middle_, weights_, image_;
  SymmetricFactor factor_;  // of M
};

}  // namespace secondorder::newton
