#include "convex_relu/route.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "base/error.hpp"
#include "convex_relu/admm.hpp"

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
  return arena.bytes() + algebra.scratch_bytes(shape);
}

std::size_t host_bytes(const GatedShape& s, std::size_t raw_features, Route route,
                       std::size_t threads) {
  // z in float64 for the certificate, s-space blocks, ν, μ, patterns, and the weights of the model.
  const std::size_t features = std::max(s.features, std::min(raw_features + 1, 4 * s.features));
  const std::size_t samples = s.rows * (features + 3 * s.outputs) * sizeof(double) +
                              s.rows * GateBits::words_per_row(s.gates) * sizeof(std::uint64_t);
  const std::size_t multipliers =
      s.sets == 2 ? 2 * s.rows * s.parameter_rows() * sizeof(double) : 0;
  const std::size_t parameters = 3 * s.parameter_rows() * features * sizeof(double);
  // Gates, drawn once and once more for those without a new pattern, and a block of rows with them.
  const std::size_t gates = 2 * s.gates * (raw_features + 1) * sizeof(double);
  const std::size_t block =
      std::min(host_block, s.rows) * (raw_features + features + s.gates) * sizeof(double);
  // The sketch of the preconditioner is factored in float64.
  const std::size_t sketch = route == Route::conjugate_gradient
                                 ? 4 * s.gates * s.features * sketch_rank(s) * sizeof(double)
                                 : 0;
  // The Gram matrix is summed up gate by gate, on every thread.
  const std::size_t pairs = s.features * (s.features + 1) / 2 + 64;
  const std::size_t sums =
      route == Route::gram ? threads * (512 + s.gates) * pairs * sizeof(double) : 0;
  return samples + multipliers + parameters + gates + block + std::max(sketch, sums);
}

}  // namespace

template <class Real>
Plan make_plan(Algebra<Real>& algebra, const GatedShape& shape, std::size_t raw_features,
               bool weighted, const Options& options, std::size_t available) {
  const auto threads = static_cast<std::size_t>(algebra.parallelism());
  Plan best;
  double least = -1;
  std::size_t smallest = 0;
  for (const Route route : {Route::woodbury, Route::gram, Route::conjugate_gradient}) {
    if (options.route != Route::automatic && options.route != route) continue;
    const std::size_t bytes = workspace_bytes(algebra, shape, weighted, options, route);
    const std::size_t around = host_bytes(shape, raw_features, route, threads);
    if (smallest == 0 || bytes + around < smallest) smallest = bytes + around;
    if (bytes + around > available) continue;
    const double operations = cost(route, shape, options.loss);
    if (least >= 0 && operations >= least) continue;
    least = operations;
    best.route = route;
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

const char* name(Route route) {
  switch (route) {
    case Route::woodbury:
      return "woodbury";
    case Route::gram:
      return "gram";
    case Route::conjugate_gradient:
      return "cg";
    case Route::automatic:
      break;
  }
  return "auto";
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
template std::unique_ptr<UUpdate<float>> make_u_update(Route, Algebra<float>&, Arena&,
                                                       const Program<float>&);
template std::unique_ptr<UUpdate<double>> make_u_update(Route, Algebra<double>&, Arena&,
                                                        const Program<double>&);

}  // namespace secondorder::convex_relu
