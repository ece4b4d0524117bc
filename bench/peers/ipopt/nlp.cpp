#include "nlp.hpp"

#include <algorithm>

namespace secondorder::bench {

using newton::HessianForm;

namespace {

/// IPOPT's infinity.
constexpr double unbounded = 2e19;

void write(const newton::Coordinates& entries, Ipopt::Index* rows, Ipopt::Index* cols) {
  std::copy(entries.rows.begin(), entries.rows.end(), rows);
  std::copy(entries.cols.begin(), entries.cols.end(), cols);
}

}  // namespace

Nlp::Nlp(newton::Problem& problem, std::span<const double> x0)
    : x(x0.begin(), x0.end()),
      lambda(problem.constraints()),
      problem_(problem),
      jacobian_(problem.jacobian_structure()) {
  if (problem.hessian_form() == HessianForm::values) hessian_ = problem.hessian_structure();
}

bool Nlp::get_nlp_info(Index& n, Index& m, Index& jacobian_entries, Index& hessian_entries,
                       IndexStyleEnum& style) {
  n = static_cast<Index>(problem_.variables());
  m = static_cast<Index>(problem_.constraints());
  jacobian_entries = static_cast<Index>(jacobian_.size());
  hessian_entries = static_cast<Index>(hessian_.size());
  style = C_STYLE;
  return true;
}

bool Nlp::get_bounds_info(Index n, Number* x_low, Number* x_high, Index m, Number* c_low,
                          Number* c_high) {
  std::fill_n(x_low, n, -unbounded);
  std::fill_n(x_high, n, unbounded);
  std::fill_n(c_low, m, 0.0);
  std::fill_n(c_high, m, 0.0);
  return true;
}

bool Nlp::get_starting_point(Index /*n*/, bool wants_x, Number* start, bool wants_z,
                             Number* /*z_low*/, Number* /*z_high*/, Index /*m*/, bool wants_lambda,
                             Number* /*lambda*/) {
  if (wants_x) std::copy(x.begin(), x.end(), start);
  return !wants_z && !wants_lambda;
}

template <class Evaluation>
bool Nlp::guard(const Evaluation& evaluation) {
  try {
    evaluation();
    return true;
  } catch (...) {
    thrown = std::current_exception();
    return false;
  }
}

bool Nlp::eval_f(Index /*n*/, const Number* at, bool /*fresh*/, Number& value) {
  ++evaluations.objective;
  return guard([&] { value = problem_.objective(point(at)); });
}

bool Nlp::eval_grad_f(Index n, const Number* at, bool /*fresh*/, Number* out) {
  ++evaluations.gradient;
  const std::span gradient(out, static_cast<std::size_t>(n));
  return guard([&] { problem_.gradient(point(at), gradient); });
}

bool Nlp::eval_g(Index /*n*/, const Number* at, bool /*fresh*/, Index m, Number* out) {
  ++evaluations.constraint;
  const std::span values(out, static_cast<std::size_t>(m));
  return guard([&] { problem_.constraint(point(at), values); });
}

bool Nlp::eval_jac_g(Index /*n*/, const Number* at, bool /*fresh*/, Index /*m*/, Index entries,
                     Index* rows, Index* cols, Number* values) {
  if (values == nullptr) {
    write(jacobian_, rows, cols);
    return true;
  }
  ++evaluations.jacobian;
  const std::span out(values, static_cast<std::size_t>(entries));
  return guard([&] { problem_.jacobian_values(point(at), out); });
}

bool Nlp::eval_h(Index /*n*/, const Number* at, bool /*fresh*/, Number sigma, Index m,
                 const Number* multipliers, bool /*fresh_lambda*/, Index entries, Index* rows,
                 Index* cols, Number* values) {
  if (problem_.hessian_form() != HessianForm::values) return false;
  if (values == nullptr) {
    write(hessian_, rows, cols);
    return true;
  }
  ++evaluations.hessian;
  const std::span weights(multipliers, static_cast<std::size_t>(m));
  const std::span out(values, static_cast<std::size_t>(entries));
  return guard([&] { problem_.hessian_values(point(at), sigma, weights, out); });
}

void Nlp::finalize_solution(Ipopt::SolverReturn /*status*/, Index n, const Number* at,
                            const Number* /*z_low*/, const Number* /*z_high*/, Index m,
                            const Number* /*c*/, const Number* multipliers, Number value,
                            const Ipopt::IpoptData* /*data*/,
                            Ipopt::IpoptCalculatedQuantities* /*quantities*/) {
  x.assign(at, at + n);
  lambda.assign(multipliers, multipliers + m);
  objective = value;
}

}  // namespace secondorder::bench
