// Reference solutions of the convex ReLU and gated programs of small instances, each with its own
// certificate: a feasible point and a dual bound that rests on nothing but weak duality. The route
// shares nothing with the product's: a dense interior-point method in extended precision.
//
//   minimize sum_k omega_k l(yhat_k, y_k) + beta sum_g ||u_g||
//   cone:  yhat = sum_i D_i X (v_i - w_i),  (2 D_i - I) X v_i >= 0,  (2 D_i - I) X w_i >= 0
//   gated: yhat = sum_i D_i X v_i,          no constraints
//
// Dual, with S = +1 for v and -1 for w:
//   maximize -sum_k (omega_k l)*(nu_k)  subject to
//   || S X' D_i nu - X' (2 D_i - I) mu_i ||_g <= beta,  mu >= 0 (gated: mu = 0).
#pragma once

#include <cstddef>
#include <vector>

#include "algebra/loss.hpp"

namespace secondorder::reference {

enum class ReferenceModel { cone, gated };
enum class ReferencePenalty {
  gate,   // one norm for all outputs of a gate (and sign)
  neuron  // one norm for each output of a gate (and sign)
};

struct ReferenceProblem {
  ReferenceModel model = ReferenceModel::cone;
  Loss loss = Loss::squared;
  ReferencePenalty penalty = ReferencePenalty::gate;
  std::size_t samples = 0;   // n
  std::size_t features = 0;  // d
  std::size_t gates = 0;     // P, at least 1
  std::size_t outputs = 1;   // c
  double beta = 0;           // > 0; the loss is summed over samples, not averaged
  std::vector<double> x;     // n x d
  std::vector<double> mask;  // n x P, 0 or 1: column i is the diagonal of D_i
  std::vector<double> y;     // n x c: targets; +-1 for logistic and hinge; rows of class shares
  std::vector<double> sample_weights;  // n, omega; empty: all one
};

struct ReferenceResult {
  std::vector<double> v;   // c x P x d; the gated model's U
  std::vector<double> w;   // c x P x d; empty for the gated model
  std::vector<double> nu;  // n x c, dual feasible
  std::vector<double> mu;  // 2 x c x P x n (v first), dual feasible; empty for the gated model
  double primal_value = 0;
  double dual_value = 0;
  double relative_gap = 0;   // (primal - dual) / max(primal, 1e-6)
  double infeasibility = 0;  // largest violation of a cone constraint, 0 when none is violated
  int iterations = 0;
};

struct PrimalEvaluation {
  double value = 0;
  double infeasibility = 0;
};

/// The objective at (v, w) and the largest constraint violation.
PrimalEvaluation evaluate_primal(const ReferenceProblem& problem, const std::vector<double>& v,
                                 const std::vector<double>& w);

/// Scales (nu, mu) in place by the largest tau <= 1 that makes them dual feasible, and returns the
/// dual value: a lower bound on the optimum. -infinity where nu is outside the conjugate's domain.
/// Negative mu count as 0.
double evaluate_dual(const ReferenceProblem& problem, std::vector<double>& nu,
                     std::vector<double>& mu);

/// Interior-point solution. Throws std::invalid_argument for wrong sizes or values; a gap that
/// could not be closed (patterns that no vector satisfies strictly) is reported, not thrown.
ReferenceResult solve_reference(const ReferenceProblem& problem);

/// The same program by a first-order primal-dual method (Condat-Vu): slow and less exact, but
/// another algorithm altogether. Stops when relative gap and infeasibility are within `tolerance`.
ReferenceResult solve_reference_first_order(const ReferenceProblem& problem, int max_iterations,
                                            double tolerance);

}  // namespace secondorder::reference
