#include "convex_relu/route.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <string>

#include "algebra/cpu/cpu_algebra.hpp"
#include "base/error.hpp"
#include "communicator/shard_team.hpp"
#include "convex_relu/admm.hpp"
#include "convex_relu/adversarial_train.hpp"
#include "convex_relu/gate_shards.hpp"
#include "convex_relu/memory_plan.hpp"
#include "convex_relu/placement.hpp"
#include "convex_relu/refined_start.hpp"
#include "convex_relu/scp_plan.hpp"

namespace secondorder::convex_relu {

namespace {

/// Iterations that a run may take: cones take ten times as many.
double expected_iterations(const GatedShape& s) { return s.sets == 2 ? 200 : 20; }

/// What the layout of the program of the largest shard and ADMM takes, over a counting arena.
template <class Real>
std::size_t workspace_bytes(Algebra<Real>& algebra, const GatedShape& shape, std::size_t shards,
                            bool weighted, const Options& options, Route route) {
  Program<Real> all(shape);
  all.loss = options.loss;
  Arena arena;
  const GateRange range = cut_gates(shape.gates, shards).front();
  const Program<Real> program = program_of_shard(all, range, weighted, route, arena);
  const Admm<Real> admm(algebra, arena, program, route, options.relaxation);
  return arena.bytes();
}

}  // namespace

/// Factors stand for what a kind of work costs beside those: sums chosen by bits less, passes over
/// a factor for one right-hand side, which memory bounds, more.
double route_cost(Route route, const GatedShape& s, Loss loss, double iterations) {
  const auto n = static_cast<double>(s.rows), r = static_cast<double>(s.features);
  const auto gates = static_cast<double>(s.gates), c = static_cast<double>(s.outputs);
  constexpr double bit_sums = 0.5, memory_bound = 8, inner_iterations = 12;
  const double gated = bit_sums * n * gates * r * c;  // one F or Fᵀ
  const double solve = c > 1 ? c : memory_bound;      // a column of a triangular solve, both ways
  const double unknowns = gates * r;
  switch (route) {
    case Route::woodbury:
      return n * n * r + n * n * gates / 64 + n * n * n / 6 +
             iterations * (n * n * solve + 2 * gated);
    case Route::gram: {
      const double set_up =
          bit_sums * n * gates * gates * r * r / 4 + unknowns * unknowns * unknowns / 6;
      const double samples = loss == Loss::squared ? 0.2 * gated : 2 * gated;
      return set_up + iterations * (2 * unknowns * unknowns * solve + samples);
    }
    case Route::automatic:
    case Route::conjugate_gradient:
      break;
  }
  return bit_sums * 2 * std::min(n, 16384.0) * gates * r *
             static_cast<double>(sketch_rank(s.gates, s.features)) +
         iterations * 2 * (inner_iterations + 1) * gated;
}

template <class Real>
std::size_t host_bytes(const Algebra<Real>& algebra, RunSize size, const Options& options,
                       bool on_gpu) {
  if (!on_gpu) return host_bytes(algebra, size, options);
  size.device_bytes = 0;
  const CpuAlgebra<Real> host(algebra.parallelism());
  return host_bytes(host, size, options);
}

template <class Real>
Plan make_plan(Algebra<Real>& algebra, const GatedShape& shape, std::size_t raw_features,
               bool weighted, const Options& options, const Room& room) {
  if (room.gpus > 1 && options.route == Route::gram) {
    throw Error(ErrorCode::invalid_argument,
                "options.route: the matrix of 'gram' couples all gates, and is for one GPU; on "
                "several take 'woodbury', 'cg' or 'auto'",
                "options.route");
  }
  const GatedShape shard = largest_shard(shape, room.gpus);
  Plan best;
  double least = -1;
  std::size_t smallest = 0, smallest_on_gpu = 0;
  for (const Route route : {Route::woodbury, Route::gram, Route::conjugate_gradient}) {
    if (options.route != Route::automatic && options.route != route) continue;
    if (room.gpus > 1 && route == Route::gram) continue;
    const std::size_t workspace =
        workspace_bytes(algebra, shape, room.gpus, weighted, options, route);
    const std::size_t bytes = workspace + algebra.scratch_bytes(shard);
    const RunSize size = RunSize::most(shape, raw_features, route, bytes);
    const std::size_t around =
        host_bytes(algebra, size, options, room.gpu.has_value()) + ShardTeam::bytes(room.gpus);
    const std::size_t on_host = room.gpu ? around : bytes + around;
    if (smallest == 0 || on_host < smallest) smallest = on_host;
    if (room.gpu) {
      const std::size_t on_gpu = bytes + starting_scratch_bytes(algebra, shard, shape.gates, route);
      if (smallest_on_gpu == 0 || on_gpu < smallest_on_gpu) smallest_on_gpu = on_gpu;
      if (on_gpu > *room.gpu) continue;
    }
    if (on_host > room.host) continue;
    const double operations = route_cost(route, shard, options.loss, expected_iterations(shape));
    if (least >= 0 && operations >= least) continue;
    least = operations;
    best.route = route;
    best.workspace_bytes = workspace;
    best.device_bytes = bytes;
    best.host_bytes = around;
  }
  if (least >= 0) return best;
  const bool gpu_lacks = room.gpu && smallest_on_gpu > *room.gpu;
  throw Error(ErrorCode::out_of_memory,
              "the problem needs " + std::to_string(gpu_lacks ? smallest_on_gpu : smallest) +
                  (gpu_lacks ? " bytes on the GPU, and " : " bytes of memory, and ") +
                  std::to_string(gpu_lacks ? *room.gpu : room.host) +
                  " are available; take fewer gates, samples or components");
}

Work work_of(const GatedShape& shape, const Options& options, std::size_t bytes_of_real) {
  double least = std::numeric_limits<double>::infinity();
  for (const Route route : {Route::woodbury, Route::gram, Route::conjugate_gradient}) {
    if (options.route != Route::automatic && options.route != route) continue;
    least = std::min(least, route_cost(route, shape, options.loss, expected_iterations(shape)));
  }
  const auto n = static_cast<double>(shape.rows), r = static_cast<double>(shape.features);
  const double iterations = expected_iterations(shape);
  // The two products of the cone variables, and what reads and writes them; every route has them.
  const double cones = shape.sets == 2 ? n * static_cast<double>(shape.parameter_rows()) : 0;
  constexpr double launches_an_iteration = 40;
  return {.operations = least + iterations * 2 * cones * r,
          .bytes = iterations * 4 * cones * static_cast<double>(bytes_of_real),
          .transfer_bytes = n * (r + 2 * static_cast<double>(shape.outputs)) *
                                static_cast<double>(bytes_of_real) +
                            n * static_cast<double>(shape.gates) / 8,
          .launches = iterations * launches_an_iteration,
          .float64 = bytes_of_real == sizeof(double)};
}

template <class Real>
Plan plan_run(Algebra<Real>& algebra, const GatedShape& shape, std::size_t raw_features,
              bool weighted, const Options& options, const Room& room) {
  GatedShape solved = shape;
  if (options.refine.width > 0) solved.gates = options.refine.width;
  Plan plan = make_plan(algebra, solved, raw_features, weighted, options, room);
  if (options.refine.width == 0) return plan;
  const std::size_t refinement =
      refinement_bytes(algebra, solved, weighted, options, room.device());
  if (refinement > plan.device_bytes) plan.device_bytes = refinement;
  return plan;
}

GatedShape shape_of(std::size_t rows, std::size_t features, std::size_t gates, std::size_t outputs,
                    Model model) {
  return {rows, features, gates, outputs, model == Model::relu ? std::size_t{2} : std::size_t{1}};
}

GatedShape largest_shape(std::size_t rows, std::size_t cols, std::size_t outputs,
                         const Options& options) {
  std::size_t features = options.components > 0 ? std::min(options.components, cols) : cols;
  features = std::min(features + (options.bias ? 1 : 0), rows);
  return shape_of(rows, features, options.gates, outputs, options.model);
}

template <class Real>
MemoryEstimate estimate_memory(std::size_t rows, std::size_t cols, std::size_t outputs,
                               const Options& options, int threads) {
  if (options.epsilon) {
    return estimate_adversarial_memory<Real>(rows, cols, options, threads);
  }
  if (options.method == Method::scp)
    return estimate_sampled_memory<Real>(rows, cols, outputs, options);
  const Placement<Real> placement = place<Real>(rows, cols, outputs, options, threads);
  const bool on_gpu = placement.device.gpu();
  const Plan plan =
      plan_run(*placement.algebras.front(), largest_shape(rows, cols, outputs, options), cols,
               false, options, placement.room(~std::size_t{0} / 2));
  const std::size_t inputs = rows * (cols + outputs) * sizeof(double);
  return {.bytes = inputs + (on_gpu ? plan.host_bytes : plan.bytes()),
          .gpu_bytes = on_gpu ? plan.device_bytes : 0,
          .route = name(plan.route),
          .device = placement.device.name()};
}

template <class Real>
std::unique_ptr<UUpdate<Real>> make_u_update(Route route, Algebra<Real>& algebra, Arena& arena,
                                             const Program<Real>& program,
                                             Communicator communicator) {
  switch (route) {
    case Route::gram:
      return make_gram(algebra, arena, program);
    case Route::conjugate_gradient:
      return make_conjugate_gradient(algebra, arena, program, communicator);
    case Route::automatic:
    case Route::woodbury:
      break;
  }
  return make_woodbury(algebra, arena, program, communicator);
}

template std::size_t host_bytes(const Algebra<float>&, RunSize, const Options&, bool);
template std::size_t host_bytes(const Algebra<double>&, RunSize, const Options&, bool);
template Plan make_plan(Algebra<float>&, const GatedShape&, std::size_t, bool, const Options&,
                        const Room&);
template Plan make_plan(Algebra<double>&, const GatedShape&, std::size_t, bool, const Options&,
                        const Room&);
template Plan plan_run(Algebra<float>&, const GatedShape&, std::size_t, bool, const Options&,
                       const Room&);
template Plan plan_run(Algebra<double>&, const GatedShape&, std::size_t, bool, const Options&,
                       const Room&);
template MemoryEstimate estimate_memory<float>(std::size_t, std::size_t, std::size_t,
                                               const Options&, int);
template MemoryEstimate estimate_memory<double>(std::size_t, std::size_t, std::size_t,
                                                const Options&, int);
template std::unique_ptr<UUpdate<float>> make_u_update(Route, Algebra<float>&, Arena&,
                                                       const Program<float>&, Communicator);
template std::unique_ptr<UUpdate<double>> make_u_update(Route, Algebra<double>&, Arena&,
                                                        const Program<double>&, Communicator);

}  // namespace secondorder::convex_relu
