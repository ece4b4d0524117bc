// KKT systems: factorizations, their inertia, sparse matrices out of coordinates.
#include <doctest/doctest.h>

#include <numeric>

#include "newton/bfgs.hpp"
#include "newton/linear/dense_ldl.hpp"
#include "newton/linear/low_rank_ldl.hpp"
#include "newton/linear/sparse_ldl.hpp"
#include "newton_kkt_instances.hpp"
#include "test_support.hpp"

namespace secondorder::test {
namespace {

using namespace newton;

/// A random KKT system that owns its parts.
struct RandomKkt {
  SparseSymmetric hessian;
  SparseMatrix jacobian;
  KktSystem system;

  RandomKkt(std::size_t n, std::size_t m, double share, Random& random) {
    Coordinates lower, rows;
    for (std::size_t j = 0; j < n; ++j) {
      for (std::size_t i = j; i < n; ++i) {
        if (i == j || random.uniform() < share) add(lower, i, j);
      }
    }
    for (std::size_t i = 0; i < m; ++i) {
      add(rows, i, i % n);
      for (std::size_t j = 0; j < n; ++j) {
        if (random.uniform() < share) add(rows, i, j);  // may be there already: they add up
      }
    }
    hessian = SparseSymmetric(n, lower, "hessian");
    jacobian = SparseMatrix(m, n, rows, "jacobian");
    hessian.assign(normals(lower.size(), random));
    jacobian.assign(normals(rows.size(), random));
    system.variables = n;
    system.constraints = m;
    system.hessian = &hessian;
    system.jacobian = &jacobian;
    system.hessian_product = [this](std::span<const double> v, std::span<double> out) {
      hessian.multiply(v, out);
    };
  }
  RandomKkt(const RandomKkt&) = delete;
  RandomKkt& operator=(const RandomKkt&) = delete;

  static void add(Coordinates& structure, std::size_t i, std::size_t j) {
    structure.rows.push_back(static_cast<std::int32_t>(i));
    structure.cols.push_back(static_cast<std::int32_t>(j));
  }
  static std::vector<double> normals(std::size_t count, Random& random) {
    std::vector<double> values(count);
    for (double& value : values) value = random.normal();
    return values;
  }
  std::vector<double> dense() const {
    const std::size_t order = system.order();
    std::vector<double> k(order * order), unit(order), column(order);
    for (std::size_t j = 0; j < order; ++j) {
      unit[j] = 1;
      system.multiply(unit, column);
      unit[j] = 0;
      std::copy(column.begin(), column.end(), k.begin() + static_cast<std::ptrdiff_t>(j * order));
    }
    return k;
  }
  Inertia inertia_by_eigenvalues() const {
    return test::inertia_by_eigenvalues(dense(), system.order());
  }
};

TEST_CASE("K is symmetric and multiplies as its blocks do") {
  Random random(1);
  RandomKkt kkt(7, 3, 0.4, random);
  kkt.system.delta_w = 0.5;
  kkt.system.delta_c = 0.25;
  const std::vector<double> k = kkt.dense();
  for (std::size_t i = 0; i < 10; ++i) {
    for (std::size_t j = 0; j < 10; ++j) CHECK(k[i * 10 + j] == k[j * 10 + i]);
  }
  CHECK(k[99] == -0.25);
}

TEST_CASE("the inertia of factors is that of the eigenvalues") {
  Random random(2);
  for (int trial = 0; trial < 60; ++trial) {
    const std::size_t n = 1 + random.below(30), m = random.below(n + 1);
    RandomKkt kkt(n, m, 0.2 + 0.6 * random.uniform(), random);
    kkt.system.delta_w = trial % 3 == 0 ? 3 : 0;
    kkt.system.delta_c = trial % 2 == 0 ? 1e-3 : 0;
    const Inertia expected = kkt.inertia_by_eigenvalues();
    CAPTURE(trial);
    DenseLdl dense;
    SparseLdl sparse;
    CHECK(dense.prepare(kkt.system) == expected);
    CHECK(sparse.prepare(kkt.system) == expected);
  }
}

TEST_CASE("dense and sparse factors solve the same systems") {
  Random random(3);
  for (int trial = 0; trial < 40; ++trial) {
    const std::size_t n = 1 + random.below(40), m = random.below(n + 1);
    RandomKkt kkt(n, m, 0.3, random);
    const auto b = RandomKkt::normals(n + m, random);
    DenseLdl dense;
    SparseLdl sparse;
    dense.prepare(kkt.system);
    sparse.prepare(kkt.system);
    std::vector<double> x(n + m), y(n + m);
    const SolveOutcome first = dense.solve(b, 1e-12, x), second = sparse.solve(b, 1e-12, y);
    CAPTURE(trial);
    CHECK(first.residual <= 1e-10);
    CHECK(second.residual <= 1e-10);
    CHECK(error(x, y) <= 1e-5);
  }
}

TEST_CASE("a second system of the same pattern reuses the analysis") {
  Random random(4);
  RandomKkt kkt(20, 8, 0.2, random);
  SparseLdl sparse;
  sparse.prepare(kkt.system);
  kkt.hessian.assign(RandomKkt::normals(kkt.hessian.entries(), random));
  kkt.system.delta_w = 2;
  sparse.prepare(kkt.system);
  const auto b = RandomKkt::normals(28, random);
  std::vector<double> x(28);
  CHECK(sparse.solve(b, 1e-12, x).residual <= 1e-12);
  CHECK(sparse.factorizations() >= 2);
}

TEST_CASE("zero blocks and singular matrices are told by the dense factors") {
  SparseSymmetric hessian(2, {}, "hessian");
  SparseMatrix jacobian(2, 2, {{0, 0, 1, 1}, {0, 1, 0, 1}}, "jacobian");
  jacobian.assign(std::vector<double>{1, 1, 1, 1});
  KktSystem system;
  system.variables = system.constraints = 2;
  system.hessian = &hessian;
  system.jacobian = &jacobian;
  system.hessian_product = [&](auto v, auto out) { hessian.multiply(v, out); };
  DenseLdl dense;
  CHECK(dense.prepare(system) == Inertia{1, 1, 2});
}

TEST_CASE("limited-memory BFGS: its factors solve what it multiplies with") {
  Random random(5);
  const std::size_t n = 30, m = 6;
  LimitedMemoryBfgs bfgs(4);
  std::vector<double> scale(n);
  for (double& value : scale) value = 0.1 + 10 * random.uniform();
  for (int pair = 0; pair < 7; ++pair) {
    const auto step = RandomKkt::normals(n, random);
    std::vector<double> change(n);
    for (std::size_t i = 0; i < n; ++i) change[i] = scale[i] * step[i];
    if (pair == 5) {
      for (double& value : change) value = -value;  // negative curvature is damped away
    }
    bfgs.learn(step, change);
    std::vector<double> image(n);
    bfgs.multiply(step, image);
    CHECK(dot(step, image) > 0);
    if (pair < 5) CHECK(error(image, change) <= 1e-9);  // the secant equation
  }
  RandomKkt kkt(n, m, 0.3, random);
  kkt.system.hessian = nullptr;
  kkt.system.delta_w = 1e-3;
  kkt.system.hessian_product = [&](auto v, auto out) { bfgs.multiply(v, out); };
  const auto solver = bfgs.own_kkt_solver();
  CHECK(solver->prepare(kkt.system) == Inertia{n, m, 0});
  const auto b = RandomKkt::normals(n + m, random);
  std::vector<double> x(n + m);
  CHECK(solver->solve(b, 1e-12, x).residual <= 1e-11);
}

TEST_CASE("dense BFGS keeps the secant equation and stays positive definite") {
  Random random(6);
  const std::size_t n = 5;
  DenseBfgs bfgs(n);
  for (int pair = 0; pair < 20; ++pair) {
    const auto step = RandomKkt::normals(n, random), change = RandomKkt::normals(n, random);
    bfgs.learn(step, change);
    std::vector<double> image(n);
    bfgs.multiply(step, image);
    CHECK(dot(step, image) > 0);
    if (dot(step, change) > 10) CHECK(error(image, change) <= 1e-9);
  }
}

}  // namespace
}  // namespace secondorder::test
