#include "reference_cone_program.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "reference_instance.hpp"

namespace secondorder::reference {

namespace {

Vector widen(const std::vector<double>& values) { return {values.begin(), values.end()}; }

Vector predictions(const Instance& instance, std::span<const Real> u) {
  Vector out(instance.prediction.rows);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = dot(instance.prediction.row(i), u);
  return out;
}

PrimalEvaluation evaluate(const Instance& instance, const Vector& u) {
  const ReferenceProblem& problem = instance.problem;
  const std::size_t c = problem.outputs;
  const Vector z = predictions(instance, u);
  Real value = 0;
  for (std::size_t k = 0; k < problem.samples; ++k) {
    value += instance.sample_weight(k) *
             loss_value(problem.loss, {z.data() + k * c, c}, instance.target(k));
  }
  for (const auto& group : instance.groups) {
    Real square = 0;
    for (std::size_t unknown : group) square += u[unknown] * u[unknown];
    value += problem.beta * std::sqrt(square);
  }
  Real violation = 0;
  for (std::size_t row = 0; row < instance.cone.rows; ++row) {
    violation = std::max(violation, -dot(instance.cone.row(row), u));
  }
  return {static_cast<double>(value), static_cast<double>(violation)};
}

/// (omega l)*(nu) summed over samples.
Real conjugate(const Instance& instance, const std::vector<double>& nu) {
  const ReferenceProblem& problem = instance.problem;
  const std::size_t c = problem.outputs;
  Real sum = 0;
  Vector row(c);
  for (std::size_t k = 0; k < problem.samples; ++k) {
    const Real weight = instance.sample_weight(k);
    if (weight == 0) continue;  // its nu is 0
    for (std::size_t j = 0; j < c; ++j) row[j] = nu[k * c + j] / weight;
    sum += weight * loss_conjugate(problem.loss, row, instance.target(k));
  }
  return sum;
}

double evaluate(const Instance& instance, std::vector<double>& nu, std::vector<double>& mu) {
  const ReferenceProblem& problem = instance.problem;
  for (double& multiplier : mu) multiplier = std::max(multiplier, 0.0);
  for (std::size_t k = 0; k < problem.samples; ++k) {
    for (std::size_t j = 0; j < problem.outputs && instance.sample_weight(k) == 0; ++j) {
      nu[k * problem.outputs + j] = 0;
    }
  }
  Vector slope(instance.unknowns);
  for (std::size_t i = 0; i < nu.size(); ++i) {
    for (std::size_t j = 0; j < slope.size(); ++j) slope[j] += instance.prediction(i, j) * nu[i];
  }
  for (std::size_t i = 0; i < mu.size(); ++i) {
    for (std::size_t j = 0; j < slope.size(); ++j) slope[j] -= instance.cone(i, j) * mu[i];
  }
  Real largest = 0;
  for (const auto& group : instance.groups) {
    Real square = 0;
    for (std::size_t unknown : group) square += slope[unknown] * slope[unknown];
    largest = std::max(largest, std::sqrt(square));
  }
  if (largest > problem.beta) {
    const double shrink = static_cast<double>(problem.beta / largest);
    for (double& value : nu) value *= shrink;
    for (double& value : mu) value *= shrink;
  }
  return static_cast<double>(-conjugate(instance, nu));
}

/// Columns of the conic program: unknowns u, then the norms t_g, then (hinge only) the slacks.
/// Rows: cone constraints with a non-zero row, slacks >= 0, slacks >= 1 - y yhat, the norms' cones.
struct Layout {
  explicit Layout(const Instance& instance) {
    for (std::size_t row = 0; row < instance.cone.rows; ++row) {
      if (norm(instance.cone.row(row)) > 0) cone_rows.push_back(row);
    }
    norms = instance.unknowns;
    slacks = norms + instance.groups.size();
    slack_count = instance.problem.loss == Loss::hinge ? instance.prediction.rows : 0;
    columns = slacks + slack_count;
    linear_rows = cone_rows.size() + 2 * slack_count;
  }
  std::size_t margin_row(std::size_t slack) const { return cone_rows.size() + slack_count + slack; }

  std::vector<std::size_t> cone_rows;
  std::size_t norms, slacks, slack_count, columns, linear_rows;
};

ConicProgram conic_program(const Instance& instance, const Layout& layout) {
  const ReferenceProblem& problem = instance.problem;
  const std::size_t c = problem.outputs;
  ConicProgram program;
  program.linear_rows = layout.linear_rows;
  std::size_t rows = layout.linear_rows;
  for (const auto& group : instance.groups) {
    program.cone_sizes.push_back(group.size() + 1);
    rows += group.size() + 1;
  }
  program.inequality = Matrix(rows, layout.columns);
  program.bound.assign(rows, 0);
  Matrix& G = program.inequality;
  for (std::size_t i = 0; i < layout.cone_rows.size(); ++i) {
    for (std::size_t j = 0; j < instance.unknowns; ++j) {
      G(i, j) = -instance.cone(layout.cone_rows[i], j);
    }
  }
  for (std::size_t slack = 0; slack < layout.slack_count; ++slack) {
    G(layout.cone_rows.size() + slack, layout.slacks + slack) = -1;
    const std::size_t row = layout.margin_row(slack);
    G(row, layout.slacks + slack) = -1;
    for (std::size_t j = 0; j < instance.unknowns; ++j) {
      G(row, j) = -problem.y[slack] * instance.prediction(slack, j);
    }
    program.bound[row] = -1;
  }
  std::size_t row = layout.linear_rows;
  for (std::size_t group = 0; group < instance.groups.size(); ++group) {
    G(row++, layout.norms + group) = -1;
    for (std::size_t unknown : instance.groups[group]) G(row++, unknown) = -1;
  }

  program.objective = [&instance, layout, c](std::span<const Real> x, std::span<Real> gradient,
                                             Matrix& hessian) {
    const ReferenceProblem& p = instance.problem;
    std::fill(gradient.begin(), gradient.end(), Real{0});
    std::fill(hessian.values.begin(), hessian.values.end(), Real{0});
    for (std::size_t j = layout.norms; j < layout.slacks; ++j) gradient[j] = p.beta;
    for (std::size_t j = 0; j < layout.slack_count; ++j) {
      gradient[layout.slacks + j] = instance.sample_weight(j / c);
    }
    if (p.loss == Loss::hinge) return;
    const Vector z = predictions(instance, x.first(instance.unknowns));
    Vector slope(c);
    Matrix curvature(c, c);
    for (std::size_t k = 0; k < p.samples; ++k) {
      const Real weight = instance.sample_weight(k);
      loss_gradient(p.loss, {z.data() + k * c, c}, instance.target(k), slope);
      loss_hessian(p.loss, {z.data() + k * c, c}, instance.target(k), curvature);
      for (std::size_t a = 0; a < c; ++a) {
        const auto left = instance.prediction.row(k * c + a);
        for (std::size_t i = 0; i < instance.unknowns; ++i) {
          if (left[i] == 0) continue;
          gradient[i] += weight * slope[a] * left[i];
          for (std::size_t b = 0; b < c; ++b) {
            const auto right = instance.prediction.row(k * c + b);
            const Real factor = weight * curvature(a, b) * left[i];
            for (std::size_t j = 0; j < instance.unknowns; ++j) hessian(i, j) += factor * right[j];
          }
        }
      }
    }
  };
  return program;
}

/// The dual candidate that an interior point carries.
ReferenceResult certificate_of(const Instance& instance, const Layout& layout,
                               const ConicPoint& point) {
  const ReferenceProblem& problem = instance.problem;
  const std::size_t c = problem.outputs;
  const Vector u(point.x.begin(), point.x.begin() + static_cast<std::ptrdiff_t>(layout.norms));
  const Vector z = predictions(instance, u);
  std::vector<double> nu(z.size()), mu(instance.cone.rows);
  Vector slope(c);
  for (std::size_t k = 0; k < problem.samples; ++k) {
    const Real weight = instance.sample_weight(k);
    loss_gradient(problem.loss, {z.data() + k * c, c}, instance.target(k), slope);
    for (std::size_t j = 0; j < c; ++j) {
      const std::size_t i = k * c + j;
      nu[i] =
          static_cast<double>(problem.loss == Loss::hinge
                                  ? -problem.y[i] * std::min(point.z[layout.margin_row(i)], weight)
                                  : weight * slope[j]);
    }
  }
  for (std::size_t i = 0; i < layout.cone_rows.size(); ++i) {
    mu[layout.cone_rows[i]] = static_cast<double>(point.z[i]);
  }
  return certify(problem, u, std::move(nu), std::move(mu));
}

}  // namespace

PrimalEvaluation evaluate_primal(const ReferenceProblem& problem, const std::vector<double>& v,
                                 const std::vector<double>& w) {
  Vector u = widen(v);
  u.insert(u.end(), w.begin(), w.end());
  return evaluate(Instance(problem), u);
}

double evaluate_dual(const ReferenceProblem& problem, std::vector<double>& nu,
                     std::vector<double>& mu) {
  return evaluate(Instance(problem), nu, mu);
}

ReferenceResult certify(const ReferenceProblem& problem, const Vector& u, std::vector<double> nu,
                        std::vector<double> mu) {
  const Instance instance(problem);
  ReferenceResult result;
  const auto middle = u.begin() + static_cast<std::ptrdiff_t>(u.size() / instance.signs);
  result.v.assign(u.begin(), middle);
  result.w.assign(middle, u.end());
  const PrimalEvaluation primal = evaluate(instance, u);
  result.primal_value = primal.value;
  result.infeasibility = primal.infeasibility;
  result.nu = std::move(nu);
  result.mu = std::move(mu);
  result.dual_value = evaluate(instance, result.nu, result.mu);
  constexpr double kSmallestScale = 1e-6;
  result.relative_gap =
      (result.primal_value - result.dual_value) / std::max(result.primal_value, kSmallestScale);
  return result;
}

ReferenceResult solve_reference(const ReferenceProblem& problem) {
  const Instance instance(problem);
  const Layout layout(instance);
  const ConicProgram program = conic_program(instance, layout);
  ConicPoint point;
  point.x.assign(layout.columns, 0);
  ReferenceResult best;
  best.relative_gap = std::numeric_limits<double>::infinity();
  constexpr double kGap = 1e-12, kFeasibility = 1e-12;
  const auto score = [](const ReferenceResult& r) {
    return std::max(std::abs(r.relative_gap), r.infeasibility);
  };
  int iterations = 0;
  solve_conic(program, point, [&](const ConicPoint& current) {
    ++iterations;
    ReferenceResult candidate = certificate_of(instance, layout, current);
    candidate.iterations = iterations - 1;
    if (score(candidate) < score(best)) best = std::move(candidate);
    return std::abs(best.relative_gap) <= kGap && best.infeasibility <= kFeasibility;
  });
  return best;
}

}  // namespace secondorder::reference
