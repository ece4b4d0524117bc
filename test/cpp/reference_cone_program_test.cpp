#include "reference_cone_program.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <stdexcept>

#include "reference_problems.hpp"

using namespace secondorder;
using namespace secondorder::reference;

namespace {

constexpr double kGap = 1e-9;

/// n samples that are all 1, one gate that is on everywhere.
ReferenceProblem constant_problem(ReferenceModel model, Loss loss, std::vector<double> y,
                                  double beta, std::size_t outputs = 1) {
  ReferenceProblem p;
  p.model = model;
  p.loss = loss;
  p.beta = beta;
  p.outputs = outputs;
  p.samples = y.size() / outputs;
  p.features = p.gates = 1;
  p.x.assign(p.samples, 1);
  p.mask.assign(p.samples, 1);
  p.y = std::move(y);
  return p;
}

void check_certificate(const ReferenceProblem& p, const ReferenceResult& r) {
  CHECK(std::abs(r.relative_gap) <= kGap);
  CHECK(r.infeasibility <= kGap);
  const PrimalEvaluation primal = evaluate_primal(p, r.v, r.w);
  CHECK(primal.value == doctest::Approx(r.primal_value).epsilon(1e-12));
  std::vector<double> nu = r.nu, mu = r.mu;
  CHECK(evaluate_dual(p, nu, mu) == doctest::Approx(r.dual_value).epsilon(1e-12));
}

/// Stationarity of every neuron and complementarity of every constraint, for penalty 'neuron'.
void check_optimality(const ReferenceProblem& p, const ReferenceResult& r) {
  const std::size_t n = p.samples, d = p.features, P = p.gates, c = p.outputs;
  const double tolerance = 1e-4;  // a value within 1e-12 places the variables within its root
  const std::size_t signs = r.w.empty() ? 1 : 2;
  std::size_t active = 0;
  for (std::size_t block = 0; block < signs * c * P; ++block) {
    const std::size_t sign = block / (c * P), output = block / P % c, gate = block % P;
    const std::vector<double>& weights = sign == 0 ? r.v : r.w;
    const double* u = weights.data() + (block % (c * P)) * d;
    std::vector<double> pull(d);  // X' (E mu - S D nu): beta u / ||u|| where u is not zero
    for (std::size_t k = 0; k < n; ++k) {
      const double bit = p.mask[k * P + gate];
      double margin = 0;
      for (std::size_t j = 0; j < d; ++j) margin += (2 * bit - 1) * p.x[k * d + j] * u[j];
      double along = -(sign == 0 ? 1 : -1) * bit * r.nu[k * c + output];
      if (!r.mu.empty()) {
        const double multiplier = r.mu[block * n + k];
        CHECK(multiplier >= 0);
        CHECK(multiplier * margin <= tolerance);
        along += (2 * bit - 1) * multiplier;
      }
      for (std::size_t j = 0; j < d; ++j) pull[j] += along * p.x[k * d + j];
    }
    const double length = std::sqrt(std::inner_product(u, u + d, u, 0.0));
    const double force = std::sqrt(std::inner_product(pull.begin(), pull.end(), pull.begin(), 0.0));
    CHECK(force <= p.beta * (1 + 1e-12));
    if (length < 1e-3) continue;
    ++active;
    for (std::size_t j = 0; j < d; ++j) {
      CHECK(pull[j] == doctest::Approx(p.beta * u[j] / length).epsilon(tolerance));
    }
  }
  CHECK(active > 0);
}

}  // namespace

TEST_SUITE("reference cone program") {
  TEST_CASE("one gate, one feature: closed forms") {
    const double n = 5, beta = 0.8;
    SUBCASE("squared: (x'y - beta)+ / x'x on the sign that helps") {
      for (double sign : {1.0, -1.0}) {
        ReferenceProblem p = constant_problem(ReferenceModel::cone, Loss::squared,
                                              {1 * sign, 2 * sign, 0.5 * sign}, beta);
        p.x = {1, 0.5, 2};
        const ReferenceResult r = solve_reference(p);
        check_certificate(p, r);
        const double expected = (1 + 1 + 1 - beta) / (1 + 0.25 + 4);
        CHECK((sign > 0 ? r.v : r.w)[0] == doctest::Approx(expected).epsilon(1e-6));
        CHECK((sign > 0 ? r.w : r.v)[0] == doctest::Approx(0).epsilon(1e-6));
        const double value = 0.5 * (1 + 4 + 0.25) - 0.5 * (3 - beta) * (3 - beta) / 5.25;
        CHECK(r.primal_value == doctest::Approx(value).epsilon(kGap));
      }
    }
    SUBCASE("logistic: n sigma(-v) = beta") {
      const auto p = constant_problem(ReferenceModel::cone, Loss::logistic, {1, 1, 1, 1, 1}, beta);
      const ReferenceResult r = solve_reference(p);
      check_certificate(p, r);
      const double v = std::log(n / beta - 1);
      CHECK(r.v[0] == doctest::Approx(v).epsilon(1e-5));
      CHECK(r.primal_value ==
            doctest::Approx(n * std::log1p(std::exp(-v)) + beta * v).epsilon(kGap));
    }
    SUBCASE("hinge: the margin is met exactly") {
      const auto p =
          constant_problem(ReferenceModel::cone, Loss::hinge, {-1, -1, -1, -1, -1}, beta);
      const ReferenceResult r = solve_reference(p);
      check_certificate(p, r);
      CHECK(r.w[0] == doctest::Approx(1).epsilon(1e-8));
      CHECK(r.primal_value == doctest::Approx(beta).epsilon(kGap));
    }
    SUBCASE("gated softmax, two classes: scores a and -a") {
      const auto p = constant_problem(ReferenceModel::gated, Loss::softmax,
                                      {1, 0, 1, 0, 1, 0, 1, 0, 1, 0}, beta, 2);
      const ReferenceResult r = solve_reference(p);
      check_certificate(p, r);
      const double root = std::sqrt(2.0), a = 0.5 * std::log(2 * n / (beta * root) - 1);
      CHECK(r.v[0] == doctest::Approx(a).epsilon(1e-5));
      CHECK(r.v[1] == doctest::Approx(-a).epsilon(1e-5));
      const double value = n * std::log1p(std::exp(-2 * a)) + beta * root * a;
      CHECK(r.primal_value == doctest::Approx(value).epsilon(kGap));
    }
  }

  TEST_CASE("the solution is zero from beta_max on") {
    for (Loss loss : {Loss::squared, Loss::logistic, Loss::hinge, Loss::softmax}) {
      CAPTURE(static_cast<int>(loss));
      const std::size_t outputs = loss == Loss::softmax ? 3 : 1;
      ReferenceProblem p = random_problem(ReferenceModel::gated, loss, {12, 3, 4, outputs}, 5);
      // max over gates of || X' D l'(0) ||; the cone program's beta_max is at most that.
      double threshold = 0;
      for (std::size_t gate = 0; gate < p.gates; ++gate) {
        double square = 0;
        for (std::size_t j = 0; j < p.features * outputs; ++j) {
          double sum = 0;
          for (std::size_t k = 0; k < p.samples; ++k) {
            const double target = p.y[k * outputs + j % outputs];
            const double slope = loss == Loss::logistic  ? -target / 2
                                 : loss == Loss::softmax ? 1.0 / 3 - target
                                                         : -target;
            sum += p.mask[k * p.gates + gate] * slope * p.x[k * p.features + j / outputs];
          }
          square += sum * sum;
        }
        threshold = std::max(threshold, std::sqrt(square));
      }
      const std::vector<double> zero(p.gates * p.features * outputs);
      const double nothing = evaluate_primal(p, zero, {}).value;
      p.beta = 1.001 * threshold;
      const ReferenceResult above = solve_reference(p);
      check_certificate(p, above);
      CHECK(above.primal_value == doctest::Approx(nothing).epsilon(kGap));
      for (double weight : above.v) CHECK(std::abs(weight) < 1e-6);
      p.model = ReferenceModel::cone;
      CHECK(solve_reference(p).primal_value == doctest::Approx(nothing).epsilon(kGap));
      p.model = ReferenceModel::gated;
      p.beta = 0.98 * threshold;
      CHECK(solve_reference(p).primal_value < nothing - 1e-6);
    }
  }

  TEST_CASE("random instances: gap and optimality conditions") {
    for (std::uint32_t seed = 1; seed <= 4; ++seed) {
      for (Loss loss : {Loss::squared, Loss::logistic, Loss::hinge, Loss::softmax}) {
        for (ReferenceModel model : {ReferenceModel::cone, ReferenceModel::gated}) {
          CAPTURE(seed);
          CAPTURE(static_cast<int>(loss));
          CAPTURE(static_cast<int>(model));
          const std::size_t outputs = loss == Loss::softmax ? 3 : 1;
          ReferenceProblem p = random_problem(model, loss, {12, 3, 5, outputs}, seed);
          p.penalty = ReferencePenalty::neuron;
          const ReferenceResult r = solve_reference(p);
          check_certificate(p, r);
          check_optimality(p, r);
        }
      }
    }
  }

  TEST_CASE("the largest sizes it is meant for") {
    for (Loss loss : {Loss::squared, Loss::logistic, Loss::hinge}) {
      const auto p = random_problem(ReferenceModel::cone, loss, {30, 4, 8}, 11);
      check_certificate(p, solve_reference(p));
    }
    for (Loss loss : {Loss::squared, Loss::softmax}) {
      const auto p = random_problem(ReferenceModel::gated, loss, {30, 4, 8, 3}, 12);
      check_certificate(p, solve_reference(p));
    }
  }

  TEST_CASE("a first-order method agrees") {
    for (std::uint32_t seed = 21; seed <= 22; ++seed) {
      for (Loss loss : {Loss::squared, Loss::logistic, Loss::hinge, Loss::softmax}) {
        for (ReferenceModel model : {ReferenceModel::cone, ReferenceModel::gated}) {
          CAPTURE(seed);
          CAPTURE(static_cast<int>(loss));
          CAPTURE(static_cast<int>(model));
          const std::size_t outputs = loss == Loss::softmax ? 2 : 1;
          const auto p = random_problem(model, loss, {8, 2, 3, outputs}, seed, 0.5);
          const ReferenceResult exact = solve_reference(p);
          const ReferenceResult other = solve_reference_first_order(p, 200000, 5e-7);
          check_certificate(p, exact);
          CHECK(other.infeasibility < 1e-6);
          CHECK(other.primal_value == doctest::Approx(exact.primal_value).epsilon(1e-6));
          CHECK(other.dual_value == doctest::Approx(exact.primal_value).epsilon(1e-6));
          CHECK(other.dual_value <= exact.primal_value * (1 + 1e-12));
        }
      }
    }
  }

  TEST_CASE("weak duality holds at arbitrary points") {
    std::mt19937 generator(3);
    std::uniform_real_distribution<double> uniform;
    for (Loss loss : {Loss::squared, Loss::logistic, Loss::hinge, Loss::softmax}) {
      const std::size_t outputs = loss == Loss::softmax ? 2 : 1;
      const auto p = random_problem(ReferenceModel::cone, loss, {9, 2, 3, outputs}, 31);
      const double optimum = solve_reference(p).primal_value;
      for (int trial = 0; trial < 50; ++trial) {
        std::vector<double> nu(p.y.size()), mu(2 * outputs * p.gates * p.samples);
        for (double& multiplier : mu) multiplier = uniform(generator) - 0.5;
        for (std::size_t k = 0; k < p.samples; ++k) {
          const double share = uniform(generator);
          if (loss == Loss::softmax) {
            nu[k * 2] = share - p.y[k * 2];
            nu[k * 2 + 1] = -nu[k * 2];
          } else {
            nu[k] = -p.y[k] * share;
          }
        }
        const double bound = evaluate_dual(p, nu, mu);
        CHECK(std::isfinite(bound));
        CHECK(bound <= optimum);
        CHECK(*std::min_element(mu.begin(), mu.end()) >= 0);
      }
    }
  }

  TEST_CASE("a weight of two is a sample twice, a weight of zero none") {
    const auto plain = random_problem(ReferenceModel::cone, Loss::logistic, {6, 2, 3}, 41);
    ReferenceProblem weighted = plain, repeated = plain;
    weighted.sample_weights = {2, 1, 1, 0, 1, 1};
    const auto move_row = [](std::vector<double>& values, std::size_t width) {
      std::copy_n(values.begin(), width, values.begin() + static_cast<std::ptrdiff_t>(3 * width));
    };
    move_row(repeated.x, repeated.features);
    move_row(repeated.mask, repeated.gates);
    move_row(repeated.y, 1);
    // The dropped sample still binds the weighted program's cones: compare the gated one.
    weighted.model = repeated.model = ReferenceModel::gated;
    const ReferenceResult a = solve_reference(weighted), b = solve_reference(repeated);
    check_certificate(weighted, a);
    CHECK(a.primal_value == doctest::Approx(b.primal_value).epsilon(kGap));
  }

  TEST_CASE("wrong arguments are refused") {
    ReferenceProblem p = random_problem(ReferenceModel::cone, Loss::logistic, {4, 2, 2}, 51);
    p.y[0] = 0.5;
    CHECK_THROWS_AS(solve_reference(p), std::invalid_argument);
    p.y[0] = 1;
    p.mask.pop_back();
    CHECK_THROWS_AS(solve_reference(p), std::invalid_argument);
  }
}
