// Condat-Vu: proximal steps on the norms, gradient steps on a smooth loss, dual ascent on the cone
// constraints and on the hinge's margins. Nothing in common with the interior-point method but the
// instance's matrices.
#include <algorithm>
#include <cmath>

#include "reference_cone_program.hpp"
#include "reference_instance.hpp"

namespace secondorder::reference {

namespace {

/// The largest eigenvalue of A'A, by power iteration, with a margin for its error.
Real squared_norm(const Matrix& a) {
  constexpr int kSteps = 300;
  constexpr Real kMargin = 1.02L;
  if (a.rows == 0) return 0;
  Vector x(a.cols);
  for (std::size_t j = 0; j < x.size(); ++j) x[j] = 1 + static_cast<Real>(j % 7) / 7;
  Real value = 0;
  for (int step = 0; step < kSteps; ++step) {
    Vector next(a.cols);
    for (std::size_t i = 0; i < a.rows; ++i) {
      const Real along = dot(a.row(i), x);
      for (std::size_t j = 0; j < a.cols; ++j) next[j] += a(i, j) * along;
    }
    value = norm(next);
    if (value == 0) return 0;
    for (std::size_t j = 0; j < x.size(); ++j) x[j] = next[j] / value;
  }
  return kMargin * value;
}

void shrink_groups(const Instance& instance, Real threshold, Vector& u) {
  for (const auto& group : instance.groups) {
    Real square = 0;
    for (std::size_t unknown : group) square += u[unknown] * u[unknown];
    const Real length = std::sqrt(square);
    const Real keep = length > threshold ? 1 - threshold / length : 0;
    for (std::size_t unknown : group) u[unknown] *= keep;
  }
}

}  // namespace

ReferenceResult solve_reference_first_order(const ReferenceProblem& problem, int max_iterations,
                                            double tolerance) {
  const Instance instance(problem);
  const std::size_t c = problem.outputs;
  const bool smooth = problem.loss != Loss::hinge;
  Real heaviest = 0;
  for (std::size_t k = 0; k < problem.samples; ++k) {
    heaviest = std::max(heaviest, instance.sample_weight(k));
  }
  // Every smooth loss here has curvature at most 1.
  const Real loss_norm = squared_norm(instance.prediction);
  const Real coupling = squared_norm(instance.cone) + (smooth ? 0 : loss_norm);
  const Real lipschitz = smooth ? heaviest * loss_norm : 0;
  // 1 / primal_step - dual_step * coupling >= lipschitz / 2
  const Real dual_step = coupling > 0 ? 1 / std::sqrt(coupling) : 1;
  const Real primal_step = 1 / (lipschitz / 2 + dual_step * coupling + Real{1e-12L});

  Vector u(instance.unknowns), nu(problem.samples * c), mu(instance.cone.rows), z(nu.size());
  const auto predict = [&](const Vector& at) {
    for (std::size_t i = 0; i < z.size(); ++i) z[i] = dot(instance.prediction.row(i), at);
  };
  const auto smooth_nu = [&] {
    for (std::size_t k = 0; k < problem.samples; ++k) {
      loss_gradient(problem.loss, {z.data() + k * c, c}, instance.target(k),
                    {nu.data() + k * c, c});
      for (std::size_t j = 0; j < c; ++j) nu[k * c + j] *= instance.sample_weight(k);
    }
  };
  ReferenceResult result;
  for (int iteration = 0; iteration <= max_iterations; ++iteration) {
    constexpr int kCheckEvery = 2000;
    if (iteration % kCheckEvery == 0 || iteration == max_iterations) {
      if (smooth) {
        predict(u);
        smooth_nu();
      }
      result = certify(problem, u, {nu.begin(), nu.end()}, {mu.begin(), mu.end()});
      result.iterations = iteration;
      if (std::max(std::abs(result.relative_gap), result.infeasibility) <= tolerance) break;
    }
    if (smooth) {
      predict(u);
      smooth_nu();
    }
    Vector next = u;
    for (std::size_t i = 0; i < nu.size(); ++i) {
      for (std::size_t j = 0; j < u.size(); ++j) {
        next[j] -= primal_step * instance.prediction(i, j) * nu[i];
      }
    }
    for (std::size_t i = 0; i < mu.size(); ++i) {
      if (mu[i] == 0) continue;
      for (std::size_t j = 0; j < u.size(); ++j) {
        next[j] += primal_step * instance.cone(i, j) * mu[i];
      }
    }
    shrink_groups(instance, primal_step * problem.beta, next);
    Vector ahead(u.size());
    for (std::size_t j = 0; j < u.size(); ++j) ahead[j] = 2 * next[j] - u[j];
    for (std::size_t i = 0; i < mu.size(); ++i) {
      mu[i] = std::max(Real{0}, mu[i] - dual_step * dot(instance.cone.row(i), ahead));
    }
    if (!smooth) {
      predict(ahead);
      for (std::size_t i = 0; i < nu.size(); ++i) {
        const Real label = problem.y[i];
        const Real moved = -label * (nu[i] + dual_step * z[i]) + dual_step;
        nu[i] = -label * std::clamp(moved, Real{0}, instance.sample_weight(i / c));
      }
    }
    u = std::move(next);
  }
  return result;
}

}  // namespace secondorder::reference
