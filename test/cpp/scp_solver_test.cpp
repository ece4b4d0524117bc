// The solver of the sampled convex program on columns given to it: screening, and columns that are
// zero, equal or too dear.
#include <doctest/doctest.h>

#include <cmath>

#include "convex_relu/scp.hpp"
#include "sampled_reference.hpp"

namespace secondorder::test {
namespace {

using namespace convex_relu;

/// A solver on columns of its own, with what it needs.
struct Bench {
  HostAlgebra host{1};
  Targets targets;
  ScpColumns<double> columns;
  RunControl control;

  Bench(const Problem& p, const Columns& given) : columns(given.size(), p.rows) {
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
    Bench bench(p, plain_columns(p, drawn_directions(p)));
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
    auto columns = plain_columns(p, drawn_directions(p));
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
    const auto columns = plain_columns(p, drawn_directions(p));
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

}  // namespace
}  // namespace secondorder::test
