// The u-update of ADMM: u = argmin ½k‖F(u₁ − u₂) − a‖² + ½Σ‖u − …‖²_B with B = I + γΛ.
// The solver knows b = B⁻¹·(…), the minimizer without the first term; adding
//
//   t = k·B⁻¹·Fᵀr,   r = a − F(u₁ − u₂),   u₁ = b₁ + t,  u₂ = b₂ − t,
//
// gives u. With δ = b₁ − b₂ and S sets (2, or 1 for a gated model) three routes find t:
//   woodbury    (I + kS·H)·r = a − Fδ,  H = F·B⁻¹·Fᵀ = (DDᵀ)∘(X·B⁻¹·Xᵀ), n × n
//   gram        (B + kS·G)·t = k·Fᵀ(a − Fδ),  G = FᵀF, P·r × P·r
//   conjugate gradients on the latter, scaled by B^½, where neither matrix fits or pays.
#pragma once

#include <algorithm>
#include <memory>

#include "communicator/communicator.hpp"
#include "convex_relu/program.hpp"

namespace secondorder::convex_relu {

template <class Real>
class UUpdate {
 public:
  virtual ~UUpdate() = default;
  /// Prepares for the coefficient k; called before the first correct() and whenever k changes.
  virtual void factor(double k) = 0;
  /// Writes t (P·c × r) for δ (P·c × r) and the target a (n × c). `accuracy` bounds the norm of
  /// the error of B·t that an iterative route may leave.
  virtual void correct(ConstView<Real> delta, ConstView<Real> a, double accuracy, View<Real> t) = 0;
  /// r = a − F(u₁ − u₂) after the last correct(), n × c.
  virtual ConstView<Real> residual() = 0;
  virtual bool iterative() const { return false; }
  /// Inner iterations so far, of an iterative route.
  virtual std::size_t inner_iterations() const { return 0; }
};

/// The weight γ of the cones in B, for columns of norm 1.
inline constexpr double gamma_cone = 3;

/// Rank of the preconditioner of the conjugate gradients, for all gates.
inline std::size_t sketch_rank(std::size_t gates, std::size_t features) {
  return std::min<std::size_t>(200, std::max<std::size_t>(1, gates * features / 4));
}

/// B = 1 + γΛ per feature, for programs with cones; 1 for those without.
template <class Real>
std::vector<Real> metric(const Program<Real>& program) {
  std::vector<Real> b;
  for (const double eigenvalue : program.eigenvalues) {
    b.push_back(static_cast<Real>(program.cones() ? 1 + gamma_cone * eigenvalue : 1));
  }
  return b;
}

/// Lays out the memory of a route; nothing is computed while the arena only counts. Of several
/// shards each has its own gates' δ and t; gram, whose matrix couples all gates, needs them in one.
template <class Real>
std::unique_ptr<UUpdate<Real>> make_u_update(Route route, Algebra<Real>& algebra, Arena& arena,
                                             const Program<Real>& program,
                                             Communicator communicator = {});
template <class Real>
std::unique_ptr<UUpdate<Real>> make_woodbury(Algebra<Real>& algebra, Arena& arena,
                                             const Program<Real>& program,
                                             Communicator communicator);
template <class Real>
std::unique_ptr<UUpdate<Real>> make_gram(Algebra<Real>& algebra, Arena& arena,
                                         const Program<Real>& program);
template <class Real>
std::unique_ptr<UUpdate<Real>> make_conjugate_gradient(Algebra<Real>& algebra, Arena& arena,
                                                       const Program<Real>& program,
                                                       Communicator communicator);

}  // namespace secondorder::convex_relu
