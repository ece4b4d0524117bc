// The quadratic model of the sampled convex program about a point α, over a working set of columns:
//
//   min over x of  ⟨q⁰, x − α⟩ + ½‖A(x − α)‖²_H + β Σ‖xⱼ‖₂,   q⁰ = Aᵀ∇Φ,  H = diag(h) a curvature,
//
// by cyclic coordinate descent with covariance updates (Friedman, Hastie, Tibshirani, J. Stat.
// Softw. 33, 2010): G = AᵀHA is formed for the working set alone, and a step on xⱼ moves all q = q⁰
// + G(x − α) by a row of it. H is the same for all outputs, so that a step is exact: a group
// threshold. Every few passes the iterates are extrapolated (Bertrand and Massias, AISTATS 2021).
#pragma once

#include <span>
#include <vector>

#include "base/run_control.hpp"
#include "convex_relu/scp_gram.hpp"

namespace secondorder::convex_relu {

template <class Real>
class ScpModel {
 public:
  ScpModel(const ScpColumns<Real>& columns, std::size_t outputs, double beta, HostAlgebra& host);

  /// The columns that the model is over, and the curvature of the samples. With `same_curvature` as
  /// in the last call, rows of G that are there already are kept.
  void choose(std::span<const std::size_t> working, std::span<const double> curvature,
              bool same_curvature);

  /// Descends from x = α until no step moves a qⱼ by more than `tolerance`; α and q⁰ are of all
  /// columns (rows of outputs), x of the working set. Returns the passes made. Ends early when the
  /// control asks to stop, at a point no worse than α.
  std::size_t descend(std::span<const double> alpha, std::span<const double> q, double tolerance,
                      const RunControl& control, std::vector<double>& x);

 private:
  struct State {
    std::vector<double> x, q;  ///< outputs × working set
  };

  double pass(State& state) const;
  double value(const State& start, const State& state) const;
  bool solve_on_support(const State& start, State& state);
  bool extrapolate(const std::vector<State>& states, const State& start, State& state) const;

  std::size_t outputs_;
  double beta_;
  HostAlgebra& host_;
  std::vector<std::size_t> held_;     ///< columns that G has rows of
  std::vector<std::size_t> working_;  ///< places among them
  ScpGram<Real> gram_;                ///< of those held
  std::vector<double> factor_;
};

}  // namespace secondorder::convex_relu
