#include "convex_relu/route.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "base/error.hpp"
#include "convex_relu/admm.hpp"
#include "convex_relu/adversarial_train.hpp"
#include "convex_relu/memory_plan.hpp"

namespace secondorder::convex_relu {

namespace {

/// Operations of a run, in units of one multiplication and addition of a large dense product.
/// Factors stand for what a kind of work costs beside those: sums chosen by bits less, passes over
/// a factor for one right-hand side, which memory bounds, more.
double cost(Route route, const GatedShape& s, Loss loss) {
  const auto n = static_cast<double>(s.rows), r = static_cast<double>(s.features);
  const auto gates = static_cast<double>(s.gates), c = static_cast<double>(s.outputs);
  const double iterations = s.sets == 2 ? 200 : 20;  // cones take ten times as many
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
  return bit_sums * 2 * std::min(n, 16384.0) * gates * r * static_cast<double>(sketch_rank(s)) +
         iterations * 2 * (inner_iterations + 1) * gated;
}

/// A dummy layout of the program and ADMM over a counting arena.
template <class Real>
std::size_t workspace_bytes(Algebra<Real>& algebra, const GatedShape& shape, bool weighted,
                            const Options& options, Route route) {
  Arena arena;
  Program<Real> program(shape, weighted, arena);
  program.loss = options.loss;
  const Admm<Real> admm(algebra, arena, program, route, options.relaxation);
  return arena.bytes();
}

}  // namespace

template <class Real>
Plan make_plan(Algebra<Real>& algebra, const GatedShape& shape, std::size_t raw_features,
               bool weighted, const Options& options, std::size_t available) {
  Plan best;
  double least = -1;
  std::size_t smallest = 0;
  for (const Route route : {Route::woodbury, Route::gram, Route::conjugate_gradient}) {
    if (options.route != Route::automatic && options.route != route) continue;
    const std::size_t workspace = workspace_bytes(algebra, shape, weighted, options, route);
    const std::size_t bytes = workspace + algebra.scratch_bytes(shape);
    const std::size_t around =
        host_bytes(algebra, RunSize::most(shape, raw_features, route, bytes), options);
    if (smallest == 0 || bytes + around < smallest) smallest = bytes + around;
    if (bytes + around > available) continue;
    const double operations = cost(route, shape, options.loss);
    if (least >= 0 && operations >= least) continue;
    least = operations;
    best.route = route;
    best.workspace_bytes = workspace;
    best.device_bytes = bytes;
    best.host_bytes = around;
  }
  if (least < 0) {
    throw Error(ErrorCode::out_of_memory,
                "the problem needs " + std::to_string(smallest) + " bytes of memory, and " +
                    std::to_string(available) +
                    " are available; take fewer gates, samples or components");
  }
  return best;
}

GatedShape shape_of(std::size_t rows, std::size_t features, std::size_t gates, std::size_t outputs,
                    Model model) {
  return {rows, features, gates, outputs, model == Model::relu ? std::size_t{2} : std::size_t{1}};
}

template <class Real>
MemoryEstimate estimate_memory(std::size_t rows, std::size_t cols, std::size_t outputs,
                               const Options& options, int threads) {
  if (options.epsilon) {
    return estimate_adversarial_memory<Real>(rows, cols, options, threads);
  }
  CpuAlgebra<Real> algebra(threads);
  std::size_t features = options.components > 0 ? std::min(options.components, cols) : cols;
  features = std::min(features + (options.bias ? 1 : 0), rows);
  const GatedShape shape = shape_of(rows, features, options.gates, outputs, options.model);
  const Plan plan = make_plan(algebra, shape, cols, false, options, ~std::size_t{0} / 2);
  const std::size_t inputs = rows * (cols + outputs) * sizeof(double);
  return {plan.bytes() + inputs, name(plan.route)};
}

template <class Real>
std::unique_ptr<UUpdate<Real>> make_u_update(Route route, Algebra<Real>& algebra, Arena& arena,
                                             const Program<Real>& program) {
  switch (route) {
    case Route::gram:
      return make_gram(algebra, arena, program);
    case Route::conjugate_gradient:
      return make_conjugate_gradient(algebra, arena, program);
    case Route::automatic:
    case Route::woodbury:
      break;
  }
  return make_woodbury(algebra, arena, program);
}

template Plan make_plan(Algebra<float>&, const GatedShape&, std::size_t, bool, const Options&,
                        std::size_t);
template Plan make_plan(Algebra<double>&, const GatedShape&, std::size_t, bool, const Options&,
                        std::size_t);
template MemoryEstimate estimate_memory<float>(std::size_t, std::size_t, std::size_t,
                                               const Options&, int);
template MemoryEstimate estimate_memory<double>(std::size_t, std::size_t, std::size_t,
                                                const Options&, int);
template std::unique_ptr<UUpdate<float>> make_u_update(Route, Algebra<float>&, Arena&,
                                                       const Program<float>&);
template std::unique_ptr<UUpdate<double>> make_u_update(Route, Algebra<double>&, Arena&,
                                                        const Program<double>&);

}  // namespace secondorder::convex_relu
