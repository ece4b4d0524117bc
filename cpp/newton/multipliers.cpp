#include "newton/multipliers.hpp"

#include <algorithm>
#include <utility>

#include "newton/kkt_placement.hpp"

namespace secondorder::newton {

namespace {

/// Larger multipliers tell of a nearly rank-deficient Jacobian.
constexpr double largest_multiplier = 1e3;
/// Keeps the system regular where the Jacobian is rank-deficient.
constexpr double rank_regularization = 1e-10;
constexpr double accuracy = 1e-10;

}  // namespace

JacobianLeastSquares::JacobianLeastSquares(const Iterate& iterate, std::unique_ptr<KktSolver> own,
                                           const DeviceRequest& device, ThreadPool& pool)
    : zero_(iterate.x.size(), {}, "hessian"),
      solver_(std::move(own)),
      right_(iterate.x.size() + iterate.c.size()),
      solution_(right_.size()) {
  system_.variables = iterate.x.size();
  system_.constraints = iterate.c.size();
  system_.hessian = &zero_;
  system_.hessian_product = [](std::span<const double>, std::span<double> out) {
    std::fill(out.begin(), out.end(), 0.0);
  };
  system_.jacobian = &iterate.jacobian;
  if (!solver_) solver_ = place_factorization(device, system_, pool);
}

/// [I, Jᵀ; J, −δI]·[w; λ] = [−∇f; 0]
void JacobianLeastSquares::multipliers(const Iterate& iterate, std::span<double> lambda) {
  std::fill(lambda.begin(), lambda.end(), 0.0);
  if (lambda.empty()) return;
  system_.jacobian = &iterate.jacobian;
  system_.delta_w = 1;
  system_.delta_c = rank_regularization;
  std::fill(right_.begin(), right_.end(), 0.0);
  for (std::size_t i = 0; i < iterate.x.size(); ++i) right_[i] = -iterate.gradient[i];
  solver_->prepare(system_);
  std::fill(solution_.begin(), solution_.end(), 0.0);
  solver_->solve(right_, accuracy, solution_);
  const auto found = std::span<const double>(solution_).last(lambda.size());
  if (norm_inf(found) <= largest_multiplier) std::copy(found.begin(), found.end(), lambda.begin());
}

/// [μI, Jᵀ; J, −I]·[s; c + Js] = [0; −c]
bool JacobianLeastSquares::levenberg_marquardt(const Iterate& iterate, double mu,
                                               std::span<double> step) {
  system_.jacobian = &iterate.jacobian;
  system_.delta_w = mu;
  system_.delta_c = 1;
  std::fill(right_.begin(), right_.end(), 0.0);
  for (std::size_t i = 0; i < iterate.c.size(); ++i) right_[step.size() + i] = -iterate.c[i];
  solver_->prepare(system_);
  std::fill(solution_.begin(), solution_.end(), 0.0);
  solver_->solve(right_, accuracy, solution_);
  std::copy_n(solution_.begin(), step.size(), step.begin());
  return all_finite(step);
}

}  // namespace secondorder::newton
