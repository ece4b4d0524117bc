#include "newton/linear/dense_ldl.hpp"

#include "base/error.hpp"
#include "newton/linear/refine.hpp"

namespace secondorder::newton {

namespace {

constexpr std::size_t most_refinements = 10;

}  // namespace

std::optional<Inertia> DenseLdl::prepare(const KktSystem& system) {
  if (system.hessian == nullptr) {
    throw Error(ErrorCode::invalid_argument,
                "linearSolver 'ldl' needs the entries of the Hessian, not products alone",
                "linearSolver");
  }
  checkpoint();
  const Inertia inertia = factors_->factor(system);
  ++factorizations_;
  return inertia;
}

SolveOutcome DenseLdl::solve(std::span<const double> b, double accuracy, std::span<double> x) {
  const auto apply = [this](Vector& right) {
    checkpoint();
    factors_->solve(right);
  };
  return refine(*factors_, b, accuracy, most_refinements, apply, residual_, x);
}

}  // namespace secondorder::newton
