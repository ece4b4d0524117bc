#include "newton/problems/pde_control.hpp"

#include <cmath>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "base/thread_pool.hpp"
#include "newton/linear/minres_solvers.hpp"
#include "newton/problems/poisson_preconditioner.hpp"
#include "newton/require_memory.hpp"
#include "newton/vectors.hpp"

namespace secondorder::newton {

namespace {

/// Beyond, indices of the Jacobian's entries exceed 32 bits.
constexpr std::size_t largest_grid = 16384;
/// Of a run with the problem's own solver, as measured for N from 256 to 1024.
constexpr double bytes_per_point = 1200;

/// For each point p, row after row: before(p), neighbour(p, q) for the inner points beside it, and
/// after(p).
template <class Before, class Neighbour, class After>
void each_point(std::size_t grid, const Before& before, const Neighbour& neighbour,
                const After& after) {
  std::size_t p = 0;
  for (std::size_t i = 0; i < grid; ++i) {
    for (std::size_t j = 0; j < grid; ++j, ++p) {
      before(p);
      if (i > 0) neighbour(p, p - grid);
      if (j > 0) neighbour(p, p - 1);
      if (j + 1 < grid) neighbour(p, p + 1);
      if (i + 1 < grid) neighbour(p, p + grid);
      after(p);
    }
  }
}

}  // namespace

PdeControl::PdeControl(PdeControlOptions options) : o_(std::move(options)) {
  if (o_.grid == 0 || o_.grid > largest_grid) {
    throw Error(
        ErrorCode::invalid_argument,
        "grid is " + std::to_string(o_.grid) + ", not from 1 to " + std::to_string(largest_grid),
        "grid");
  }
  if (!(o_.alpha > 0) || !std::isfinite(o_.alpha)) {
    throw Error(ErrorCode::invalid_argument, "alpha must be above 0", "alpha");
  }
  const auto n = static_cast<double>(o_.grid);
  require_memory(
      bytes_per_point * n * n,
      "a grid of " + std::to_string(o_.grid) + " × " + std::to_string(o_.grid) + " points", "grid");
  if (o_.target.empty()) {
    const double step = 0.1 / std::sqrt(15.0), middle = (static_cast<double>(o_.grid) - 1) / 2;
    for (std::size_t i = 0; i < o_.grid; ++i) {
      for (std::size_t j = 0; j < o_.grid; ++j) {
        o_.target.push_back(std::sin(4 + step * (static_cast<double>(i) - middle)) +
                            std::cos(3 + step * (static_cast<double>(j) - middle)));
      }
    }
  }
  if (o_.target.size() != points()) {
    throw Error(ErrorCode::dimension_mismatch,
                "target has " + std::to_string(o_.target.size()) + " values, not " +
                    std::to_string(points()),
                "target");
  }
  if (!all_finite(o_.target)) {
    throw Error(ErrorCode::invalid_argument, "target has values that aren't finite", "target");
  }
}

ThreadPool& PdeControl::pool() {
  if (pool_ == nullptr) {
    own_pool_ = std::make_unique<ThreadPool>(1);
    pool_ = own_pool_.get();
  }
  return *pool_;
}

std::unique_ptr<KktSolver> PdeControl::own_kkt_solver() {
  return make_minres({}, pool(), std::make_unique<PoissonPreconditioner>(o_.grid, pool()));
}

double PdeControl::inverse_square_spacing() const {
  const double intervals = static_cast<double>(o_.grid) + 1;
  return intervals * intervals / 4;
}

double PdeControl::objective(std::span<const double> x) {
  double misfit = 0, control = 0;
  for (std::size_t p = 0; p < points(); ++p) {
    const double difference = x[p] - o_.target[p], f = x[points() + p];
    misfit += difference * difference;
    control += f * f;
  }
  return 0.5 * misfit + 0.5 * o_.alpha * control;
}

void PdeControl::gradient(std::span<const double> x, std::span<double> out) {
  for (std::size_t p = 0; p < points(); ++p) {
    out[p] = x[p] - o_.target[p];
    out[points() + p] = o_.alpha * x[points() + p];
  }
}

void PdeControl::constraint(std::span<const double> x, std::span<double> out) {
  const double scale = inverse_square_spacing();
  each_point(
      o_.grid, [&](std::size_t p) { out[p] = 4 * x[p]; },
      [&](std::size_t p, std::size_t q) { out[p] -= x[q]; },
      [&](std::size_t p) { out[p] = scale * out[p] - x[points() + p]; });
}

/// Each row: the point, its neighbours, the control.
Coordinates PdeControl::jacobian_structure() const {
  Coordinates entries;
  const auto add_entry = [&](std::size_t row, std::size_t col) {
    entries.rows.push_back(static_cast<std::int32_t>(row));
    entries.cols.push_back(static_cast<std::int32_t>(col));
  };
  each_point(
      o_.grid, [&](std::size_t p) { add_entry(p, p); }, add_entry,
      [&](std::size_t p) { add_entry(p, points() + p); });
  return entries;
}

void PdeControl::jacobian_values(std::span<const double> /*x*/, std::span<double> out) {
  const double scale = inverse_square_spacing();
  std::size_t filled = 0;
  each_point(
      o_.grid, [&](std::size_t) { out[filled++] = 4 * scale; },
      [&](std::size_t, std::size_t) { out[filled++] = -scale; },
      [&](std::size_t) { out[filled++] = -1; });
}

Coordinates PdeControl::hessian_structure() const {
  Coordinates diagonal;
  for (std::size_t i = 0; i < variables(); ++i) {
    diagonal.rows.push_back(static_cast<std::int32_t>(i));
    diagonal.cols.push_back(static_cast<std::int32_t>(i));
  }
  return diagonal;
}

void PdeControl::hessian_values(std::span<const double> /*x*/, double sigma,
                                std::span<const double> /*lambda*/, std::span<double> out) {
  for (std::size_t p = 0; p < points(); ++p) {
    out[p] = sigma;
    out[points() + p] = sigma * o_.alpha;
  }
}

}  // namespace secondorder::newton
