// Dense factorization of K, for systems of up to some thousand rows, on a GPU of some ten thousand.
#pragma once

#include <memory>

#include "base/thread_pool.hpp"
#include "newton/linear/dense_on_cpu.hpp"

namespace secondorder::newton {

class DenseLdl final : public KktSolver {
 public:
  DenseLdl() : DenseLdl(std::make_unique<CpuDenseFactors>(), nullptr) {}
  /// On the device of the factors. What `pool` watches, where there is one, stops between
  /// operations, by Cancelled.
  DenseLdl(std::unique_ptr<DenseFactors> factors, const ThreadPool* pool)
      : factors_(std::move(factors)), pool_(pool) {}

  std::string_view name() const override { return "dense-ldl"; }
  /// Needs the entries of the Hessian.
  std::optional<Inertia> prepare(const KktSystem& system) override;
  SolveOutcome solve(std::span<const double> b, double accuracy, std::span<double> x) override;
  std::size_t factorizations() const override { return factorizations_; }

 private:
  void checkpoint() const {
    if (pool_ != nullptr) pool_->checkpoint();
  }

  std::unique_ptr<DenseFactors> factors_;
  const ThreadPool* pool_;
  Vector residual_;
  std::size_t factorizations_ = 0;
};

}  // namespace secondorder::newton
