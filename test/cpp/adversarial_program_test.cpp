// The robust program end to end: its optimum against a dense interior-point method over an
// epigraph form, its certificate, and the worst case that its network really has.
#include <doctest/doctest.h>

#include "base/error.hpp"
#include "convex_relu/adversarial_descent.hpp"
#include "convex_relu/adversarial_gates.hpp"
#include "convex_relu/certified_bounds.hpp"
#include "convex_relu/robust_verify.hpp"
#include "convex_relu/robustness.hpp"
#include "convex_relu/train.hpp"
#include "reference_conic_interior_point.hpp"
#include "test_support.hpp"

using namespace secondorder;
using namespace secondorder::convex_relu;
using test::Random;

namespace {

struct Problem {
  std::size_t rows, cols;
  std::vector<double> x, y, weights;
  Options options;

  Problem(std::size_t n, std::size_t d, Loss loss, std::uint64_t seed) : rows(n), cols(d) {
    Random random(seed);
    for (std::size_t k = 0; k < n; ++k) {
      const double label = random.label();
      for (std::size_t j = 0; j < d; ++j) {
        x.push_back(random.normal() + (j == 0 ? 1.5 * label : 0));
      }
      y.push_back(loss == Loss::squared ? label + 0.3 * random.normal() : label);
    }
    options.loss = loss;
    options.preprocess = Preprocess::none;
    options.beta = 0.02;
    options.epsilon = 0.2;
    options.descend = false;
    options.gates = 6;
    options.tolerance = 1e-6;
    options.max_iterations = 100000;
  }
  DataView data() const {
    DataView view;
    view.values64 = x;
    view.rows = rows;
    view.cols = cols;
    return view;
  }
  Request request() const {
    Request request;
    request.data = data();
    request.y = y;
    request.weights = weights;
    request.options = options;
    return request;
  }
  double total_weight() const {
    double total = 0;
    for (std::size_t k = 0; k < rows; ++k) total += weights.empty() ? 1 : weights[k];
    return total;
  }
};

Result solve(const Problem& problem) { return train<double>(problem.request(), RunControl{}); }

/// The optimum of the robust program over the patterns of `gates`, summed over samples: unknowns
/// are V and W (2·P·f), their entries' sizes (as many), norms (2P), the sizes of Q (n·f), and one
/// bound of each sample's loss argument.
double reference_optimum(const Problem& p, const Gates& gates) {
  const std::size_t n = p.rows, f = p.cols + 1, count = gates.count;
  const std::size_t weights = 2 * count * f, sizes = weights, norms = 2 * weights;
  const std::size_t q_sizes = norms + 2 * count, slacks = q_sizes + n * f, unknowns = slacks + n;
  const auto z = [&](std::size_t k, std::size_t j) {
    return j + 1 == f ? 1.0 : p.x[k * p.cols + j];
  };
  const auto open = [&](std::size_t k, std::size_t i) {
    double sum = 0;
    for (std::size_t j = 0; j < f; ++j) sum += gates.rows[i * f + j] * z(k, j);
    return sum >= 0;
  };
  const auto radius = [&](std::size_t j) { return j + 1 == f ? 0 : *p.options.epsilon; };
  std::vector<std::vector<std::pair<std::size_t, double>>> rows;  // G x ≤ h
  std::vector<double> bounds;
  const auto require = [&](std::vector<std::pair<std::size_t, double>> row, double bound) {
    rows.push_back(std::move(row));
    bounds.push_back(bound);
  };
  for (std::size_t u = 0; u < weights; ++u) {
    require({{u, 1}, {sizes + u, -1}}, 0);
    require({{u, -1}, {sizes + u, -1}}, 0);
  }
  for (std::size_t row = 0; row < 2 * count; ++row) {
    for (std::size_t k = 0; k < n; ++k) {  // r|v| − E x v ≤ 0
      std::vector<std::pair<std::size_t, double>> cone;
      const double sign = open(k, row % count) ? 1 : -1;
      for (std::size_t j = 0; j < f; ++j) {
        cone.emplace_back(row * f + j, -sign * z(k, j));
        cone.emplace_back(sizes + row * f + j, radius(j));
      }
      require(cone, 0);
    }
  }
  for (std::size_t k = 0; k < n; ++k) {
    std::vector<std::pair<std::size_t, double>> output, spread;
    for (std::size_t j = 0; j < f; ++j) {
      for (const double side : {1.0, -1.0}) {  // ±q ≤ its size
        std::vector<std::pair<std::size_t, double>> entry{{q_sizes + k * f + j, -1}};
        for (std::size_t i = 0; i < count; ++i) {
          if (!open(k, i)) continue;
          entry.emplace_back(i * f + j, side);
          entry.emplace_back((count + i) * f + j, -side);
        }
        require(entry, 0);
      }
      spread.emplace_back(q_sizes + k * f + j, radius(j));
      for (std::size_t i = 0; i < count; ++i) {
        if (!open(k, i)) continue;
        output.emplace_back(i * f + j, z(k, j));
        output.emplace_back((count + i) * f + j, -z(k, j));
      }
    }
    const auto bound_by = [&](double sign, double constant) {  // constant + sign·ŷ + spread ≤ slack
      auto row = spread;
      for (const auto& [at, value] : output) row.emplace_back(at, sign * value);
      row.emplace_back(slacks + k, -1);
      require(row, -constant);
    };
    if (p.options.loss == Loss::squared) {
      bound_by(1, -p.y[k]);
      bound_by(-1, p.y[k]);
    } else if (p.options.loss == Loss::hinge) {
      bound_by(-p.y[k], 1);
      require({{slacks + k, -1}}, 0);
    } else {
      bound_by(-p.y[k], 0);
    }
  }
  reference::ConicProgram program;
  program.linear_rows = rows.size();
  const std::size_t cone_rows = 2 * count * (f + 1);
  program.inequality = reference::Matrix(rows.size() + cone_rows, unknowns);
  program.bound.assign(rows.size() + cone_rows, 0);
  for (std::size_t row = 0; row < rows.size(); ++row) {
    for (const auto& [at, value] : rows[row]) program.inequality(row, at) += value;
    program.bound[row] = bounds[row];
  }
  std::size_t row = rows.size();
  for (std::size_t i = 0; i < 2 * count; ++i) {
    program.cone_sizes.push_back(f + 1);
    program.inequality(row++, norms + i) = -1;
    for (std::size_t j = 0; j < f; ++j) program.inequality(row++, i * f + j) = -1;
  }
  const double beta = p.options.beta * p.total_weight();
  const auto weight = [&](std::size_t k) { return p.weights.empty() ? 1 : p.weights[k]; };
  program.objective = [&](std::span<const reference::Real> at, std::span<reference::Real> gradient,
                          reference::Matrix& hessian) {
    std::fill(gradient.begin(), gradient.end(), 0);
    std::fill(hessian.values.begin(), hessian.values.end(), 0);
    for (std::size_t i = 0; i < 2 * count; ++i) gradient[norms + i] = beta;
    for (std::size_t k = 0; k < n; ++k) {
      const std::size_t s = slacks + k;
      if (p.options.loss == Loss::hinge) gradient[s] = weight(k);
      if (p.options.loss == Loss::squared) {
        gradient[s] = weight(k) * at[s];
        hessian(s, s) = weight(k);
      } else if (p.options.loss == Loss::logistic) {  // softplus
        const reference::Real share = 1 / (1 + std::exp(-at[s]));
        gradient[s] = weight(k) * share;
        hessian(s, s) = weight(k) * share * (1 - share);
      }
    }
  };
  reference::ConicPoint point;
  point.x.assign(unknowns, 0);
  double best = 0;
  reference::solve_conic(program, point, [&](const reference::ConicPoint& at) {
    best = 0;
    for (std::size_t i = 0; i < 2 * count; ++i) best += static_cast<double>(beta * at.x[norms + i]);
    for (std::size_t k = 0; k < n; ++k) {
      const double s = static_cast<double>(at.x[slacks + k]);
      best += weight(k) * (p.options.loss == Loss::squared ? 0.5 * s * s
                           : p.options.loss == Loss::hinge ? s
                                                           : losses::softplus(s));
    }
    return reference::dot(at.s, at.z) < 1e-12;
  });
  return best / p.total_weight();
}

/// The network's worst loss on each sample by trying every corner of its box: exact where it is
/// linear within, a lower bound otherwise.
double corner_objective(const NetworkModel& model, const Problem& p) {
  HostAlgebra host(1);
  double sum = 0;
  for (std::size_t k = 0; k < p.rows; ++k) {
    double worst = 0;
    for (std::size_t corner = 0; corner < std::size_t{1} << p.cols; ++corner) {
      std::vector<double> moved(p.x.begin() + static_cast<std::ptrdiff_t>(k * p.cols),
                                p.x.begin() + static_cast<std::ptrdiff_t>((k + 1) * p.cols));
      for (std::size_t j = 0; j < p.cols; ++j) {
        moved[j] += (corner >> j) & 1 ? *p.options.epsilon : -*p.options.epsilon;
      }
      DataView one;
      one.values64 = moved;
      one.rows = 1;
      one.cols = p.cols;
      const std::vector<double> output = predict(model, one, host);
      worst = std::max(worst, losses::value(p.options.loss, output.data(), &p.y[k], 1));
    }
    sum += (p.weights.empty() ? 1 : p.weights[k]) * worst;
  }
  return sum / p.total_weight() + p.options.beta * penalty(model);
}

}  // namespace

TEST_CASE("the robust program's optimum is that of an interior-point method") {
  for (const Loss loss : {Loss::hinge, Loss::logistic, Loss::squared}) {
    for (const bool weighted : {false, true}) {
      Problem problem(14, 2, loss, 3 + weighted);
      if (weighted) {
        Random random(9);
        for (std::size_t k = 0; k < problem.rows; ++k) {
          problem.weights.push_back(0.5 + random.uniform());
        }
      }
      const Result result = solve(problem);
      const Verdict& verdict = result.report.verdict;
      CAPTURE(static_cast<int>(loss));
      CHECK(result.report.status == Status::converged);
      const double optimum = reference_optimum(problem, result.certificate.gates);
      CHECK(verdict.dual_bound <= optimum * (1 + 1e-9));
      CHECK(verdict.objective == doctest::Approx(optimum).epsilon(3e-6));
      // The robust cones hold, so the program's worst case is the network's.
      CHECK(corner_objective(result.model, problem) ==
            doctest::Approx(verdict.objective).epsilon(3e-6));
    }
  }
}

TEST_CASE("the robust bound holds for any dual point, and falls with a stronger adversary") {
  Problem problem(14, 2, Loss::hinge, 5);
  const Result result = solve(problem);
  const double optimum = reference_optimum(problem, result.certificate.gates);
  HostAlgebra host(1);
  Random random(6);
  for (int trial = 0; trial < 200; ++trial) {
    Certificate other = result.certificate;
    const double size = trial % 2 == 0 ? 0.05 : 2;
    for (double& value : other.nu) value += size * random.normal();
    for (double& value : other.shifts) value += size * random.normal();
    for (double& value : other.mu) value += size * random.normal();
    const Verdict verdict = verify(result.model, other, problem.data(), problem.y, host);
    CHECK(verdict.dual_bound <= optimum * (1 + 1e-9));
  }
  double last = 0;
  for (const double epsilon : {0.05, 0.2, 0.5}) {
    problem.options.epsilon = epsilon;
    problem.options.gates = 1;
    const double objective = solve(problem).report.verdict.objective;
    CHECK(objective >= last - 1e-6);
    last = objective;
  }
}

TEST_CASE("gates keep their distance from every sample, and the first is open everywhere") {
  Problem problem(30, 3, Loss::hinge, 7);
  HostAlgebra host(1);
  const Preprocessing preprocessing = fit_preprocessing(problem.data(), problem.options, host);
  const Gates gates = draw_robust_gates(problem.data(), preprocessing, problem.options, host);
  CHECK(gates.count > 1);
  CHECK(gates.count <= problem.options.gates);
  for (std::size_t i = 0; i < gates.count; ++i) {
    const double* gate = gates.rows.data() + i * 4;
    const double size = std::abs(gate[0]) + std::abs(gate[1]) + std::abs(gate[2]);
    for (std::size_t k = 0; k < problem.rows; ++k) {
      double value = gate[3];
      for (std::size_t j = 0; j < 3; ++j) value += gate[j] * problem.x[k * 3 + j];
      CHECK(std::abs(value) >= *problem.options.epsilon * size * (1 - 1e-12));
      if (i == 0) CHECK(value > 0);
    }
  }
}

TEST_CASE("samples of weight 0 take no part in adversarial training") {
  Problem problem(14, 2, Loss::hinge, 8);
  problem.options.tolerance = 1e-4;
  problem.weights.assign(14, 1);
  problem.weights[3] = problem.weights[9] = 0;
  const Result result = solve(problem);
  CHECK(result.report.status == Status::converged);
  HostAlgebra host(1);
  const Verdict verdict = verify(result.model, result.certificate, problem.data(), problem.y, host);
  CHECK(verdict.dual_bound == doctest::Approx(result.report.verdict.dual_bound).epsilon(1e-9));
  CHECK(verdict.objective == doctest::Approx(result.report.verdict.objective).epsilon(1e-9));
}

TEST_CASE("certified bounds lie below every output in the box") {
  Random random(10);
  HostAlgebra host(1);
  for (int trial = 0; trial < 30; ++trial) {
    const std::size_t f = 1 + random.below(4), neurons = random.below(8), c = 1 + random.below(3);
    NetworkModel model;
    model.outputs = c;
    model.preprocessing.mean.assign(f, 0);
    model.preprocessing.scale.assign(f, 1);
    for (std::size_t i = 0; i < neurons * f; ++i) model.hidden.push_back(random.normal());
    for (std::size_t i = 0; i < neurons * c; ++i) model.output.push_back(random.normal());
    for (std::size_t o = 0; o < c; ++o) model.output_bias.push_back(random.normal());
    model.output_scale = 0.5 + random.uniform();
    std::vector<double> radius(f), combination(c), z(f);
    for (double& r : radius) r = random.uniform();
    for (double& value : combination) value = random.normal();
    for (double& value : z) value = random.normal();
    CertifiedBounds bounds(model, radius);
    const double low = bounds.lower({z.data(), 1, f}, {combination.data(), 1, c}, host)[0];
    double least = 1e300;
    for (int point = 0; point < 500; ++point) {
      std::vector<double> moved(z);
      for (std::size_t j = 0; j < f; ++j) {
        moved[j] += radius[j] * (point % 2 == 0 ? random.label() : 2 * random.uniform() - 1);
      }
      DataView one;
      one.values64 = moved;
      one.rows = 1;
      one.cols = f;
      const std::vector<double> output = predict(model, one, host);
      double value = 0;
      for (std::size_t o = 0; o < c; ++o) value += combination[o] * output[o];
      least = std::min(least, value);
    }
    CHECK(low <= least + 1e-12);
    if (neurons == 0) CHECK(low == doctest::Approx(least));
  }
}

TEST_CASE("gradients along inputs are those of finite differences") {
  Random random(11);
  HostAlgebra host(1);
  for (const Model kind : {Model::relu, Model::gated}) {
    const std::size_t d = 4, units = 5, c = 2, kept = 3;
    NetworkModel model;
    model.kind = kind;
    model.outputs = c;
    Preprocessing& p = model.preprocessing;
    for (std::size_t j = 0; j < d; ++j) p.mean.push_back(random.normal());
    p.scale.assign(d, 1.5);
    for (std::size_t i = 0; i < kept * d; ++i) p.components.push_back(random.normal());
    p.feature_scale = 0.7;
    p.bias_value = 1;
    model.output_bias.assign(c, 0.3);
    model.output_scale = 2;
    const std::size_t f = kept + 1;
    for (std::size_t i = 0; i < units * f; ++i) model.hidden.push_back(random.normal());
    for (std::size_t i = 0; i < units * c; ++i) model.output.push_back(random.normal());
    for (std::size_t i = 0; i < units * (d + 1); ++i) model.gates.rows.push_back(random.normal());
    model.gates.count = units;
    for (std::size_t i = 0; i < c * units * f; ++i) model.weights.push_back(random.normal());
    std::vector<double> s(d), slopes{0.4, -1.1}, gradient(d);
    for (double& value : s) value = random.normal();
    ModelGradient along(model, 1);
    along.outputs({s.data(), 1, d}, host);
    along.along_inputs({slopes.data(), 1, c}, host, {gradient.data(), 1, d});
    for (std::size_t j = 0; j < d; ++j) {
      const auto value = [&](double step) {
        std::vector<double> moved(s);
        moved[j] += step;
        const ConstView<double> output = along.outputs({moved.data(), 1, d}, host);
        return slopes[0] * output.row(0)[0] + slopes[1] * output.row(0)[1];
      };
      CHECK(gradient[j] == doctest::Approx((value(1e-6) - value(-1e-6)) / 2e-6).epsilon(1e-6));
    }
  }
}

TEST_CASE("attacks stay in their boxes in the arithmetic of x, and do what they are for") {
  Problem problem(60, 3, Loss::hinge, 12);
  problem.options.preprocess = Preprocess::standardize;
  problem.options.tolerance = 1e-3;
  const Result result = solve(problem);
  HostAlgebra host(2);
  const std::vector<float> single(problem.x.begin(), problem.x.end());
  DataView data32 = problem.data();
  data32.values64 = {};
  data32.values32 = single;
  for (const AttackMethod method : {AttackMethod::fgsm, AttackMethod::pgd}) {
    for (const AttackUnits units : {AttackUnits::input, AttackUnits::solver}) {
      AttackOptions options;
      options.method = method;
      options.units = units;
      options.epsilon = 0.3;
      const auto& scale = result.model.preprocessing.scale;
      const auto radius = [&](std::size_t j) {
        return units == AttackUnits::input ? 0.3 : 0.3 * scale[j];
      };
      const std::vector<double> moved =
          attack(result.model, problem.data(), problem.y, options, false, host);
      const std::vector<double> moved32 =
          attack(result.model, data32, problem.y, options, true, host);
      double furthest = 0;
      for (std::size_t i = 0; i < moved.size(); ++i) {
        CHECK(std::abs(moved[i] - problem.x[i]) <= radius(i % 3));
        const auto value = static_cast<float>(moved32[i]);
        CHECK(static_cast<double>(value) == moved32[i]);
        CHECK(static_cast<double>(std::abs(value - single[i])) <= radius(i % 3));
        furthest = std::max(furthest, std::abs(moved[i] - problem.x[i]) / radius(i % 3));
      }
      CHECK(furthest > 0.99);
    }
  }
  AttackOptions options;
  options.epsilon = 0.2;
  const Robustness robustness =
      measure_robustness(result.model, problem.data(), problem.y, options, host);
  CHECK(robustness.accuracy >= robustness.attacked);
  CHECK(robustness.attacked >= robustness.certified);
  // Within its cones the network is linear in each box: PGD finds the worst, and it is certified.
  CHECK(robustness.attacked == robustness.certified);
  AttackOptions threads = options;
  HostAlgebra one(1);
  CHECK(attack(result.model, problem.data(), problem.y, threads, false, one) ==
        attack(result.model, problem.data(), problem.y, threads, false, host));
}

TEST_CASE("the descent is kept only where the worst case under attack falls") {
  Problem problem(60, 3, Loss::hinge, 13);
  problem.options.tolerance = 1e-3;
  const Result start = solve(problem);
  HostAlgebra host(1);
  DescentOptions options;
  options.loss = Loss::hinge;
  options.beta = problem.options.beta;
  options.epsilon = *problem.options.epsilon;
  options.width = 8;
  const Descent descent = descend_adversarially(start.model, problem.data(), problem.y, {}, options,
                                                RunControl{}, host);
  CHECK(descent.before == doctest::Approx(start.report.verdict.objective).epsilon(1e-3));
  CHECK(descent.after <= descent.before);
  CHECK(corner_objective(descent.model, problem) <= descent.before * (1 + 1e-6));
  options.beta = 1e3;  // nothing is worth any weight: the start, or less
  const Descent none = descend_adversarially(start.model, problem.data(), problem.y, {}, options,
                                             RunControl{}, host);
  CHECK(none.after <= none.before);
}

TEST_CASE("what adversarial training does not cover is refused by name") {
  const auto argument_of = [](auto change) {
    Problem problem(14, 2, Loss::hinge, 14);
    Request request = problem.request();
    change(request);
    try {
      train<double>(request, RunControl{});
    } catch (const Error& error) {
      CHECK(error.code == ErrorCode::invalid_argument);
      return error.argument;
    }
    return std::string();
  };
  CHECK(argument_of([](Request& r) { r.options.model = Model::gated; }) == "model");
  CHECK(argument_of([](Request& r) { r.options.loss = Loss::softmax; }) == "loss");
  CHECK(argument_of([](Request& r) { r.options.components = 1; }) == "components");
  CHECK(argument_of([](Request& r) { r.outputs = 2; }) == "y");
  CHECK(argument_of([](Request& r) { r.weights.assign(14, 0); }) == "sampleWeights");
}

TEST_CASE("an adversarial run stops when it is told to, with its best network") {
  Problem problem(400, 12, Loss::hinge, 15);
  problem.options.gates = 64;
  problem.options.tolerance = 1e-9;
  RunControl control;
  control.on_progress = [&](std::span<const NamedNumber>) { control.cancel(); };
  const Result result = train<float>(problem.request(), control);
  CHECK(result.report.status == Status::aborted);
  CHECK(result.model.neurons() > 0);
  HostAlgebra host(1);
  const Verdict verdict = verify(result.model, result.certificate, problem.data(), problem.y, host);
  CHECK(verdict.objective == doctest::Approx(result.report.verdict.objective));
  RunControl at_once;
  at_once.cancel();
  CHECK(train<float>(problem.request(), at_once).report.status == Status::aborted);
}
