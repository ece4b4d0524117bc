// MINRES, plain and deflated, against LAPACK's LU.
#include <doctest/doctest.h>

#include <limits>
#include <memory>

#include "newton/linear/dense_on_cpu.hpp"
#include "newton/linear/iterative_solvers.hpp"
#include "newton/linear/measure_kkt.hpp"
#include "newton/linear/minres_solvers.hpp"
#include "newton/linear/spectral_deflation.hpp"
#include "newton_kkt_instances.hpp"

using namespace secondorder;
using namespace secondorder::test;
using newton::KktSolverOptions;
using newton::LinearSolver;

namespace {

/// H of a known spectrum, with a normal J of rows of unit length.
std::unique_ptr<KktInstance> spectral_instance(std::size_t n, std::size_t m,
                                               newton::KktSpectrum spectrum, ThreadPool& pool) {
  Random random(5);
  const std::vector<double> h = newton::random_hessian(n, spectrum, 3, pool);
  const double scale = 1 / std::sqrt(static_cast<double>(n));
  return std::make_unique<KktInstance>(
      n, m, [&](std::size_t i, std::size_t j) { return h[i * n + j]; },
      [&](std::size_t, std::size_t) { return scale * random.normal(); });
}

}  // namespace

TEST_CASE("MINRES solves dense and sparse systems to the accuracy asked for") {
  ThreadPool pool(2);
  Random random(1);
  const auto dense = dense_instance(70, 20, random);
  const auto sparse = sparse_instance(300, 90, random);
  for (const KktInstance* instance : {dense.get(), sparse.get()}) {
    const std::vector<double> b = normals(instance->order(), random);
    const std::vector<double> truth = instance->solution(b);
    for (const double accuracy : {1e-1, 1e-4, 1e-10}) {
      const auto solver = newton::make_minres({}, pool);
      CHECK_FALSE(solver->prepare(instance->system).has_value());
      std::vector<double> x(b.size(), 0.0);
      const auto outcome = solver->solve(b, accuracy, x);
      CHECK(outcome.reached);
      CHECK(outcome.residual <= accuracy);
      CHECK(instance->residual(b, x) == doctest::Approx(outcome.residual).epsilon(1e-3));
      if (accuracy == 1e-10) CHECK(error(x, truth) < 1e-7);
      // a warm start that is good enough takes no step, and stays
      const std::vector<double> before = x;
      CHECK(solver->solve(b, accuracy, x).steps == 0);
      CHECK(identical(x, before));
    }
  }
}

TEST_CASE("MINRES needs no more steps than there are distinct eigenvalues") {
  ThreadPool pool(1);
  const std::size_t n = 60;
  const KktInstance instance(
      n, 0,
      [](std::size_t i, std::size_t j) { return i == j ? static_cast<double>(i % 4) - 1.5 : 0; },
      [](std::size_t, std::size_t) { return 0.0; });
  Random random(2);
  const std::vector<double> b = normals(n, random);
  const auto solver = newton::make_minres({}, pool);
  solver->prepare(instance.system);
  std::vector<double> x(n, 0.0);
  const auto outcome = solver->solve(b, 1e-12, x);
  CHECK(outcome.reached);
  CHECK(outcome.steps <= 4);
}

TEST_CASE("MINRES ends without NaN where there is no solution, and at its limit of steps") {
  ThreadPool pool(1);
  Random random(3);
  // two equal rows of J that ask for different values
  const KktInstance instance(
      6, 2, [](std::size_t i, std::size_t j) { return i == j ? 1.0 : 0.0; },
      [](std::size_t, std::size_t j) { return static_cast<double>(j) + 1; });
  std::vector<double> b = normals(8, random);
  b[6] = 1;
  b[7] = -1;
  for (const LinearSolver kind : {LinearSolver::minres, LinearSolver::nystrom_minres}) {
    const auto solver = newton::make_iterative_solver(kind, {}, pool, 1);
    solver->prepare(instance.system);
    std::vector<double> x(8, 0.0);
    const auto outcome = solver->solve(b, 1e-8, x);
    CHECK_FALSE(outcome.reached);
    CHECK(outcome.residual == doctest::Approx(instance.residual(b, x)));
    CHECK(outcome.residual < 1);
    std::vector<double> nothing(8, 1.0);
    CHECK(solver->solve(std::vector<double>(8, 0.0), 1e-8, nothing).reached);
    CHECK(identical(nothing, std::vector<double>(8, 0.0)));
  }
  const auto dense = dense_instance(80, 10, random);
  KktSolverOptions three;
  three.max_steps = 3;
  const auto solver = newton::make_minres(three, pool);
  solver->prepare(dense->system);
  const std::vector<double> right = normals(90, random);
  std::vector<double> x(90, 0.0);
  const auto outcome = solver->solve(right, 1e-12, x);
  CHECK_FALSE(outcome.reached);
  CHECK(outcome.steps == 3);
  CHECK(outcome.residual < 1);
  std::vector<double> spoilt(90, std::numeric_limits<double>::quiet_NaN());
  CHECK(std::isfinite(solver->solve(right, 1e-12, spoilt).residual));
}

TEST_CASE("MINRES and its deflation end where products overflow") {
  ThreadPool pool(1);
  for (const LinearSolver kind : {LinearSolver::minres, LinearSolver::nystrom_minres}) {
    for (const double factor : {1e155, 1e300, std::numeric_limits<double>::infinity()}) {
      KktInstance instance(
          3, 0, [&](std::size_t i, std::size_t j) { return i == j ? factor : 0.0; },
          [](std::size_t, std::size_t) { return 0.0; });
      for (const bool entries : {true, false}) {
        if (!entries) instance.system.hessian = nullptr;
        const auto solver = newton::make_iterative_solver(kind, {}, pool, 1);
        solver->prepare(instance.system);
        std::vector<double> x{1, -2, 3};
        const auto outcome = solver->solve(std::vector<double>{1e150, -1e150, 1}, 1e-3, x);
        CHECK(outcome.reached == (outcome.residual <= 1e-3));
      }
    }
  }
}

TEST_CASE("Deflation takes in the outlying eigenvalues, and no more than it must") {
  ThreadPool pool(2);
  const auto instance = spectral_instance(400, 80, newton::KktSpectrum::outlying, pool);
  const std::size_t d = instance->order();
  newton::CpuRowBlocks rows(pool);
  newton::SpectralDeflation deflation(pool, rows);
  const std::vector<double> k = instance->matrix();
  deflation.build(d, 100, Philox(7, 1), [&](ConstView<double> v, View<double> out) {
    for (std::size_t i = 0; i < v.rows; ++i) {
      instance->system.multiply({v.row(i), d}, {out.row(i), d});
    }
  });
  CHECK(deflation.rank() == 20);  // n/20 outliers from 10⁴ to 10⁶, the others below 3
  CHECK(deflation.basis_size() <= 64);

  // M⁻¹ is symmetric and positive definite, and M⁻¹K has no outliers left
  Random random(8);
  const std::vector<double> a = normals(d, random), b = normals(d, random);
  std::vector<double> ma(d), mb(d);
  deflation.apply(a, ma);
  deflation.apply(b, mb);
  double ab = 0, ba = 0, aa = 0;
  for (std::size_t i = 0; i < d; ++i) {
    ab += a[i] * mb[i];
    ba += b[i] * ma[i];
    aa += a[i] * ma[i];
  }
  CHECK(ab == doctest::Approx(ba).epsilon(1e-10));
  CHECK(aa > 0);
  std::vector<double> v = normals(d, random), image(d);
  double growth = 0;
  for (int round = 0; round < 30; ++round) {  // power iteration
    const double size = std::sqrt(distance(v, std::vector<double>(d, 0.0)));
    for (double& value : v) value /= size * size;
    instance->system.multiply(v, image);
    deflation.apply(image, v);
    growth = distance(v, std::vector<double>(d, 0.0));
  }
  CHECK(growth < 10);
}

TEST_CASE("Deflated MINRES takes a fraction of the steps, and the same bits on any team") {
  ThreadPool one(1), three(3);
  const auto instance = spectral_instance(400, 80, newton::KktSpectrum::outlying, one);
  Random random(4);
  const std::vector<double> b = normals(instance->order(), random);
  const auto run = [&](LinearSolver kind, ThreadPool& pool, std::uint64_t seed) {
    const auto solver = newton::make_iterative_solver(kind, {}, pool, seed);
    solver->prepare(instance->system);
    std::vector<double> x(b.size(), 0.0);
    const auto outcome = solver->solve(b, 1e-2, x);
    CHECK(outcome.reached);
    CHECK(instance->residual(b, x) <= 1e-2);
    return std::pair(outcome.steps, x);
  };
  const auto plain = run(LinearSolver::minres, one, 1);
  const auto deflated = run(LinearSolver::nystrom_minres, one, 1);
  CHECK(4 * deflated.first < plain.first);
  CHECK(identical(deflated.second, run(LinearSolver::nystrom_minres, three, 1).second));
  CHECK_FALSE(identical(deflated.second, run(LinearSolver::nystrom_minres, one, 2).second));

  const auto solver = newton::make_iterative_solver(LinearSolver::nystrom_minres, {}, one, 1);
  solver->prepare(instance->system);
  std::vector<double> x(b.size(), 0.0);
  CHECK(solver->solve(b, 1e-9, x).reached);
  const std::vector<double> truth = instance->solution(b);
  CHECK(error(x, truth) < 1e-6);
}

TEST_CASE("Deflation leaves spectra without outliers alone, and survives low rank") {
  ThreadPool pool(1);
  const auto flat = spectral_instance(300, 60, newton::KktSpectrum::clustered, pool);
  newton::CpuRowBlocks rows(pool);
  newton::SpectralDeflation deflation(pool, rows);
  const auto product = [&](const KktInstance& instance) {
    return [&instance](ConstView<double> v, View<double> out) {
      for (std::size_t i = 0; i < v.rows; ++i) {
        instance.system.multiply({v.row(i), v.cols}, {out.row(i), v.cols});
      }
    };
  };
  deflation.build(360, 45, Philox(1, 1), product(*flat));
  CHECK(deflation.rank() == 0);

  const std::size_t n = 90;  // rank 3: 5, −4, 3
  const KktInstance low(
      n, 0,
      [](std::size_t i, std::size_t j) {
        return i == j && i < 3 ? (i % 2 == 0 ? 1.0 : -1.0) * (5.0 - static_cast<double>(i)) : 0.0;
      },
      [](std::size_t, std::size_t) { return 0.0; });
  deflation.build(n, 40, Philox(1, 2), product(low));
  std::vector<double> unit(n, 0.0), out(n);
  unit[1] = 1;
  deflation.apply(unit, out);
  for (const double value : out) CHECK(std::isfinite(value));
  Random random(1);
  std::vector<double> b(n, 0.0), x(n, 0.0);
  for (std::size_t i = 0; i < 3; ++i) b[i] = random.normal();
  const auto solver = newton::make_iterative_solver(LinearSolver::nystrom_minres, {}, pool, 1);
  solver->prepare(low.system);
  CHECK(solver->solve(b, 1e-10, x).reached);
}
