// The sampled convex program against optimality conditions and an independent proximal gradient
// method, its bounds, its screening and its stops; its sample counts against the scenario formulas.
#include "convex_relu/scp.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "base/error.hpp"
#include "convex_relu/scp_sampling.hpp"
#include "training_support.hpp"

namespace secondorder::test {
namespace {

using namespace convex_relu;

constexpr Loss one_output[] = {Loss::squared, Loss::logistic, Loss::hinge};

/// Uniform hidden vectors for a small problem, and its request.
Problem sampled_problem(Loss loss, std::uint64_t seed, std::size_t outputs = 1,
                        std::size_t gates = 60) {
  Problem p = random_training_problem(Model::relu, loss, {40, 3, 1, outputs}, seed);
  p.options.method = Method::scp;
  p.options.gates = gates;
  p.options.seed = seed;
  p.options.tolerance = 1e-6;
  p.options.max_iterations = 500;
  return p;
}

Request drawn_request(const Problem& p) {
  Request request;
  request.data = p.data();
  request.y = p.y;
  request.outputs = p.outputs;
  request.weights = p.weights;
  request.options = p.options;
  return request;
}

Result solve(const Problem& p, int threads = 1) {
  RunControl control;
  control.threads = threads;
  return train<double>(drawn_request(p), control);
}

/// Columns aⱼ by a plain sum; no preprocessing, no bias.
std::vector<std::vector<double>> plain_columns(const Problem& p, const std::vector<double>& u) {
  std::vector<std::vector<double>> columns(u.size() / p.cols, std::vector<double>(p.rows));
  for (std::size_t j = 0; j < columns.size(); ++j) {
    for (std::size_t k = 0; k < p.rows; ++k) {
      double sum = 0;
      for (std::size_t l = 0; l < p.cols; ++l) sum += p.x[k * p.cols + l] * u[j * p.cols + l];
      columns[j][k] = std::max(sum, 0.0);
    }
  }
  return columns;
}

std::vector<double> drawn(const Problem& p) {
  HostAlgebra host(1);
  return draw_directions(p.options.seed, 0, p.options.gates, p.cols, host);
}

double weight(const Problem& p, std::size_t k) { return p.weights.empty() ? 1 : p.weights[k]; }

double plain_objective(const Problem& p, const std::vector<std::vector<double>>& columns,
                       const std::vector<double>& alpha) {
  const std::size_t c = p.outputs;
  double loss = 0, penalty = 0;
  std::vector<double> z(c);
  for (std::size_t k = 0; k < p.rows; ++k) {
    z.assign(c, 0);
    for (std::size_t j = 0; j < columns.size(); ++j) {
      for (std::size_t o = 0; o < c; ++o) z[o] += columns[j][k] * alpha[j * c + o];
    }
    loss += weight(p, k) * losses::value(p.options.loss, z.data(), p.y.data() + k * c, c);
  }
  for (std::size_t j = 0; j < columns.size(); ++j) {
    double squares = 0;
    for (std::size_t o = 0; o < c; ++o) squares += alpha[j * c + o] * alpha[j * c + o];
    penalty += std::sqrt(squares);
  }
  return loss / p.total_weight() + p.options.beta * penalty;
}

/// Slopes q = Aᵀ∇ℓ of a smooth loss, columns × outputs.
std::vector<double> slopes(const Problem& p, const std::vector<std::vector<double>>& columns,
                           const std::vector<double>& alpha) {
  const std::size_t c = p.outputs;
  std::vector<double> q(columns.size() * c), z(c), g(c);
  for (std::size_t k = 0; k < p.rows; ++k) {
    z.assign(c, 0);
    for (std::size_t j = 0; j < columns.size(); ++j) {
      for (std::size_t o = 0; o < c; ++o) z[o] += columns[j][k] * alpha[j * c + o];
    }
    losses::value_and_gradient(p.options.loss, 0, z.data(), p.y.data() + k * c, c, g.data());
    for (std::size_t j = 0; j < columns.size(); ++j) {
      for (std::size_t o = 0; o < c; ++o) q[j * c + o] += weight(p, k) * columns[j][k] * g[o];
    }
  }
  return q;
}

/// Accelerated proximal gradient with restarts (O'Donoghue and Candès, Found. Comput. Math. 15).
double proximal_gradient(const Problem& p, const std::vector<std::vector<double>>& columns,
                         int steps) {
  const std::size_t c = p.outputs, size = columns.size() * c;
  double lipschitz = 0;  // ‖A‖²_F bounds ‖A‖²
  for (const auto& column : columns) {
    for (std::size_t k = 0; k < p.rows; ++k) lipschitz += weight(p, k) * column[k] * column[k];
  }
  const double beta = p.options.beta * p.total_weight();
  std::vector<double> alpha(size), ahead(size);
  double t = 1, best = plain_objective(p, columns, alpha);
  for (int step = 0; step < steps; ++step) {
    const std::vector<double> q = slopes(p, columns, ahead);
    std::vector<double> next(size);
    double progress = 0;
    for (std::size_t j = 0; j < columns.size(); ++j) {
      double squares = 0;
      for (std::size_t i = j * c; i < (j + 1) * c; ++i) {
        next[i] = ahead[i] - q[i] / lipschitz;
        squares += next[i] * next[i];
      }
      const double norm = std::sqrt(squares);
      const double keep = norm > beta / lipschitz ? 1 - beta / lipschitz / norm : 0;
      for (std::size_t i = j * c; i < (j + 1) * c; ++i) {
        next[i] *= keep;
        progress += (ahead[i] - next[i]) * (next[i] - alpha[i]);
      }
    }
    const double longer = progress > 0 ? 1 : 0.5 * (1 + std::sqrt(1 + 4 * t * t));
    for (std::size_t i = 0; i < size; ++i) {
      ahead[i] = next[i] + (progress > 0 ? 0 : (t - 1) / longer) * (next[i] - alpha[i]);
    }
    t = longer;
    alpha = next;
  }
  best = std::min(best, plain_objective(p, columns, alpha));
  return best;
}

/// −ℓ*(τν) by plain sums over all columns.
double plain_bound(const Problem& p, const std::vector<std::vector<double>>& columns,
                   const std::vector<double>& nu) {
  const std::size_t c = p.outputs;
  double largest = 0;
  for (const auto& column : columns) {
    double squares = 0;
    for (std::size_t o = 0; o < c; ++o) {
      double sum = 0;
      for (std::size_t k = 0; k < p.rows; ++k) sum += column[k] * nu[k * c + o];
      squares += sum * sum;
    }
    largest = std::max(largest, std::sqrt(squares));
  }
  const double tau = std::min(1.0, p.options.beta * p.total_weight() / largest);
  double sum = 0;
  std::vector<double> row(c);
  for (std::size_t k = 0; k < p.rows; ++k) {
    if (weight(p, k) == 0) continue;
    for (std::size_t o = 0; o < c; ++o) row[o] = tau * nu[k * c + o] / weight(p, k);
    losses::project_dual(p.options.loss, row.data(), p.y.data() + k * c, c);
    sum -= weight(p, k) * losses::conjugate(p.options.loss, row.data(), p.y.data() + k * c, c);
  }
  return sum / p.total_weight();
}

TEST_CASE("sampled program: bound and objective enclose what plain sums give") {
  for (const Loss loss : one_output) {
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
      Problem p = sampled_problem(loss, seed);
      if (seed > 2) {
        Random random(seed);
        for (std::size_t k = 0; k < p.rows; ++k)
          p.weights.push_back(k % 5 == 0 ? 0 : random.uniform());
      }
      CAPTURE(static_cast<int>(loss));
      CAPTURE(seed);
      const Result result = solve(p);
      const auto columns = plain_columns(p, drawn(p));
      const Report& report = result.report;
      CHECK(report.status == Status::converged);
      CHECK(report.verdict.gap <= 1e-6);
      CHECK(report.verdict.infeasibility <= 1e-12);
      const double objective = plain_objective(p, columns, result.solution.p);
      CHECK(report.verdict.objective == doctest::Approx(objective).epsilon(1e-10));
      const double bound = plain_bound(p, columns, result.certificate.nu);
      CHECK(bound <= objective * (1 + 1e-12));
      CHECK(objective - bound <= 2e-6 * objective);
      CHECK(report.neurons == result.model.neurons());
      CHECK(report.neurons > 0);
    }
  }
}

TEST_CASE("sampled program: the optimum of a proximal gradient method, by group over outputs too") {
  for (const Loss loss : {Loss::squared, Loss::logistic, Loss::softmax}) {
    for (const std::size_t outputs : {1U, 3U}) {
      if (loss == Loss::softmax && outputs == 1) continue;
      CAPTURE(static_cast<int>(loss));
      CAPTURE(outputs);
      const Problem p = sampled_problem(loss, 7, outputs, 25);
      const Result result = solve(p);
      CHECK(result.report.status == Status::converged);
      const double reached = proximal_gradient(p, plain_columns(p, drawn(p)), 6000);
      CHECK(result.report.verdict.dual_bound <= reached * (1 + 1e-12));
      CHECK(result.report.verdict.objective == doctest::Approx(reached).epsilon(1e-4));
    }
  }
}

TEST_CASE("sampled program: optimality conditions column by column") {
  for (const Loss loss : {Loss::squared, Loss::logistic}) {
    Problem p = sampled_problem(loss, 11);
    p.options.tolerance = 1e-10;
    const Result result = solve(p);
    REQUIRE(result.report.status == Status::converged);
    const auto columns = plain_columns(p, drawn(p));
    const std::vector<double> q = slopes(p, columns, result.solution.p);
    const double beta = p.options.beta * p.total_weight();
    for (std::size_t j = 0; j < columns.size(); ++j) {
      const double alpha = result.solution.p[j];
      CHECK(std::abs(q[j]) <= beta * (1 + 1e-3));
      if (alpha != 0) CHECK(q[j] == doctest::Approx(alpha > 0 ? -beta : beta).epsilon(1e-3));
    }
  }
}

/// A solver on columns of its own, with what it needs.
struct Bench {
  HostAlgebra host{1};
  Targets targets;
  ScpColumns<double> columns;
  RunControl control;

  Bench(const Problem& p, const std::vector<std::vector<double>>& given)
      : columns(given.size(), p.rows) {
    targets = Targets::of(p.data(), p.y, p.outputs, p.weights);
    for (std::size_t j = 0; j < given.size(); ++j) {
      std::copy(given[j].begin(), given[j].end(), columns.column(j));
    }
  }
  ScpSolver<double> solver(const Problem& p, double beta, bool screening = true) {
    return {columns, p.options.loss, targets, beta * p.total_weight(), host, screening};
  }
  Bounds run(ScpSolver<double>& solver, double tolerance) {
    Bounds bounds = solver.price();
    for (int k = 0; k < 300 && bounds.objective - bounds.dual > tolerance * bounds.objective; ++k) {
      solver.step(tolerance, control);
      bounds = solver.price();
    }
    return bounds;
  }
};

TEST_CASE("sampled program: screening drops columns, and none that the optimum uses") {
  for (const Loss loss : {Loss::squared, Loss::logistic}) {
    const Problem p = sampled_problem(loss, 3, 1, 200);
    Bench bench(p, plain_columns(p, drawn(p)));
    ScpSolver<double> with = bench.solver(p, 0.02), without = bench.solver(p, 0.02, false);
    const Bounds a = bench.run(with, 1e-11), b = bench.run(without, 1e-11);
    CHECK(with.screened() > 100);
    CHECK(without.screened() == 0);
    CHECK(a.objective == doctest::Approx(b.objective).epsilon(1e-10));
    CHECK(a.dual == doctest::Approx(b.dual).epsilon(1e-10));
  }
}

TEST_CASE("sampled program: zero, equal and opposite columns, and one column alone") {
  for (const Loss loss : one_output) {
    CAPTURE(static_cast<int>(loss));
    const Problem p = sampled_problem(loss, 5);
    auto columns = plain_columns(p, drawn(p));
    Bench plain(p, columns);
    ScpSolver<double> solver = plain.solver(p, 0.02);
    const Bounds expected = plain.run(solver, 1e-7);
    const auto copies = columns;
    columns.insert(columns.end(), copies.begin(), copies.end());
    columns.emplace_back(p.rows);  // a zero column
    Bench doubled(p, columns);
    ScpSolver<double> other = doubled.solver(p, 0.02);
    CHECK(doubled.run(other, 1e-7).objective == doctest::Approx(expected.objective).epsilon(1e-6));
    CHECK(other.alpha().back() == 0);
    Bench nothing(p, {std::vector<double>(p.rows)});
    ScpSolver<double> idle = nothing.solver(p, 0.02);
    const Bounds zero = nothing.run(idle, 1e-7);
    CHECK(zero.objective == doctest::Approx(zero.dual));
    CHECK(idle.alpha()[0] == 0);
  }
}

TEST_CASE("sampled program: no weights from the largest price at zero on, some below it") {
  for (const Loss loss : one_output) {
    const Problem p = sampled_problem(loss, 9);
    const auto columns = plain_columns(p, drawn(p));
    std::vector<double> alpha(columns.size());
    double largest = 0;
    if (loss == Loss::hinge) {
      for (const auto& column : columns) {
        double sum = 0;
        for (std::size_t k = 0; k < p.rows; ++k) sum += column[k] * p.y[k];
        largest = std::max(largest, std::abs(sum));
      }
    } else {
      for (const double q : slopes(p, columns, alpha)) largest = std::max(largest, std::abs(q));
    }
    Bench bench(p, columns);
    const auto used = [&](double beta) {
      ScpSolver<double> solver = bench.solver(p, beta / p.total_weight());
      bench.run(solver, 1e-7);
      double sum = 0;
      for (const double a : solver.alpha()) sum += std::abs(a);
      return sum;
    };
    CHECK(used(1.0001 * largest) == 0);
    CHECK(used(0.9 * largest) > 0);
  }
}

TEST_CASE("sampled program: the same numbers for any number of threads, and float32 near float64") {
  for (const Loss loss : one_output) {
    const Problem p = sampled_problem(loss, 13);
    const Result one = solve(p, 1), three = solve(p, 3);
    CHECK(one.solution.p == three.solution.p);
    CHECK(one.certificate.nu == three.certificate.nu);
    Problem loose = p;
    loose.options.tolerance = 1e-4;
    const Result rounded = train<float>(drawn_request(loose), RunControl());
    CHECK(rounded.report.status == Status::converged);
    CHECK(rounded.report.verdict.objective ==
          doctest::Approx(one.report.verdict.objective).epsilon(2e-4));
  }
}

TEST_CASE("sampled program: given hidden vectors count by their directions") {
  Problem p = sampled_problem(Loss::squared, 15);
  const Result expected = solve(p);
  p.gates = drawn(p);
  for (std::size_t i = 0; i < p.gates.size(); ++i)
    p.gates[i] *= 1 + static_cast<double>(i / p.cols);
  Request request = p.request();
  request.options.method = Method::scp;
  const Result given = train<double>(request, RunControl());
  CHECK(given.certificate.drawn->count == 0);
  CHECK(given.certificate.gates.count == 60);
  CHECK(given.report.verdict.objective ==
        doctest::Approx(expected.report.verdict.objective).epsilon(1e-9));
}

TEST_CASE("sampled program: warm starts from its solution and from a network") {
  Problem p = sampled_problem(Loss::logistic, 17);
  const Result first = solve(p);
  Request request = drawn_request(p);
  request.warm_solution = &first.solution;
  CHECK(train<double>(request, RunControl()).report.iterations == 0);
  request.options.beta *= 0.5;
  CHECK(train<double>(request, RunControl()).report.status == Status::converged);
  request = drawn_request(p);
  request.options.seed = 99;
  request.options.gates = 5;
  request.warm_network = &first.model;
  const Result from = train<double>(request, RunControl());
  CHECK(from.report.history.front().objective <= first.report.verdict.objective * (1 + 1e-9));
  CHECK(from.report.gates == 5 + first.model.neurons());
}

TEST_CASE("sampled program: a certificate that was tampered with proves less") {
  const Problem p = sampled_problem(Loss::squared, 19);
  Result result = solve(p);
  HostAlgebra host(1);
  const auto check = [&] { return verify(result.model, result.certificate, p.data(), p.y, host); };
  const Verdict before = check();
  CHECK(before.gap == doctest::Approx(result.report.verdict.gap).epsilon(1e-6));
  result.model.hidden[0] += 0.5;
  CHECK(check().infeasibility > 1e-3);
  result.model.hidden[0] -= 0.5;
  result.certificate.nu[0] *= 3;
  CHECK(check().dual_bound < before.dual_bound);
}

TEST_CASE("sampled program: stops before and during its steps") {
  for (const Loss loss : one_output) {
    const Problem p = sampled_problem(loss, 21);
    RunControl before;
    before.cancel();
    const Result none = train<double>(drawn_request(p), before);
    CHECK(none.report.status == Status::aborted);
    CHECK(none.model.neurons() == 0);
    CHECK(none.report.verdict.dual_bound <= none.report.verdict.objective);
    RunControl during;
    int events = 0;
    during.on_progress = [&](std::span<const NamedNumber>) {
      if (++events == 2) during.cancel();
    };
    const Result some = train<double>(drawn_request(p), during);
    CHECK(some.report.status == Status::aborted);
    CHECK(some.report.history.size() == 2);
    CHECK(some.report.verdict.objective <= none.report.verdict.objective * (1 + 1e-12));
    CHECK(some.report.verdict.dual_bound <= some.report.verdict.objective);
    RunControl late;
    late.time_limit = 0;
    CHECK(train<double>(drawn_request(p), late).report.status == Status::time_limit);
  }
}

TEST_CASE("sampled program: what it has no method for is refused by name") {
  const auto refused = [](const Problem& p) {
    try {
      solve(p);
    } catch (const Error& error) {
      return error.argument;
    }
    return std::string();
  };
  Problem p = sampled_problem(Loss::hinge, 1, 2);
  CHECK(refused(p) == "loss");
  p = sampled_problem(Loss::squared, 1, 2);
  p.options.penalty = Penalty::neuron;
  CHECK(refused(p) == "penalty");
  p = sampled_problem(Loss::squared, 1);
  p.options.model = Model::gated;
  CHECK(refused(p) == "model");
}

TEST_CASE("sample counts: the scenario formula, and its inverse") {
  for (const double decisions : {2.0, 101.0, 5001.0}) {
    for (const double psi : {0.01, 0.3}) {
      for (const double xi : {0.001, 0.05, 0.9}) {
        const double count = scp_sample_count(decisions, psi, xi);
        const bool first = count >= decisions / (psi * xi) - 1;
        const bool second = count >= 2 / psi * (decisions - std::log(xi));
        CHECK((first || second));
        const double less = count - 1;
        CHECK_FALSE(less >= decisions / (psi * xi) - 1);
        CHECK_FALSE(less >= 2 / psi * (decisions - std::log(xi)));
        CHECK(scp_violation(decisions, count, xi) <= psi * (1 + 1e-12));
      }
    }
  }
}

/// The scenario theorem's bound is at least what the exact law of fully supported programs asks:
/// P{V > ψ} ≤ Σ_{i<decisions} C(N, i) ψⁱ(1 − ψ)^(N−i) (Campi and Garatti, SIAM J. Optim. 19, 2008).
TEST_CASE("sample counts: no fewer than the exact law asks for") {
  for (const int decisions : {2, 20, 60}) {
    for (const double psi : {0.05, 0.2}) {
      for (const double xi : {0.01, 0.2}) {
        const double n = scp_sample_count(decisions, psi, xi);
        double tail = 0;
        for (int i = 0; i < decisions; ++i) {
          tail += std::exp(std::lgamma(n + 1) - std::lgamma(i + 1.0) - std::lgamma(n - i + 1) +
                           i * std::log(psi) + (n - i) * std::log1p(-psi));
        }
        CHECK(tail <= xi);
      }
    }
  }
}

TEST_CASE("violation limit: the confidence it claims") {
  CHECK(violation_limit(0, 1000, 0.05) == doctest::Approx(1 - std::pow(0.05, 1e-3)));
  CHECK(violation_limit(10, 10, 0.05) == 1);
  CHECK(violation_limit(3, 1000, 0.05) > violation_limit(2, 1000, 0.05));
}

}  // namespace
}  // namespace secondorder::test
