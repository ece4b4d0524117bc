// KKT systems on the GPU: factors, products and blocks of rows against LAPACK in float64 on the
// host, and the linear solvers over them.
#include <doctest/doctest.h>

#include <cmath>
#include <memory>

#include "base/error.hpp"
#include "base/thread_pool.hpp"
#include "device_under_test.hpp"
#include "newton/linear/dense_ldl.hpp"
#include "newton/linear/iterative_solvers.hpp"
#include "newton/linear/measure_kkt.hpp"
#include "newton/linear/minres_solvers.hpp"
#include "newton/linear/spectral_deflation.hpp"
#include "newton_kkt_instances.hpp"

using namespace secondorder;
using namespace secondorder::test;
using newton::Inertia;
using newton::LinearSolver;

namespace {

struct Shape {
  std::size_t variables, constraints;
};
constexpr Shape shapes[] = {{0, 0}, {1, 0}, {1, 1}, {2, 1}, {7, 3}, {33, 0}, {64, 20}, {129, 41}};

std::unique_ptr<newton::DenseFactors> factors_for(const KktInstance& instance) {
  return backend_under_test().dense_factors(device_under_test, instance.system);
}
std::unique_ptr<newton::DenseProducts> products_for(const KktInstance& instance,
                                                    const newton::RowBlockPlan& plan = {}) {
  return backend_under_test().dense_products(device_under_test, instance.system, plan);
}

/// An indefinite H with about this share of its entries and a J with half as many.
std::unique_ptr<KktInstance> random_instance(Shape shape, double share, Random& random) {
  return std::make_unique<KktInstance>(
      shape.variables, shape.constraints,
      [&](std::size_t i, std::size_t j) {
        return i == j || random.uniform() < share ? random.normal() : 0.0;
      },
      [&](std::size_t i, std::size_t j) {
        return i == j || random.uniform() < share / 2 ? random.normal() : 0.0;
      });
}

/// H of a known spectrum, dense, with a normal J.
std::unique_ptr<KktInstance> spectral_instance(Shape shape, newton::KktSpectrum spectrum,
                                               ThreadPool& pool) {
  Random random(5);
  const std::size_t n = shape.variables;
  const std::vector<double> h = newton::random_hessian(n, spectrum, 3, pool);
  return std::make_unique<KktInstance>(
      n, shape.constraints, [&](std::size_t i, std::size_t j) { return h[i * n + j]; },
      [&](std::size_t, std::size_t) { return random.normal() / std::sqrt(double(n)); });
}

double largest_difference(std::span<const double> a, std::span<const double> b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

/// V·K on the host, by the columns of K.
std::vector<double> rows_times(const std::vector<double>& v, const std::vector<double>& k,
                               std::size_t order) {
  std::vector<double> out(v.size());
  for (std::size_t i = 0; i * order < v.size(); ++i) {
    for (std::size_t j = 0; j < order; ++j) {
      Wide sum = 0;
      for (std::size_t l = 0; l < order; ++l) sum += Wide(v[i * order + l]) * k[j * order + l];
      out[i * order + j] = static_cast<double>(sum);
    }
  }
  return out;
}

/// What is in a block of rows: each by the product with it that the device does.
std::vector<double> fetched(newton::RowBlocks& rows, ConstView<double> block) {
  std::vector<double> unit(block.cols * block.cols, 0.0), out(block.size());
  for (std::size_t j = 0; j < block.cols; ++j) unit[j * block.cols + j] = 1;
  // The identity lies behind the block.
  const View<double> identity(const_cast<double*>(block.data) + block.size(), block.cols,
                              block.cols);
  rows.upload(unit, identity);
  rows.products(block, identity, {out.data(), block.rows, block.cols});
  return out;
}

}  // namespace

TEST_SUITE("CUDA newton") {
  TEST_CASE("factors tell the inertia and solve, for any shape, density and regularization") {
    Random random(1);
    int trial = 0;
    for (const Shape shape : shapes) {
      for (const double share : {0.2, 1.0}) {
        CAPTURE(shape.variables);
        CAPTURE(shape.constraints);
        CAPTURE(share);
        const auto instance = random_instance(shape, share, random);
        instance->system.delta_w = ++trial % 3 == 0 ? 2 : 0;
        instance->system.delta_c = trial % 2 == 0 ? 1e-2 : 0;
        const std::size_t order = instance->order();
        const auto factors = factors_for(*instance);
        const Inertia inertia = factors->factor(instance->system);
        CHECK(inertia == inertia_by_eigenvalues(instance->matrix(), order));
        newton::CpuDenseFactors on_cpu;
        CHECK(inertia == on_cpu.factor(instance->system));

        const std::vector<double> b = normals(order, random);
        std::vector<double> x = b, image(order), truth(order);
        factors->solve(x);
        if (order > 0) CHECK(error(x, instance->solution(b)) <= 1e-7);
        factors->multiply(b, image);
        instance->system.multiply(b, truth);
        CHECK(largest_difference(image, truth) <= 1e-12 * (1 + static_cast<double>(order)));
      }
    }
  }

  TEST_CASE("singular and zero matrices have zero pivots") {
    const KktInstance ones(
        2, 2, [](std::size_t, std::size_t) { return 0.0; },
        [](std::size_t, std::size_t) { return 1.0; });
    CHECK(factors_for(ones)->factor(ones.system) == Inertia{1, 1, 2});
    const KktInstance zero(
        5, 1, [](std::size_t, std::size_t) { return 0.0; },
        [](std::size_t, std::size_t) { return 0.0; });
    CHECK(factors_for(zero)->factor(zero.system) == Inertia{0, 0, 6});
    const KktInstance diagonal(
        3, 0,
        [](std::size_t i, std::size_t j) { return i == j ? 1 - static_cast<double>(i) : 0.0; },
        [](std::size_t, std::size_t) { return 0.0; });
    CHECK(factors_for(diagonal)->factor(diagonal.system) == Inertia{1, 1, 1});
  }

  TEST_CASE("values are copied again for another revision, and for none each time") {
    Random random(2);
    const auto instance = dense_instance(20, 5, random);
    const auto factors = factors_for(*instance);
    const std::vector<double> v = normals(25, random);
    const auto image = [&] {
      std::vector<double> out(25);
      factors->factor(instance->system);
      factors->multiply(v, out);
      return out;
    };
    instance->system.revision = 1;
    const std::vector<double> first = image();
    for (double& value : instance->hessian.values()) value *= 2;
    CHECK(identical(image(), first));
    instance->system.delta_w = 1;  // regularization alone needs no new values
    CHECK(image()[0] == doctest::Approx(first[0] + v[0]));
    instance->system.delta_w = 0;
    instance->system.revision = 2;
    std::vector<double> truth(25);
    instance->system.multiply(v, truth);
    CHECK(largest_difference(image(), truth) <= 1e-12);
    instance->system.revision = 0;
    for (double& value : instance->jacobian.values()) value *= -3;
    instance->system.multiply(v, truth);
    CHECK(largest_difference(image(), truth) <= 1e-12);
  }

  TEST_CASE("products with vectors and with blocks of rows") {
    Random random(3);
    for (const Shape shape : shapes) {
      CAPTURE(shape.variables);
      const auto instance = random_instance(shape, 0.7, random);
      instance->system.delta_w = 0.5;
      instance->system.delta_c = 0.25;
      const std::size_t order = instance->order();
      const std::vector<double> k = instance->matrix();
      const auto plan = newton::SpectralDeflation::plan(std::max<std::size_t>(order / 2, 1));
      const auto products = products_for(*instance, plan);
      products->assemble(instance->system);
      const std::vector<double> v = normals(order, random);
      std::vector<double> out(order), truth(order);
      products->multiply(v, out);
      instance->system.multiply(v, truth);
      CHECK(largest_difference(out, truth) <= 1e-12 * (1 + static_cast<double>(order)));

      if (order == 0) continue;
      newton::RowBlocks& rows = products->rows();
      const std::size_t count = 3;
      REQUIRE(plan.rows >= 2 * count);
      const View<double> all = rows.reserve(plan.rows, order);
      const View<double> from = all.block(0, count), to = all.block(count, count);
      const std::vector<double> block = normals(count * order, random);
      rows.upload(block, from);
      const std::vector<double> expected = rows_times(block, k, order);
      // (V·K)·Vᵀ on the device against the host's
      const auto with_block = [&] {
        std::vector<double> c(count * count);
        rows.products(to, from, {c.data(), count, count});
        return c;
      };
      std::vector<double> wanted(count * count);
      for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t j = 0; j < count; ++j) {
          for (std::size_t l = 0; l < order; ++l) {
            wanted[i * count + j] += expected[i * order + l] * block[j * order + l];
          }
        }
      }
      const double size = static_cast<double>(order * order) + 1;
      products->multiply_rows(from, to);
      CHECK(largest_difference(with_block(), wanted) <= 1e-12 * size);
      products->multiply_rows_rounded(from, to);
      const double rounded = largest_difference(with_block(), wanted);
      CHECK(rounded <= 1e-5 * size);
      if (order > 60) CHECK(rounded > 0);
      // K changes, and so does its rounded copy
      instance->system.delta_w += 1;
      products->assemble(instance->system);
      products->multiply_rows_rounded(from, to);
      CHECK(largest_difference(with_block(), wanted) > 1e-2);
    }
  }

  TEST_CASE("blocks of rows: orthonormal bases, projections and corrections") {
    Random random(4);
    const auto instance = dense_instance(50, 11, random);
    const std::size_t order = 61;
    const newton::RowBlockPlan plan{.rows = 160, .widest = 20, .core = order};
    const auto products = products_for(*instance, plan);
    newton::RowBlocks& on_gpu = products->rows();
    ThreadPool pool(1);
    newton::CpuRowBlocks on_cpu(pool);
    for (const std::size_t count : {std::size_t{1}, std::size_t{2}, std::size_t{17}}) {
      CAPTURE(count);
      const std::vector<double> block = normals(count * order, random);
      const std::vector<double> other = normals(5 * order, random);
      const std::vector<double> core = normals(count * count, random), r = normals(order, random);
      struct Outcome {
        std::vector<double> triangle, basis, coefficients, projected, corrected;
      };
      const auto run = [&](newton::RowBlocks& rows) {
        Outcome o{std::vector<double>(count * count),
                  {},
                  std::vector<double>(5 * count),
                  {},
                  std::vector<double>(order)};
        const View<double> all = rows.reserve(plan.rows, order);
        const View<double> q = all.block(0, count), copied = all.block(80, count);
        rows.upload(block, copied);
        rows.copy(copied, q);
        CHECK(rows.orthonormalize(q, {o.triangle.data(), count, count}));
        o.basis = fetched(rows, q);
        rows.upload(block, copied);
        const View<double> y = all.block(100, 5);
        rows.upload(other, y);
        rows.upload(o.basis, q);
        rows.project_out(y, q, {o.coefficients.data(), 5, count});
        o.projected.resize(5 * count);
        rows.products(y, q, {o.projected.data(), 5, count});
        rows.set_core({core.data(), count, count});
        rows.correct(q, r, o.corrected);
        return o;
      };
      const Outcome gpu = run(on_gpu), cpu = run(on_cpu);
      // Q·Qᵀ = I and R·Q is the block; R has no sign of its own, Q follows it
      for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t j = 0; j < count; ++j) {
          double product = 0;
          for (std::size_t l = 0; l < order; ++l) {
            product += gpu.basis[i * order + l] * gpu.basis[j * order + l];
          }
          CHECK(product == doctest::Approx(i == j ? 1.0 : 0.0).epsilon(1e-12));
          if (j > i) CHECK(gpu.triangle[i * count + j] == 0);
        }
        for (std::size_t l = 0; l < order; ++l) {
          double sum = 0;
          for (std::size_t j = 0; j <= i; ++j) {
            sum += gpu.triangle[i * count + j] * gpu.basis[j * order + l];
          }
          CHECK(sum == doctest::Approx(block[i * order + l]).epsilon(1e-10));
        }
      }
      for (const double value : gpu.projected) CHECK(std::abs(value) <= 1e-12);
      // Signs of Q's rows aside both are the same.
      for (std::size_t i = 0; i < gpu.coefficients.size(); ++i) {
        CHECK(std::abs(gpu.coefficients[i]) ==
              doctest::Approx(std::abs(cpu.coefficients[i])).epsilon(1e-9));
      }
      std::vector<double> expected = r, coordinates(count);
      for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t l = 0; l < order; ++l) coordinates[i] += gpu.basis[i * order + l] * r[l];
      }
      for (std::size_t i = 0; i < count; ++i) {
        double sum = 0;
        for (std::size_t j = 0; j < count; ++j) sum += core[i * count + j] * coordinates[j];
        for (std::size_t l = 0; l < order; ++l) expected[l] += sum * gpu.basis[i * order + l];
      }
      CHECK(largest_difference(gpu.corrected, expected) <= 1e-12 * 50);
    }
  }

  TEST_CASE("the linear solvers on the GPU solve what they solve on the CPU") {
    ThreadPool pool(2);
    const Shape shape = emulated() ? Shape{240, 60} : Shape{1600, 400};
    const auto instance = spectral_instance(shape, newton::KktSpectrum::outlying, pool);
    const std::size_t order = instance->order(), most = newton::most_deflated(order, {});
    Random random(6);
    const std::vector<double> b = normals(order, random), truth = instance->solution(b);
    struct Case {
      std::unique_ptr<newton::KktSolver> gpu, cpu;
      double accuracy;
    };
    Case cases[] = {
        {std::make_unique<newton::DenseLdl>(factors_for(*instance), &pool),
         std::make_unique<newton::DenseLdl>(), 1e-9},
        {newton::make_minres({}, pool, nullptr, products_for(*instance)),
         newton::make_minres({}, pool), 1e-6},
        {newton::make_nystrom_minres(
             {}, pool, 7, products_for(*instance, newton::SpectralDeflation::plan(most))),
         newton::make_nystrom_minres({}, pool, 7), 1e-6}};
    for (const Case& c : cases) {
      CAPTURE(std::string(c.gpu->name()));
      CHECK(c.gpu->name() == c.cpu->name());
      std::vector<double> x(order, 0.0), y(order, 0.0);
      CHECK(c.gpu->prepare(instance->system) == c.cpu->prepare(instance->system));
      const auto on_gpu = c.gpu->solve(b, c.accuracy, x);
      const auto on_cpu = c.cpu->solve(b, c.accuracy, y);
      CHECK(on_gpu.reached);
      CHECK(instance->residual(b, x) <= c.accuracy * (1 + 1e-6));
      CHECK(error(x, truth) <= 1e4 * c.accuracy);
      // Rounding moves the step at which an accuracy is reached, by little.
      const auto steps = [](const newton::SolveOutcome& outcome) {
        return static_cast<double>(outcome.steps);
      };
      CHECK(std::abs(steps(on_gpu) - steps(on_cpu)) <= 2 + 0.1 * steps(on_cpu));
    }
  }

  TEST_CASE("what is cancelled stops between operations, and goes on afterwards") {
    Random random(7);
    ThreadPool pool(1);
    const auto instance = dense_instance(30, 8, random);
    const std::vector<double> b = normals(38, random);
    std::vector<double> x(38, 0.0);
    RunControl control;
    newton::DenseLdl factors(factors_for(*instance), &pool);
    const auto minres = newton::make_minres({}, pool, nullptr, products_for(*instance));
    const auto deflated = newton::make_nystrom_minres(
        {}, pool, 1, products_for(*instance, newton::SpectralDeflation::plan(4)));
    for (newton::KktSolver* solver :
         {static_cast<newton::KktSolver*>(&factors), minres.get(), deflated.get()}) {
      CAPTURE(std::string(solver->name()));
      solver->prepare(instance->system);
      RunControl stopped;
      stopped.cancel();
      pool.watch(&stopped);
      CHECK_THROWS_AS(solver->solve(b, 1e-8, x), Cancelled);
      pool.watch(&control);
      std::fill(x.begin(), x.end(), 0.0);
      CHECK(solver->solve(b, 1e-8, x).reached);
    }
    RunControl stopped;
    stopped.cancel();
    pool.watch(&stopped);
    CHECK_THROWS_AS(factors.prepare(instance->system), Cancelled);
    CHECK_THROWS_AS(deflated->prepare(instance->system), Cancelled);
    pool.watch(nullptr);
    CHECK(factors.prepare(instance->system) == Inertia{30, 8, 0});
  }
}
