#include "newton/feasibility_step.hpp"

#include <algorithm>

#include "newton/kkt_placement.hpp"

namespace secondorder::newton {

namespace {

constexpr double accuracy = 1e-12;

}  // namespace

void FeasibilityStep::set_up(const Iterate& iterate) {
  system_.variables = iterate.x.size();
  system_.constraints = iterate.c.size();
  system_.hessian = hessian_.matrix();
  system_.jacobian = &iterate.jacobian;
  system_.hessian_product = [this](std::span<const double> v, std::span<double> out) {
    hessian_.multiply(v, out);
  };
  system_.delta_c = 1;
  if (!solver_) solver_ = place_factorization(device_, system_, pool_);
}

bool FeasibilityStep::compute(const Iterate& iterate, std::span<double> step) {
  if (hessian_.learns() || hessian_.matrix() == nullptr) return false;
  if (!hessian_.update(iterate, iterate.c, 0)) return false;
  set_up(iterate);
  correction_.start();
  const Inertia wanted{system_.variables, system_.constraints, 0};
  for (system_.delta_w = 0; solver_->prepare(system_) != wanted;) {
    if (!correction_.raise()) return false;
    system_.delta_w = correction_.delta_w();
  }
  correction_.settle();
  right_.assign(system_.order(), 0.0);
  for (std::size_t i = 0; i < iterate.c.size(); ++i) right_[step.size() + i] = -iterate.c[i];
  solution_.assign(system_.order(), 0.0);
  solver_->solve(right_, accuracy, solution_);
  std::copy_n(solution_.begin(), step.size(), step.begin());
  return all_finite(step);
}

}  // namespace secondorder::newton
