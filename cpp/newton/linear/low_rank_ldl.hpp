// K with the compact form of limited-memory BFGS: sparse factors of [σI + δ_w I, Jᵀ; J, −δ_c I],
// and Woodbury's identity for the rest,
//     K = K₀ − U·M⁻¹·Uᵀ,   K⁻¹ = K₀⁻¹ + K₀⁻¹U·(M − UᵀK₀⁻¹U)⁻¹·UᵀK₀⁻¹,   U = [W; 0].
#pragma once

#include <vector>

#include "newton/linear/sparse_ldl.hpp"
#include "newton/linear/symmetric_factor.hpp"

namespace secondorder::newton {

class LimitedMemoryBfgs;

class LowRankLdl final : public KktSolver {
 public:
  explicit LowRankLdl(const LimitedMemoryBfgs& bfgs) : bfgs_(bfgs) {}
  std::string_view name() const override { return "sparse-ldl"; }
  std::optional<Inertia> prepare(const KktSystem& system) override;
  SolveOutcome solve(std::span<const double> b, double accuracy, std::span<double> x) override;
  std::size_t factorizations() const override { return base_.factorizations(); }

 private:
  void apply(Vector& right);

  const LimitedMemoryBfgs& bfgs_;
  const KktSystem* system_ = nullptr;
  KktSystem base_system_;
  SparseSymmetric diagonal_;
  SparseLdl base_;
  std::vector<Vector> columns_, solved_;  // of U and of K₀⁻¹U
  SymmetricFactor middle_, inner_;        // of M and of M − UᵀK₀⁻¹U
  Vector residual_, solution_, weights_;
};

}  // namespace secondorder::newton
