// The block preconditioner of PDE-constrained control: diag(H + δ_w I, S) with the Schur complement
// S = J·(H + δ_w I)⁻¹·Jᵀ + δ_c·I, for H = diag(h_u·I, h_f·I) and J = (a·L, b·I), where L is the
// 5-point stencil (4, −1, −1, −1, −1) on an N × N grid. L is diagonal in the sine vectors
//
//   v_k(i) = √(2/(N+1))·sin(ikπ/(N+1)),   L·(v_k ⊗ v_l) = (λ_k + λ_l)·(v_k ⊗ v_l),
//   λ_k = 4·sin²(kπ/(2(N+1))),
//
// so S⁻¹ is a sine transform there and back. The transform is a product with the N × N matrix of
// the v_k: N³ operations at the speed of gemm, less time than anything else up to N ≈ 1000.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "algebra/view.hpp"
#include "base/thread_pool.hpp"
#include "newton/linear/preconditioner.hpp"

namespace secondorder::newton {

class PoissonPreconditioner final : public KktPreconditioner {
 public:
  PoissonPreconditioner(std::size_t grid, ThreadPool& pool);

  /// Reads h_u, h_f, a and b off the system, so that f and c may be scaled by one factor each.
  std::optional<Inertia> prepare(const KktSystem& system) override;
  void apply(std::span<const double> r, std::span<double> out) override;

 private:
  /// out = V·x·V for N × N x
  void transform(std::span<const double> x, std::span<double> out);

  std::size_t grid_;
  ThreadPool& pool_;
  std::vector<double> sines_, eigenvalues_;  // N × N; N, of the second difference
  std::vector<double> schur_, half_, image_;
  double state_weight_ = 1, control_weight_ = 1;
};

}  // namespace secondorder::newton
