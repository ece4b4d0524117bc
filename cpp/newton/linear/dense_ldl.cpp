#include "newton/linear/dense_ldl.hpp"

#include "base/error.hpp"
#include "newton/linear/dense_kkt.hpp"
#include "newton/linear/refine.hpp"

namespace secondorder::newton {

namespace {

constexpr std::size_t most_refinements = 10;

/// The lower triangle of K, by columns.
void fill(const KktSystem& system, std::span<double> k) {
  const std::size_t n = system.variables, order = system.order();
  const SparseSymmetric& hessian = *system.hessian;
  for (std::size_t j = 0; j < n; ++j) {
    double* column = k.data() + j * order;
    for (auto p = static_cast<std::size_t>(hessian.offsets()[j]);
         p < static_cast<std::size_t>(hessian.offsets()[j + 1]); ++p) {
      column[hessian.rows()[p]] = hessian.values()[p];
    }
    column[j] += system.delta_w;
  }
  const SparseMatrix& jacobian = *system.jacobian;
  for (std::size_t i = 0; i < system.constraints; ++i) {
    for (auto p = static_cast<std::size_t>(jacobian.offsets()[i]);
         p < static_cast<std::size_t>(jacobian.offsets()[i + 1]); ++p) {
      k[static_cast<std::size_t>(jacobian.columns()[p]) * order + n + i] = jacobian.values()[p];
    }
    k[(n + i) * order + n + i] = -system.delta_c;
  }
}

}  // namespace

std::optional<Inertia> DenseLdl::prepare(const KktSystem& system) {
  if (system.hessian == nullptr) {
    throw Error(ErrorCode::invalid_argument,
                "linearSolver 'ldl' needs the entries of the Hessian, not products alone",
                "linearSolver");
  }
  system_ = &system;
  const auto order = static_cast<double>(system.order());
  if (factorizations_ == 0) require_dense(system.order(), order * order);
  fill(system, factor_.start(system.order()));
  factor_.factor();
  ++factorizations_;
  return factor_.inertia();
}

SolveOutcome DenseLdl::solve(std::span<const double> b, double accuracy, std::span<double> x) {
  const auto apply = [this](Vector& right) { factor_.solve(right); };
  return refine(*system_, b, accuracy, most_refinements, apply, residual_, x);
}

}  // namespace secondorder::newton
