#include "newton/kkt_placement.hpp"

#include <optional>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "base/thread_pool.hpp"
#include "newton/linear/dense_kkt.hpp"
#include "newton/linear/dense_ldl.hpp"
#include "newton/linear/minres_solvers.hpp"
#include "newton/linear/spectral_deflation.hpp"

namespace secondorder::newton {

namespace {

using Kind = DeviceRequest::Kind;

/// Below this order no GPU gains, and to look for one takes longer than to solve the problem.
constexpr std::size_t least_order = 256;
/// Of a run: Newton steps, and products with K in each where the solver is iterative. Assumed.
constexpr double newton_steps = 10, products_a_step = 100;
/// What the factorization reaches of a GPU's rate of products, because of its pivoting. Assumed.
constexpr double pivoting_share = 0.2;

/// What a solver is on a GPU.
std::optional<LinearSolver> form_on_gpu(const KktSolverRequest& request, std::size_t order) {
  switch (request.solver) {
    case LinearSolver::automatic:
      return deflates(order, request.tolerance) ? LinearSolver::nystrom_minres
                                                : LinearSolver::dense_ldl;
    case LinearSolver::ldl:
    case LinearSolver::dense_ldl:
      return LinearSolver::dense_ldl;
    case LinearSolver::minres:
    case LinearSolver::nystrom_minres:
      return request.solver;
    default:
      return std::nullopt;
  }
}

/// The same for a solver that 'auto' or the user has chosen for the CPU; none where it gains
/// nothing from K as a dense matrix.
std::optional<LinearSolver> dense_form(const KktSolver& on_cpu, const KktSystem& system) {
  if (on_cpu.name() == name(LinearSolver::dense_ldl)) return LinearSolver::dense_ldl;
  if (!DenseKkt::worthwhile(system)) return std::nullopt;
  if (on_cpu.name() == name(LinearSolver::minres)) return LinearSolver::minres;
  if (on_cpu.name() == name(LinearSolver::nystrom_minres)) return LinearSolver::nystrom_minres;
  return std::nullopt;
}

/// Why it gains nothing.
std::string why_not(const KktSolver& on_cpu, const KktSystem& system) {
  const bool has_form = on_cpu.name() == name(LinearSolver::minres) ||
                        on_cpu.name() == name(LinearSolver::nystrom_minres);
  if (!has_form) {
    return "linear solver '" + std::string(on_cpu.name()) + "' has no form for a GPU";
  }
  return system.hessian == nullptr ? "GPUs need the entries of the Hessian, not products alone"
                                   : "GPUs solve dense systems alone, and this one is sparse";
}

Work work_of(LinearSolver form, const KktSystem& system, const KktSolverOptions& options) {
  const auto order = static_cast<double>(system.order());
  const auto entries = static_cast<double>(system.hessian->entries() + system.jacobian->entries());
  Work work{.transfer_bytes = newton_steps * entries * sizeof(double), .float64 = true};
  if (form == LinearSolver::dense_ldl) {
    constexpr double launches_a_step = 100;  // some solves and residuals among them
    work.operations = newton_steps * order * order * order / 6;
    work.launches = newton_steps * launches_a_step;
    work.gpu_share = pivoting_share;
    return work;
  }
  constexpr double launches_a_product = 10;  // with what the host waits for
  const double products = newton_steps * products_a_step;
  work.bytes = products * order * order / 2 * sizeof(double);  // one triangle
  work.launches = products * launches_a_product;
  if (form == LinearSolver::nystrom_minres) {
    const auto directions = static_cast<double>(most_deflated(system.order(), options));
    work.operations = newton_steps * 2 * directions * order * order;
  }
  return work;
}

/// Threads that the CPU's form works with: LAPACK's factors and products with one triangle are one
/// thread's.
constexpr int threads_of_dense = 1;

std::unique_ptr<KktSolver> on_gpu(LinearSolver form, const KktSolverRequest& request,
                                  Backend& backend, int gpu, const KktSystem& system,
                                  ThreadPool& pool) {
  if (form == LinearSolver::dense_ldl) {
    return std::make_unique<DenseLdl>(backend.dense_factors(gpu, system), &pool);
  }
  const bool deflated = form == LinearSolver::nystrom_minres;
  const std::size_t most = deflated ? most_deflated(system.order(), request.options) : 0;
  const RowBlockPlan plan = deflated ? SpectralDeflation::plan(most) : RowBlockPlan{};
  auto products = backend.dense_products(gpu, system, plan);
  if (!deflated) return make_minres(request.options, pool, nullptr, std::move(products));
  return make_nystrom_minres(request.options, pool, request.seed, std::move(products));
}

/// What runs on the GPU that was asked for.
LinearSolver require_form(const KktSolverRequest& request, const DeviceRequest& device,
                          const KktSystem& system) {
  if (device.gpus.size() > 1) {
    throw Error(ErrorCode::invalid_argument, "device: this solver runs on one GPU; name one",
                "device");
  }
  const std::string asked = "linearSolver '" + std::string(name(request.solver)) + "' ";
  const auto form = form_on_gpu(request, system.order());
  if (!form) {
    throw Error(ErrorCode::cuda_no_backend,
                asked +
                    "has no form for a GPU: take 'auto', 'ldl', 'minres' or 'nystrom-minres', "
                    "or the CPU",
                "linearSolver");
  }
  if (system.hessian == nullptr) {
    throw Error(ErrorCode::cuda_no_backend,
                asked +
                    "on a GPU needs the entries of the Hessian, not products alone: take the "
                    "CPU, or where there are few variables 'ldl'",
                "linearSolver");
  }
  return *form;
}

}  // namespace

DeviceChoice stay_on_cpu(const DeviceRequest& device, std::string otherwise) {
  if (device.kind == Kind::cpu) return {};
  return {.gpus = {}, .reason = std::move(otherwise)};
}

PlacedSolver place_kkt_solver(const KktSolverRequest& request, const DeviceRequest& device,
                              const KktSystem& system, ThreadPool& pool) {
  PlacedSolver placed;
  std::optional<LinearSolver> form;
  if (device.kind == Kind::cuda) {
    form = require_form(request, device, system);
  } else {
    placed.solver = make_kkt_solver(request, system, pool);
    if (device.kind == Kind::cpu) return placed;
    form = dense_form(*placed.solver, system);
    if (!form) {
      placed.device = stay_on_cpu(device, why_not(*placed.solver, system));
      return placed;
    }
    if (system.order() < least_order) {
      placed.device.reason = "too small for a GPU to gain";
      return placed;
    }
  }
  const auto use = [&](Backend& backend, std::span<const int> gpus) {
    placed.solver = on_gpu(*form, request, backend, gpus[0], system, pool);
  };
  placed.device =
      choose_device(device, work_of(*form, system, request.options), threads_of_dense, use);
  return placed;
}

std::unique_ptr<KktSolver> place_factorization(const DeviceRequest& device, const KktSystem& system,
                                               ThreadPool& pool) {
  auto solver = make_factorization(system);
  const bool dense = solver->name() == name(LinearSolver::dense_ldl);
  if (device.kind == Kind::cpu || !dense || system.order() < least_order) return solver;
  const Work work = work_of(LinearSolver::dense_ldl, system, {});
  if (cpu_seconds(work, threads_of_dense) <= gpu_seconds(work)) return solver;
  const auto use = [&](Backend& backend, std::span<const int> gpus) {
    solver = on_gpu(LinearSolver::dense_ldl, {}, backend, gpus[0], system, pool);
  };
  choose_device(device, work, threads_of_dense, use);
  return solver;
}

}  // namespace secondorder::newton
