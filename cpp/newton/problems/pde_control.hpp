// Optimal control of Poisson's equation on Ω = (−1, 1)², with u = 0 on its boundary:
//
//   min ½‖u − target‖² + (α/2)·‖f‖²   s.t.   −Δu = f,
//
// discretised at the N × N inner points of a grid of spacing h = 2/(N + 1), where −Δ is the 5-point
// stencil (4u(i, j) − u(i−1, j) − u(i+1, j) − u(i, j−1) − u(i, j+1))/h² and norms are Euclidean
// ones of the values at the points. Variables: u, then f, each row after row, n = 2N²; constraints:
// −Δ_h·u − f = 0 at each point, m = N².
//
// An example of a problem with a preconditioner of its own: with H = diag(h_u·I, h_f·I), MINRES
// preconditioned by diag(H, S), S = J·H⁻¹·Jᵀ, needs 3 steps whatever N (Murphy, Golub, Wathen
// 2000), and sine transforms diagonalise S.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "newton/kkt_system.hpp"
#include "newton/problem.hpp"

namespace secondorder {
class ThreadPool;
}

namespace secondorder::newton {

struct PdeControlOptions {
  std::size_t grid = 0;             ///< N ≥ 1
  double alpha = 0.1;               ///< α > 0
  std::vector<double> target = {};  ///< N², row after row; empty: sin(4 + ε·i) + cos(3 + ε·j),
                                    ///< where i and j count points from the middle, ε = 0.1/√15
};

class PdeControl final : public Problem {
 public:
  /// Throws Error(invalid_argument | dimension_mismatch) for options out of range, and
  /// Error(out_of_memory) for a grid that a run has no memory for.
  explicit PdeControl(PdeControlOptions options);

  std::size_t grid() const { return o_.grid; }
  std::span<const double> target() const { return o_.target; }

  std::size_t variables() const override { return 2 * points(); }
  std::size_t constraints() const override { return points(); }
  Coordinates jacobian_structure() const override;
  HessianForm hessian_form() const override { return HessianForm::values; }
  Coordinates hessian_structure() const override;
  void begin(const RunSetting& setting) override { pool_ = &setting.pool; }
  void end() override { pool_ = nullptr; }
  std::unique_ptr<KktSolver> own_kkt_solver() override;

  double objective(std::span<const double> x) override;
  void gradient(std::span<const double> x, std::span<double> out) override;
  void constraint(std::span<const double> x, std::span<double> out) override;
  void jacobian_values(std::span<const double> x, std::span<double> out) override;
  void hessian_values(std::span<const double> x, double sigma, std::span<const double> lambda,
                      std::span<double> out) override;

 private:
  std::size_t points() const { return o_.grid * o_.grid; }
  double inverse_square_spacing() const;
  ThreadPool& pool();

  PdeControlOptions o_;
  ThreadPool* pool_ = nullptr;
  std::unique_ptr<ThreadPool> own_pool_;
};

}  // namespace secondorder::newton
