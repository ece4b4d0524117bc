// K = P·L·D·Lᵀ·Pᵀ without pivoting, by Eigen's sparse factorization with a minimum-degree order.
#pragma once

#include <memory>

#include "newton/kkt_system.hpp"

namespace secondorder::newton {

/// Without pivoting the factors exist, and are stable, for quasi-definite matrices. So what is
/// factored is K + diag(ε, …, ε, −ε, …, −ε), and solutions are refined against K itself: by
/// corrections first, by GMRES preconditioned with the factors where these no longer help. The
/// pattern is analysed once, before the first factorization at the latest.
class SparseLdl final : public KktSolver {
 public:
  SparseLdl();
  ~SparseLdl() override;

  std::string_view name() const override { return "sparse-ldl"; }
  /// Orders and analyses the pattern that all systems to come have. Returns the operations of a
  /// factorization: Σ kⱼ² over the columns of L, for kⱼ entries below the diagonal.
  double analyse(const KktSystem& system);
  /// Needs the entries of the Hessian.
  std::optional<Inertia> prepare(const KktSystem& system) override;
  SolveOutcome solve(std::span<const double> b, double accuracy, std::span<double> x) override;
  std::size_t factorizations() const override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace secondorder::newton
