// The bound over all networks against the optimum over all patterns, solved by the reference.
#include "convex_relu/global_bound.hpp"

#include <doctest/doctest.h>

#include <array>

#include "convex_relu/global_rounds.hpp"
#include "training_support.hpp"

using namespace secondorder;
using namespace secondorder::convex_relu;
using namespace secondorder::test;

namespace {

constexpr Loss all_losses[] = {Loss::squared, Loss::logistic, Loss::hinge, Loss::softmax};

/// Cells of n hyperplanes through 0 in d dimensions, in general position (Cover 1965).
std::size_t cells(std::size_t n, std::size_t d) {
  std::size_t sum = 0, choose = 1;
  for (std::size_t i = 0; i < d; ++i) {
    sum += choose;
    choose = choose * (n - 1 - i) / (i + 1);
  }
  return 2 * sum;
}

/// Gates in all cells of the hyperplanes of rows in general position, in 2 or 3 dimensions: every
/// cell has an edge, on which one sample (of two dimensions) or two (of three) are 0, and lies a
/// small step off it, to one side or the other of each.
std::vector<double> gates_of_all_cells(const std::vector<double>& x, std::size_t rows,
                                       std::size_t cols) {
  using Vector = std::array<double, 3>;
  const auto row = [&](std::size_t k) {
    return Vector{x[k * cols], x[k * cols + 1], cols == 3 ? x[k * cols + 2] : 0};
  };
  const auto cross = [](const Vector& a, const Vector& b) {
    return Vector{a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
  };
  std::vector<double> gates;
  for (std::size_t a = 0; a < rows; ++a) {
    for (std::size_t b = a + 1; b < (cols == 3 ? rows : a + 2); ++b) {
      const Vector first = row(a), second = cols == 3 ? row(b) : Vector{0, 0, 1};
      const Vector edge = cross(first, second);
      const Vector off_first = cross(second, edge), off_second = cross(edge, first);
      for (int signs = 0; signs < 8; ++signs) {
        const double along = (signs & 1) != 0 ? -1 : 1, one = (signs & 2) != 0 ? -1e-6 : 1e-6,
                     other = (signs & 4) != 0 ? -1e-6 : 1e-6;
        for (std::size_t j = 0; j < cols; ++j) {
          gates.push_back(along * edge[j] + one * off_first[j] + other * off_second[j]);
        }
      }
    }
  }
  return gates;
}

/// A training problem over all patterns of its data (of rows in general position), with its
/// optimum.
struct AllPatterns {
  Problem problem;
  double optimum = 0;  ///< per unit of weight

  AllPatterns(Loss loss, ProblemShape shape, std::uint64_t seed, Penalty penalty = Penalty::gate,
              bool weighted = false, bool constant_column = false)
      : problem(random_training_problem(Model::relu, loss, shape, seed)) {
    Random random(seed + 1000);
    problem.options.penalty = penalty;
    for (std::size_t k = 0; weighted && k < problem.rows; ++k) {
      problem.weights.push_back(0.2 + random.uniform());
    }
    for (std::size_t k = 0; constant_column && k < problem.rows; ++k) {
      problem.x[(k + 1) * problem.cols - 1] = 1;
    }
    problem.gates = gates_of_all_cells(problem.x, problem.rows, problem.cols);
    const reference::ReferenceProblem all = as_reference(problem);
    // The pattern that is open nowhere may be among the cells, and is no gate.
    const std::size_t count = cells(problem.rows, problem.cols);
    CHECK(all.gates >= count - 1);
    CHECK(all.gates <= count);
    const reference::ReferenceResult result = reference::solve_reference(all);
    CHECK(std::abs(result.relative_gap) < 1e-6);
    optimum = result.primal_value / problem.total_weight();
  }

  GlobalBound bound(const Result& result, const GlobalBoundOptions& options = {}) const {
    HostAlgebra host(1);
    return global_bound(result.model, result.certificate, problem.data(), problem.y,
                        result.report.verdict.objective, options, host);
  }
  void check(const GlobalBound& b) const {
    CHECK(std::isfinite(b.bound));
    CHECK(b.bound >= 0);
    CHECK(b.bound <= optimum * (1 + 1e-7) + 1e-10);
  }
};

AllPatterns small(Loss loss, std::size_t cols, std::uint64_t seed, bool weighted = false,
                  bool constant_column = false) {
  const std::size_t rows = cols == 2 ? 8 : 5;
  return {loss,     {rows, cols, 1, loss == Loss::softmax ? 2U : 1U},
          seed,     Penalty::neuron,
          weighted, constant_column};
}

}  // namespace

TEST_SUITE("global bound") {
  TEST_CASE("reaches the optimum over all patterns, and is never above it") {
    for (const Loss loss : all_losses) {
      for (const std::size_t cols : {2, 3}) {
        const bool weighted = cols == 2, constant_column = loss != Loss::squared;
        const AllPatterns all = small(loss, cols, 1 + cols, weighted, constant_column);
        const Result result = train<double>(all.problem.request(), RunControl{});
        INFO("loss ", static_cast<int>(loss), ", features ", cols);
        GlobalBoundOptions options;
        options.cuts = 0;
        options.tolerance = 1e-3;
        const GlobalBound b = all.bound(result, options);
        CHECK(result.report.verdict.objective == doctest::Approx(all.optimum).epsilon(1e-6));
        all.check(b);
        CHECK(b.complete);
        CHECK(b.method == BoundMethod::branch_and_bound);
        CHECK(b.gap == relative_gap(result.report.verdict.objective, b.bound));
        CHECK(b.price_above >= b.price_below);
        // With several outputs a neuron may serve all of them, which one norm each overcharges.
        if (loss != Loss::softmax) {
          CHECK(b.bound >= all.optimum * (1 - 3e-3));
          CHECK(b.price_below == doctest::Approx(1).epsilon(2e-3));
        }
      }
    }
  }

  TEST_CASE("any dual vector, any stop: never above the optimum") {
    for (const Loss loss : all_losses) {
      const AllPatterns all = small(loss, 2, 5, loss == Loss::squared);
      const Result result = train<double>(all.problem.request(), RunControl{});
      Random random(6);
      for (int trial = 0; trial < 60; ++trial) {
        Result other = result;
        const double size = std::pow(10, 6 * random.uniform() - 3);
        for (double& value : other.certificate.nu) {
          value = trial % 3 == 0 ? value * size : value + size * random.normal();
        }
        GlobalBoundOptions options;
        options.nodes = trial % 2 == 0 ? 1 : 2000;
        options.relaxation_steps = trial % 4;
        options.cuts = trial % 5 == 0 ? 5 : 0;
        all.check(all.bound(other, options));
      }
    }
  }

  TEST_CASE("one norm for all outputs of a gate, and one each") {
    for (const Loss loss : {Loss::squared, Loss::softmax}) {
      for (const Penalty penalty : {Penalty::gate, Penalty::neuron}) {
        const AllPatterns all(loss, {7, 2, 1, 2}, 7, penalty);
        const Result result = train<double>(all.problem.request(), RunControl{});
        all.check(all.bound(result));
        CHECK(all.bound(result).bound > 0.3 * all.optimum);
      }
    }
  }

  TEST_CASE("several outputs: below networks whose neurons serve all of them") {
    // One neuron with two output weights: in the program it would take two.
    Random random(8);
    Problem p = random_training_problem(Model::relu, Loss::squared, {9, 2, 12, 2}, 8);
    for (std::size_t k = 0; k < p.rows; ++k) {
      const double active = std::max(p.x[2 * k] + 0.5 * p.x[2 * k + 1], 0.0);
      p.y[2 * k] = 2 * active;
      p.y[2 * k + 1] = -active;
    }
    for (const Penalty penalty : {Penalty::gate, Penalty::neuron}) {
      p.options.penalty = penalty;
      const Result result = train<double>(p.request(), RunControl{});
      HostAlgebra host(1);
      const GlobalBound b = global_bound(result.model, result.certificate, p.data(), p.y,
                                         result.report.verdict.objective, {}, host);
      for (double shrink = 0.5; shrink <= 1; shrink += 0.05) {
        NetworkModel shared = result.model;
        shared.grouping = Penalty::neuron;
        shared.groups.clear();
        shared.hidden = {shrink, 0.5 * shrink};
        shared.output = {2, -1};
        CHECK(b.bound <= objective(shared, p.data(), p.y, {}, Loss::squared, p.options.beta, host));
      }
    }
  }

  TEST_CASE("few gates: the gates that the search finds close the gap") {
    for (const Loss loss : {Loss::squared, Loss::logistic, Loss::hinge}) {
      AllPatterns all = small(loss, 3, 9);
      all.problem.gates.resize(2 * all.problem.cols);
      Request request = all.problem.request();
      request.options.tolerance = 1e-4;
      request.options.max_iterations = 5000;
      request.options.global_bound.when = GlobalBoundWhen::always;
      request.options.global_bound.tolerance = 1e-5;
      request.options.global_bound.cuts = 0;
      const Result once = train<double>(request, RunControl{});
      request.options.global_bound.cuts = loss == Loss::logistic ? 0 : 40;
      request.options.global_bound.rounds = 20;
      const Result closed = train<double>(request, RunControl{});
      INFO("loss ", static_cast<int>(loss));
      REQUIRE(once.report.global);
      REQUIRE(closed.report.global);
      all.check(*once.report.global);
      all.check(*closed.report.global);
      CHECK(once.report.global->price_below > 1.01);
      CHECK_FALSE(once.report.global->gates.empty());
      CHECK(closed.report.global_rounds >= 1);
      CHECK(closed.report.global->bound >= once.report.global->bound);
      CHECK(closed.report.verdict.objective <= once.report.verdict.objective);
      CHECK(closed.report.verdict.objective <= all.optimum * (1 + 1e-3));
      CHECK(closed.report.global->gap <= 2e-3);
      CHECK(closed.report.history.back().iteration <=
            static_cast<double>(closed.report.iterations));
    }
  }

  TEST_CASE("few gates: better dual vectors close the gap without training again") {
    for (const Loss loss : {Loss::squared, Loss::softmax}) {
      AllPatterns all = small(loss, 3, 20);
      all.problem.gates.resize(2 * all.problem.cols);
      Request request = all.problem.request();
      request.options.tolerance = 1e-4;
      request.options.global_bound.when = GlobalBoundWhen::always;
      request.options.global_bound.cuts = 0;
      const Result once = train<double>(request, RunControl{});
      request.options.global_bound.cuts = 40;
      const Result cut = train<double>(request, RunControl{});
      REQUIRE(once.report.global);
      REQUIRE(cut.report.global);
      all.check(*cut.report.global);
      INFO("loss ", static_cast<int>(loss));
      CHECK(cut.report.global->bound >= once.report.global->bound * (1 - 2e-3));
      // The softmax's network of shared neurons lies below the program's.
      CHECK(cut.report.global->bound >= all.optimum * (loss == Loss::softmax ? 0.7 : 0.98));
    }
  }

  TEST_CASE("a solution over more gates starts from the same network") {
    Problem p = random_training_problem(Model::relu, Loss::logistic, {40, 3, 12, 2}, 10);
    p.options.tolerance = 1e-5;
    const Result result = train<double>(p.request(), RunControl{});
    HostAlgebra host(1);
    const std::vector<double> found{1, 2, -3, 0, -1, 0.5, 0.25, 0};
    const Solution wider = with_gates(result, found, p.data(), host);
    CHECK(wider.p.size() == 2 * wider.gates.count * 2 * 3);
    CHECK(wider.q.size() == p.rows * 2 * wider.gates.count * 2);
    Request again = p.request();
    again.warm_solution = &wider;
    const Result next = train<double>(again, RunControl{});
    CHECK(next.report.verdict.objective <= result.report.verdict.objective * (1 + 2e-5));
    CHECK(next.report.iterations <= result.report.iterations);
  }

  TEST_CASE("many features: the relaxation's bound, below what is trained") {
    for (const Loss loss : {Loss::squared, Loss::hinge, Loss::softmax}) {
      Problem p = random_training_problem(Model::relu, loss,
                                          {50, 12, 30, loss == Loss::softmax ? 3U : 1U}, 11);
      p.options.tolerance = 1e-3;
      p.options.global_bound.when = GlobalBoundWhen::always;
      const Result result = train<double>(p.request(), RunControl{});
      REQUIRE(result.report.global);
      CHECK(result.report.global->method == BoundMethod::relaxation);
      CHECK(result.report.global->bound > 0);
      CHECK(result.report.global->bound <= result.report.verdict.dual_bound * (1 + 1e-9));
    }
  }

  TEST_CASE("not for gated models, nor automatically in many dimensions, nor after a stop") {
    const auto trained = [](Model model, std::size_t cols, GlobalBoundWhen when, double limit) {
      Problem p = random_training_problem(model, Loss::squared, {30, cols, 8, 1}, 12);
      p.options.tolerance = 1e-3;
      p.options.global_bound.when = when;
      RunControl control;
      control.time_limit = limit;
      return train<double>(p.request(), control).report.global.has_value();
    };
    CHECK(trained(Model::relu, 3, GlobalBoundWhen::automatic, 100));
    CHECK(trained(Model::relu, 12, GlobalBoundWhen::always, 100));
    CHECK_FALSE(trained(Model::relu, 3, GlobalBoundWhen::never, 100));
    CHECK_FALSE(trained(Model::relu, 12, GlobalBoundWhen::automatic, 100));
    CHECK_FALSE(trained(Model::gated, 3, GlobalBoundWhen::always, 100));
    CHECK_FALSE(trained(Model::relu, 3, GlobalBoundWhen::always, 0));
  }

  TEST_CASE("extreme scales, weights of 0, more features than samples") {
    double usual = 0;
    for (const double size : {1.0, 1e-30, 1e-6, 1e6, 1e30}) {
      Problem p = random_training_problem(Model::relu, Loss::squared, {20, 3, 10, 1}, 13);
      for (double& value : p.x) value *= size;
      p.options.beta *= size;
      p.options.tolerance = 1e-3;
      p.options.global_bound.when = GlobalBoundWhen::always;
      p.weights.assign(p.rows, 1);
      p.weights[3] = p.weights[11] = 0;
      const Result result = train<double>(p.request(), RunControl{});
      CAPTURE(size);
      REQUIRE(result.report.global);
      const double bound = result.report.global->bound;
      if (size == 1) usual = bound;
      CHECK(bound == doctest::Approx(usual).epsilon(1e-3));
      CHECK(bound <= result.report.verdict.dual_bound * (1 + 1e-9));
      CHECK(bound > 0.3 * result.report.verdict.dual_bound);
    }
    Problem wide = random_training_problem(Model::relu, Loss::logistic, {4, 9, 6, 1}, 14);
    wide.options.global_bound.when = GlobalBoundWhen::always;
    wide.options.tolerance = 1e-4;
    const Result result = train<double>(wide.request(), RunControl{});
    REQUIRE(result.report.global);
    CHECK(result.report.global->method == BoundMethod::branch_and_bound);  // rank 4
    CHECK(result.report.global->bound > 0.3 * result.report.verdict.dual_bound);
  }
}
