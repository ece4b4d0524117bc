#include "newton/linear/low_rank_ldl.hpp"

#include <algorithm>

#include "newton/bfgs.hpp"
#include "newton/linear/refine.hpp"

namespace secondorder::newton {

namespace {

constexpr double base_accuracy = 1e-13;
constexpr std::size_t most_refinements = 10;

SparseSymmetric diagonal_matrix(std::size_t order) {
  Coordinates structure;
  for (std::size_t i = 0; i < order; ++i) {
    structure.rows.push_back(static_cast<std::int32_t>(i));
    structure.cols.push_back(static_cast<std::int32_t>(i));
  }
  return {order, structure, "hessian"};
}

}  // namespace

std::optional<Inertia> LowRankLdl::prepare(const KktSystem& system) {
  system_ = &system;
  const std::size_t n = system.variables, order = system.order(), rank = bfgs_.rank();
  if (diagonal_.order() != n) diagonal_ = diagonal_matrix(n);
  std::fill(diagonal_.values().begin(), diagonal_.values().end(), bfgs_.sigma());
  base_system_ = system;
  base_system_.hessian = &diagonal_;
  base_system_.hessian_product = [this](std::span<const double> v, std::span<double> out) {
    diagonal_.multiply(v, out);
  };
  const Inertia base = base_.prepare(base_system_).value_or(Inertia{});
  if (base.zero != 0) return base;

  columns_.assign(rank, Vector(order));
  solved_.assign(rank, Vector(order));
  for (std::size_t j = 0; j < rank; ++j) {
    bfgs_.column(j, std::span(columns_[j]).first(n));
    base_.solve(columns_[j], base_accuracy, solved_[j]);
  }
  std::copy(bfgs_.middle().begin(), bfgs_.middle().end(), middle_.start(rank).begin());
  const auto inner = inner_.start(rank);
  std::copy(bfgs_.middle().begin(), bfgs_.middle().end(), inner.begin());
  for (std::size_t j = 0; j < rank; ++j) {
    for (std::size_t i = j; i < rank; ++i) inner[j * rank + i] -= dot(columns_[i], solved_[j]);
  }
  middle_.factor();
  inner_.factor();
  // Haynsworth: In(K₀) + In(M − UᵀK₀⁻¹U) = In(M) + In(K).
  const Inertia outer = inner_.inertia(), small = middle_.inertia();
  return Inertia{.positive = base.positive + outer.positive - small.positive,
                 .negative = base.negative + outer.negative - small.negative,
                 .zero = outer.zero};
}

void LowRankLdl::apply(Vector& right) {
  weights_.resize(columns_.size());
  for (std::size_t j = 0; j < columns_.size(); ++j) weights_[j] = dot(solved_[j], right);
  inner_.solve(weights_);
  solution_.assign(right.size(), 0.0);
  base_.solve(right, base_accuracy, solution_);
  for (std::size_t j = 0; j < columns_.size(); ++j) add(weights_[j], solved_[j], solution_);
  right.swap(solution_);
}

SolveOutcome LowRankLdl::solve(std::span<const double> b, double accuracy, std::span<double> x) {
  const auto correct = [this](Vector& right) { apply(right); };
  return refine(*system_, b, accuracy, most_refinements, correct, residual_, x);
}

}  // namespace secondorder::newton
