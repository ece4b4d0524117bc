// Dense factorization of K, for systems of up to some thousand rows.
#pragma once

#include "newton/linear/symmetric_factor.hpp"

namespace secondorder::newton {

class DenseLdl final : public KktSolver {
 public:
  std::string_view name() const override { return "dense-ldl"; }
  /// Needs the entries of the Hessian.
  std::optional<Inertia> prepare(const KktSystem& system) override;
  SolveOutcome solve(std::span<const double> b, double accuracy, std::span<double> x) override;
  std::size_t factorizations() const override { return factorizations_; }

 private:
  const KktSystem* system_ = nullptr;
  SymmetricFactor factor_;
  Vector residual_;
  std::size_t factorizations_ = 0;
};

}  // namespace secondorder::newton
