// KKT systems on the GPU: factors against LAPACK in float64 on the host, and the linear solvers
// over factors and products.
#include <doctest/doctest.h>

#include <cmath>
#include <memory>

#include "base/error.hpp"
#include "base/thread_pool.hpp"
#include "newton/linear/dense_ldl.hpp"
#include "newton/linear/iterative_solvers.hpp"
#include "newton/linear/measure_kkt.hpp"
#include "newton/linear/minres_solvers.hpp"
#include "newton/linear/spectral_deflation.hpp"
#include "newton_on_device.hpp"

using namespace secondorder;
using namespace secondorder::test;
using newton::Inertia;
using newton::LinearSolver;

namespace {

/// H of a known spectrum, dense, with a normal J.
std::unique_ptr<KktInstance> spectral_instance(KktShape shape, newton::KktSpectrum spectrum,
                                               ThreadPool& pool) {
  Random random(5);
  const std::size_t n = shape.variables;
  const std::vector<double> h = newton::random_hessian(n, spectrum, 3, pool);
  return std::make_unique<KktInstance>(
      n, shape.constraints, [&](std::size_t i, std::size_t j) { return h[i * n + j]; },
      [&](std::size_t, std::size_t) { return random.normal() / std::sqrt(double(n)); });
}

}  // namespace

TEST_SUITE("CUDA newton") {
  TEST_CASE("factors tell the inertia and solve, for any shape, density and regularization") {
    Random random(1);
    int trial = 0;
    for (const KktShape shape : kkt_shapes) {
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

  TEST_CASE("the linear solvers on the GPU solve what they solve on the CPU") {
    ThreadPool pool(2);
    const KktShape shape = emulated() ? KktShape{240, 60} : KktShape{1600, 400};
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
