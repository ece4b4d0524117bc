// Deflation of the outlying eigenvalues of a symmetric, indefinite K, from a randomized sketch. By
// blocks of rows, for Ω of independent signs:
//
//   Z = orth(ΩK − ΩK·QᵀQ),   W = ZK,   Q = orth(all W),   W = R·Q,   T = Z·W',
//
// where Q, after one power of K, has the outlying eigenvectors to many digits; the Ritz values of
// K⁻¹ on Q, the eigenvalues θ of R⁻¹·T·R⁻ᵀ, come without another product. With V's rows their
// vectors and μ the root mean square of the eigenvalues left out,
//
//   M⁻¹ = I + Qᵀ·Vᵀ·diag(μ|θ| − 1)·V·Q   over the 1/|θ| well above μ.
//
// M is positive definite, as MINRES needs it. A Nyström approximation KΩᵀ(ΩKΩᵀ)⁺ΩK of an indefinite
// K need not even be stable, hence the range of the sketch, not its core (Halko, Martinsson, Tropp
// 2011; Frangella, Tropp, Udell 2021 for the positive definite case).
//
// Blocks are added for as long as few directions carry what is left: with A = (K(I − QᵀQ))², the
// Gram matrix of the rows of ΩK(I − QᵀQ) has mean tr A on its diagonal and mean square ‖A‖²_F
// beside it, so that it tells the effective rank (tr A)²/‖A‖²_F of the rest at no cost.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "algebra/philox.hpp"
#include "algebra/view.hpp"
#include "base/function_ref.hpp"
#include "base/thread_pool.hpp"
#include "newton/linear/dense_kkt_form.hpp"
#include "newton/linear/preconditioner.hpp"

namespace secondorder::newton {

class SpectralDeflation final : public Preconditioner {
 public:
  /// out = V·K for row-major V, k × d
  using BlockProduct = FunctionRef<void(ConstView<double> v, View<double> out)>;

  /// With its basis in `rows`, which only one deflation may use, and which `multiply` reads and
  /// writes. What `pool` watches stops it between blocks, by Cancelled.
  SpectralDeflation(ThreadPool& pool, RowBlocks& rows) : pool_(pool), rows_(rows) {}

  /// What a deflation of at most `most` eigenvalues asks of its blocks.
  static RowBlockPlan plan(std::size_t most);

  /// Deflates at most `most` eigenvalues of the K of order d that `multiply` multiplies with; false
  /// where products overflow, or LAPACK finds no basis or no eigenvalues for them: the
  /// preconditioner is then the identity.
  bool build(std::size_t order, std::size_t most, const Philox& random, BlockProduct multiply);

  /// Eigenvalues that the preconditioner brings to the size of the others.
  std::size_t rank() const { return rank_; }
  /// Directions that were looked at.
  std::size_t basis_size() const { return size_; }

  /// ‖K(I − QᵀQ)‖_F / ‖K‖_F, as the probe has it: products of no higher accuracy were no use.
  double rest_share() const { return rest_share_; }

  void apply(std::span<const double> r, std::span<double> out) override;

 private:
  /// y −= (y·Qᵀ)·Q for the rows of Q from `first` on; `coefficients` becomes y·Qᵀ.
  void project_out(View<double> y, std::size_t first, View<double> coefficients);
  /// Effective rank of what the rows of y sample; also sets rest_, its squared Frobenius norm.
  double effective_rank(ConstView<double> y);
  bool sketch_and_deflate(const Philox& random, BlockProduct multiply);
  /// Takes the rows of y, the sketch of what is left, into the basis.
  bool extend(View<double> y, BlockProduct multiply);
  bool make_core();

  ThreadPool& pool_;
  RowBlocks& rows_;
  std::size_t order_ = 0, most_ = 0, size_ = 0, rank_ = 0;
  double rest_ = 0, rest_share_ = 1;
  View<double> z_, q_;          // most × d
  View<double> signs_, image_;  // (probe + block) × d: Ω and ΩK, those of the probe first
  std::vector<double> r_, t_;   // most × most: lower triangular R of W = R·Q, and T
  std::vector<double> drawn_, small_;
};

}  // namespace secondorder::newton
