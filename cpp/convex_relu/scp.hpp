// The sampled convex program (arXiv 2201.01965): with hidden vectors drawn beforehand, the output
// weights of a two-layer ReLU network solve
//
//   min over α of  Φ(Aα) + β Σⱼ ‖αⱼ‖₂,   A = [a₁ … aₘ],  aⱼ = (Z·uⱼ)₊,  Φ(z) = Σₖ wₖℓ(zₖ, yₖ),
//
// an ℓ₁ penalty for one output. Its dual is max −Φ*(ν) subject to ‖aⱼᵀν‖₂ ≤ β for all j.
//
// Every step prices all columns at ν = ∇Φ(Aα), chooses as a working set those in use and those that
// violate their constraint most (Massias, Gramfort, Salmon, ICML 2018), minimizes the quadratic
// model over them (scp_model.hpp) and searches along the way there (Lee, Sun, Saunders, SIAM J.
// Optim. 24, 2014). Columns that a duality gap proves to be out of use are priced no more (Ndiaye,
// Fercoq, Gramfort, Salmon, JMLR 18, 2017).
#pragma once

#include <optional>
#include <vector>

#include "convex_relu/progress.hpp"
#include "convex_relu/scp_hinge.hpp"
#include "convex_relu/scp_loss.hpp"
#include "convex_relu/scp_model.hpp"

namespace secondorder::convex_relu {

template <class Real>
class ScpSolver {
 public:
  /// `beta` is that of the sum of losses. Without `screening` all columns are priced in every step.
  ScpSolver(const ScpColumns<Real>& columns, Loss loss, const Targets& targets, double beta,
            HostAlgebra& host, bool screening = true);

  /// From zero, or from weights m × outputs.
  void start(std::span<const double> alpha);
  /// Prices the columns: the objective of the best α so far, and the best dual bound so far.
  Bounds price();
  /// Moves α, once priced, as far as is of use for a relative gap of `wanted`.
  void step(double wanted, const RunControl& control);

  const std::vector<double>& alpha() const { return best_alpha_; }  ///< m × outputs
  /// n × outputs, of the best bound, in the domain of Φ*.
  const std::vector<double>& nu() const { return best_nu_; }
  /// Passes of coordinate descent, or iterations of the interior point method.
  std::size_t passes() const { return passes_; }
  std::size_t screened() const { return columns_.count() - candidates_.size(); }

 private:
  double norm(const std::vector<double>& rows, std::size_t j) const;
  double penalty(const std::vector<double>& alpha) const;
  double violation(std::size_t j) const;
  void place(View<double> z);
  void screen(double tau, double dual);
  bool choose_working_set();
  void take(const std::vector<double>& x);
  void search(const std::vector<double>& x);

  View<double> view(std::vector<double>& values) const {
    return {values.data(), outputs_, columns_.rows()};
  }

  const ScpColumns<Real>& columns_;
  Loss kind_;
  const Targets& targets_;
  double beta_;
  HostAlgebra& host_;
  std::size_t outputs_;
  bool screening_;
  ScpLoss loss_;
  ScpModel<Real> model_;
  std::optional<ScpHinge<Real>> hinge_;
  std::vector<double> lengths_;          ///< √Σ wₖaⱼₖ²
  std::vector<std::size_t> candidates_;  ///< columns not screened
  std::vector<std::size_t> working_;
  std::vector<double> alpha_, q_;                 ///< m × outputs
  std::vector<double> z_, gradient_, curvature_;  ///< outputs × n; n
  std::vector<double> nu_;                        ///< n × outputs
  std::vector<double> from_, to_, z_to_,
      trial_;         ///< of a search: α at both ends; Aα there, between
  double worst_ = 0;  ///< violation
  std::size_t passes_ = 0;
  double accuracy_ = 0.02, last_gap_ = 1;  ///< of linear programs
  Bounds bounds_;
  bool bounded_ = false;
  std::vector<double> best_alpha_, best_nu_;
};

}  // namespace secondorder::convex_relu
