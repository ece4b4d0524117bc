// On which device KKT systems are solved: what is decided before a GPU is looked for.
#include <doctest/doctest.h>

#include <functional>
#include <string>

#include "base/error.hpp"
#include "device/cost.hpp"
#include "newton/kkt_placement.hpp"
#include "newton_chain.hpp"
#include "newton_kkt_instances.hpp"

namespace secondorder::test {
namespace {

using namespace newton;
using Kind = DeviceRequest::Kind;

const DeviceRequest automatic{}, cpu{Kind::cpu, {}}, gpu{Kind::cuda, {0}};

PlacedSolver place(const KktInstance& instance, LinearSolver solver, const DeviceRequest& device) {
  ThreadPool pool(1);
  return place_kkt_solver({.solver = solver}, device, instance.system, pool);
}

Error refusal(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error;
  }
  FAIL("accepted");
  return {ErrorCode::invalid_argument, "", ""};
}

/// Tridiagonal.
std::unique_ptr<KktInstance> band(std::size_t n) {
  return std::make_unique<KktInstance>(
      n, 0, [](std::size_t i, std::size_t j) { return i == j       ? 3.0
                                                      : i == j + 1 ? 1.0
                                                                   : 0.0; },
      [](std::size_t, std::size_t) { return 0.0; });
}

TEST_CASE("linear solvers without a form for a GPU are refused by name") {
  Random random(1);
  const auto instance = dense_instance(12, 3, random);
  for (const LinearSolver solver :
       {LinearSolver::sparse_ldl, LinearSolver::sketch_preconditioner, LinearSolver::kaczmarz,
        LinearSolver::block_kaczmarz, LinearSolver::gaussian, LinearSolver::countsketch,
        LinearSolver::srht, LinearSolver::kaczmarz_plus_plus}) {
    CAPTURE(std::string(name(solver)));
    const Error error = refusal([&] { place(*instance, solver, gpu); });
    CHECK(error.code == ErrorCode::cuda_no_backend);
    CHECK(error.argument == "linearSolver");
    CHECK(std::string(error.what()).find(name(solver)) != std::string::npos);
  }
  for (const LinearSolver solver : {LinearSolver::automatic, LinearSolver::ldl,
                                    LinearSolver::minres, LinearSolver::nystrom_minres}) {
    CAPTURE(std::string(name(solver)));
    instance->system.hessian = nullptr;  // products alone
    const Error error = refusal([&] { place(*instance, solver, gpu); });
    CHECK(error.code == ErrorCode::cuda_no_backend);
    CHECK(error.argument == "linearSolver");
    CHECK(std::string(error.what()).find("entries") != std::string::npos);
  }
  const Error several = refusal([&] { place(*instance, LinearSolver::ldl, {Kind::cuda, {0, 1}}); });
  CHECK(several.code == ErrorCode::invalid_argument);
  CHECK(several.argument == "device");
}

TEST_CASE("where no GPU is asked for, the solver is the CPU's, and the reason is told") {
  Random random(2);
  const auto dense = dense_instance(12, 3, random);
  const auto sparse = band(400);
  CHECK(place(*dense, LinearSolver::ldl, cpu).device.reason == "asked for");
  const PlacedSolver small = place(*dense, LinearSolver::automatic, automatic);
  CHECK(small.solver->name() == "dense-ldl");
  CHECK(small.device.name() == "cpu");
  CHECK(small.device.reason == "too small for a GPU to gain");
  CHECK(place(*sparse, LinearSolver::minres, automatic).device.reason.find("sparse") !=
        std::string::npos);
  for (const LinearSolver solver : {LinearSolver::automatic, LinearSolver::countsketch}) {
    const PlacedSolver placed = place(*sparse, solver, automatic);
    CAPTURE(std::string(placed.solver->name()));
    CHECK(placed.device.name() == "cpu");
    CHECK(placed.device.reason.find(placed.solver->name()) != std::string::npos);
    CHECK(placed.device.reason.find("no form for a GPU") != std::string::npos);
  }
  sparse->system.hessian = nullptr;
  CHECK(place(*sparse, LinearSolver::automatic, automatic).device.reason.find("entries") !=
        std::string::npos);
}

TEST_CASE("results say where a run's systems were solved") {
  const Result asked = solve<Hs7>({.device = {Kind::cpu, {}}});
  CHECK(asked.linear.device == "cpu");
  CHECK(asked.linear.device_reason == "asked for");
  const Result chosen = solve<Hs7>({});
  CHECK(chosen.linear.device_reason == "too small for a GPU to gain");
  const Result paper = solve<Hs7>({.preset = Preset::paper, .tolerance = 1e-4});
  CHECK(paper.linear.device_reason == "linear solver 'kaczmarz' has no form for a GPU");
  CHECK(refusal([] { solve<Hs7>({.preset = Preset::paper, .device = gpu}); }).argument ==
        "linearSolver");
}

TEST_CASE("operations that reach less of a GPU's rate make it take longer, the CPU not") {
  const Work whole{.operations = 1e13, .float64 = true};
  Work part = whole;
  part.gpu_share = 0.25;
  CHECK(cpu_seconds(part, 1) == cpu_seconds(whole, 1));
  const double start = gpu_seconds({});
  CHECK(gpu_seconds(part) - start == doctest::Approx(4 * (gpu_seconds(whole) - start)));
}

}  // namespace
}  // namespace secondorder::test
