// Certificates: what verify() says about honest and about tampered ones.
#include "convex_relu/certificate.hpp"

#include <doctest/doctest.h>

#include "base/error.hpp"
#include "training_support.hpp"

using namespace secondorder;
using namespace secondorder::convex_relu;
using namespace secondorder::test;

namespace {

constexpr Loss all_losses[] = {Loss::squared, Loss::logistic, Loss::hinge, Loss::softmax};

struct Trained {
  Problem problem;
  Result result;
  double optimum = 0;  ///< per unit of weight

  Trained(Model model, Loss loss, std::uint64_t seed, bool weighted = false)
      : problem(random_training_problem(model, loss, {16, 3, 5, loss == Loss::softmax ? 3U : 2U},
                                        seed)) {
    problem.options.tolerance = 1e-3;
    problem.options.max_iterations = 300;
    Random random(seed + 100);
    for (std::size_t k = 0; weighted && k < problem.rows; ++k) {
      problem.weights.push_back(0.1 + random.uniform());
    }
    result = train<double>(problem.request(), RunControl{});
    optimum =
        reference::solve_reference(as_reference(problem)).primal_value / problem.total_weight();
  }
  Verdict verify(const Certificate& certificate) const {
    HostAlgebra host(1);
    return convex_relu::verify(result.model, certificate, problem.data(), problem.y, host);
  }
  void check_bound(const Certificate& certificate) const {
    const Verdict verdict = verify(certificate);
    CHECK(std::isfinite(verdict.dual_bound));
    CHECK(verdict.dual_bound <= optimum * (1 + 1e-7) + 1e-9);
    CHECK(verdict.objective == result.report.verdict.objective);
  }
};

/// The trained model's objective by its definition, from raw samples, hidden weights and outputs.
double naive_objective(const Trained& t) {
  const Problem& p = t.problem;
  const NetworkModel& m = t.result.model;
  const std::size_t d = p.cols, c = p.outputs;
  double loss = 0, penalty = 0;
  std::vector<double> squares(1000);
  if (m.kind == Model::relu) {
    for (std::size_t j = 0; j < m.neurons(); ++j) {
      double hidden = 0, output = 0;
      for (std::size_t l = 0; l < d; ++l) hidden += std::pow(m.hidden[j * d + l], 2);
      for (std::size_t o = 0; o < c; ++o) output += std::pow(m.output[o * m.neurons() + j], 2);
      squares[static_cast<std::size_t>(m.groups[j])] += hidden * output;
    }
  } else {
    for (std::size_t i = 0; i < m.weights.size(); ++i) {
      squares[i / d % m.gates.count] += m.weights[i] * m.weights[i];
    }
  }
  for (const double square : squares) penalty += std::sqrt(square);
  for (std::size_t k = 0; k < p.rows; ++k) {
    std::vector<double> z(c);
    const auto product = [&](const double* w) {
      double sum = 0;
      for (std::size_t l = 0; l < d; ++l) sum += p.x[k * d + l] * w[l];
      return sum;
    };
    if (m.kind == Model::relu) {
      for (std::size_t j = 0; j < m.neurons(); ++j) {
        const double active = std::max(0.0, product(&m.hidden[j * d]));
        for (std::size_t o = 0; o < c; ++o) z[o] += m.output[o * m.neurons() + j] * active;
      }
    } else {
      for (std::size_t i = 0; i < m.gates.count; ++i) {
        if (product(&m.gates.rows[i * (d + 1)]) + m.gates.rows[i * (d + 1) + d] < 0) continue;
        for (std::size_t o = 0; o < c; ++o) {
          z[o] += product(&m.weights[(o * m.gates.count + i) * d]);
        }
      }
    }
    const double weight = p.weights.empty() ? 1 : p.weights[k];
    loss += weight * losses::value(p.options.loss, z.data(), &p.y[k * c], c);
  }
  return loss / p.total_weight() + p.options.beta * penalty;
}

}  // namespace

TEST_SUITE("certificate") {
  TEST_CASE("verify() gives the report, and the objective of the definition") {
    for (const Loss loss : all_losses) {
      for (const Model model : {Model::relu, Model::gated}) {
        for (const bool weighted : {false, true}) {
          const Trained t(model, loss, 1, weighted);
          const Verdict verdict = t.verify(t.result.certificate);
          const Verdict& reported = t.result.report.verdict;
          CHECK(verdict.objective == reported.objective);
          CHECK(verdict.dual_bound == reported.dual_bound);
          CHECK(verdict.gap == reported.gap);
          CHECK(verdict.infeasibility == reported.infeasibility);
          CHECK(verdict.objective == doctest::Approx(naive_objective(t)).epsilon(1e-12));
          CHECK(verdict.gap == relative_gap(verdict.objective, verdict.dual_bound));
          CHECK(verdict.dual_bound > 0);
          t.check_bound(t.result.certificate);
        }
      }
    }
  }

  TEST_CASE("verify() gives the report where some samples weigh nothing") {
    for (const Model model : {Model::relu, Model::gated}) {
      Problem p = random_training_problem(model, Loss::squared, {40, 3, 6, 1}, 2);
      p.options.tolerance = 1e-3;
      p.weights.assign(p.rows, 1);
      for (std::size_t k = 0; k < p.rows; k += 3) p.weights[k] = 0;
      const Result result = train<double>(p.request(), RunControl{});
      HostAlgebra host(1);
      const Verdict verdict = verify(result.model, result.certificate, p.data(), p.y, host);
      CHECK(verdict.objective == doctest::Approx(result.report.verdict.objective).epsilon(1e-12));
      CHECK(verdict.dual_bound == doctest::Approx(result.report.verdict.dual_bound).epsilon(1e-12));
      CHECK(verdict.infeasibility ==
            doctest::Approx(result.report.verdict.infeasibility).epsilon(1e-9));
    }
  }

  TEST_CASE("no tampering lifts the bound above the optimum") {
    for (const Loss loss : all_losses) {
      for (const Model model : {Model::relu, Model::gated}) {
        const Trained t(model, loss, 3, loss == Loss::squared);
        CAPTURE(static_cast<int>(loss));
        CAPTURE(model == Model::relu);
        Random random(4);
        for (const double factor : {0.0, 0.5, 0.999, 1.001, 2.0, 1e6, -1.0, -1e6}) {
          Certificate scaled = t.result.certificate;
          for (double& value : scaled.nu) value *= factor;
          t.check_bound(scaled);
          Certificate multipliers = t.result.certificate;
          for (double& value : multipliers.mu) value *= factor;
          t.check_bound(multipliers);
        }
        for (int trial = 0; trial < 60; ++trial) {
          Certificate certificate = t.result.certificate;
          const double size = std::pow(10, 4 * random.uniform() - 2);
          if (trial % 3 != 0) {  // any ν, also outside the domain
            for (double& value : certificate.nu) value += size * random.normal();
          }
          if (model == Model::relu && trial % 3 != 1) {  // any μ for any of the cones
            certificate.mu_rows.clear();
            certificate.mu.clear();
            const std::size_t rows = 2 * certificate.gates.count * t.problem.outputs;
            for (std::size_t row = 0; row < rows; ++row) {
              if (random.below(2) == 0) continue;
              certificate.mu_rows.push_back(static_cast<std::int32_t>(row));
              for (std::size_t k = 0; k < t.problem.rows; ++k) {
                certificate.mu.push_back(0.1 * size * random.normal());  // half of them negative
              }
            }
          }
          t.check_bound(certificate);
        }
      }
    }
  }

  TEST_CASE("multipliers that are needed are there: without them the bound is lower") {
    const Trained t(Model::relu, Loss::squared, 5);
    Certificate bare = t.result.certificate;
    REQUIRE_FALSE(bare.mu_rows.empty());
    for (const double value : bare.mu) REQUIRE(value >= 0);
    bare.mu.clear();
    bare.mu_rows.clear();
    CHECK(t.verify(bare).dual_bound < t.verify(t.result.certificate).dual_bound);
    t.check_bound(bare);
  }

  TEST_CASE("data of another length is refused") {
    const Trained t(Model::relu, Loss::squared, 6);
    HostAlgebra host(1);
    for (const std::size_t rows : {t.problem.rows - 1, std::size_t{0}}) {
      DataView data = t.problem.data();
      data.rows = rows;
      const std::vector<double> y(t.problem.y.begin(),
                                  t.problem.y.begin() + static_cast<std::ptrdiff_t>(2 * rows));
      try {
        verify(t.result.model, t.result.certificate, data, y, host);
        FAIL("a certificate of 16 samples was checked against " << rows);
      } catch (const Error& e) {
        CHECK(e.code == ErrorCode::dimension_mismatch);
        CHECK(e.argument == "x");
      }
    }
  }

  TEST_CASE("predictions and objective follow the output's scale and bias") {
    const Trained t(Model::relu, Loss::squared, 7);
    HostAlgebra host(1);
    NetworkModel model = t.result.model;
    const std::vector<double> plain = predict(model, t.problem.data(), host);
    model.output_scale = 3;
    model.output_bias = {1, -2};
    const std::vector<double> scaled = predict(model, t.problem.data(), host);
    std::vector<double> want, y;
    for (std::size_t i = 0; i < plain.size(); ++i) {
      want.push_back(3 * plain[i] + (i % 2 == 0 ? 1 : -2));
      y.push_back(3 * t.problem.y[i] + (i % 2 == 0 ? 1 : -2));
    }
    CHECK(error(scaled, want) < 1e-14);
    const Verdict verdict = verify(model, t.result.certificate, t.problem.data(), y, host);
    CHECK(verdict.objective == doctest::Approx(t.result.report.verdict.objective).epsilon(1e-12));
    CHECK(verdict.dual_bound == doctest::Approx(t.result.report.verdict.dual_bound).epsilon(1e-12));
  }
}
