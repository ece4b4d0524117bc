// A problem of the package as IPOPT sees it: min f(x) subject to c(x) = 0, no bounds.
#pragma once

#include <IpTNLP.hpp>
#include <exception>
#include <vector>

#include "newton/problem.hpp"
#include "newton/result.hpp"

namespace secondorder::bench {

class Nlp final : public Ipopt::TNLP {
 public:
  using Index = Ipopt::Index;
  using Number = Ipopt::Number;

  /// The problem must outlive this object; its Hessian has entries or is left to IPOPT.
  Nlp(newton::Problem& problem, std::span<const double> x0);

  bool get_nlp_info(Index& n, Index& m, Index& jacobian_entries, Index& hessian_entries,
                    IndexStyleEnum& style) override;
  bool get_bounds_info(Index n, Number* x_low, Number* x_high, Index m, Number* c_low,
                       Number* c_high) override;
  bool get_starting_point(Index n, bool wants_x, Number* x, bool wants_z, Number* z_low,
                          Number* z_high, Index m, bool wants_lambda, Number* lambda) override;
  bool eval_f(Index n, const Number* x, bool fresh, Number& value) override;
  bool eval_grad_f(Index n, const Number* x, bool fresh, Number* out) override;
  bool eval_g(Index n, const Number* x, bool fresh, Index m, Number* out) override;
  bool eval_jac_g(Index n, const Number* x, bool fresh, Index m, Index entries, Index* rows,
                  Index* cols, Number* values) override;
  bool eval_h(Index n, const Number* x, bool fresh, Number sigma, Index m, const Number* lambda,
              bool fresh_lambda, Index entries, Index* rows, Index* cols, Number* values) override;
  void finalize_solution(Ipopt::SolverReturn status, Index n, const Number* x, const Number* z_low,
                         const Number* z_high, Index m, const Number* c, const Number* lambda,
                         Number objective, const Ipopt::IpoptData* data,
                         Ipopt::IpoptCalculatedQuantities* quantities) override;

  /// Where IPOPT ended.
  std::vector<double> x, lambda;
  double objective = 0;
  newton::Evaluations evaluations;
  /// What an evaluation threw; IPOPT was told that it failed.
  std::exception_ptr thrown;

 private:
  /// Runs an evaluation; false where it throws.
  template <class Evaluation>
  bool guard(const Evaluation& evaluation);
  std::span<const double> point(const Number* at) const { return {at, problem_.variables()}; }

  newton::Problem& problem_;
  newton::Coordinates jacobian_, hessian_;
};

}  // namespace secondorder::bench
