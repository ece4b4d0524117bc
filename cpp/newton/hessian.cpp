#include "newton/hessian.hpp"

#include <algorithm>
#include <optional>

#include "base/thread_pool.hpp"
#include "newton/bfgs.hpp"

namespace secondorder::newton {

namespace {

/// Up to this many variables, products are assembled: that costs no more than an iterative solve.
constexpr std::size_t most_assembled = 1000;
/// Up to this many variables, BFGS keeps a dense matrix.
constexpr std::size_t most_dense_bfgs = 500;
constexpr std::size_t default_memory = 12;

/// Entries in coordinates.
class HessianEntries final : public LagrangianHessian {
 public:
  explicit HessianEntries(ScaledProblem& problem) : problem_(problem) {
    const Coordinates structure = problem.problem().hessian_structure();
    matrix_ = SparseSymmetric(problem.variables(), structure, "hessian");
    coordinates_.resize(structure.size());
  }
  bool update(const Iterate& iterate, std::span<const double> lambda, double sigma) override {
    problem_.hessian_values(iterate, sigma, lambda, coordinates_);
    matrix_.assign(coordinates_);
    return matrix_.finite();
  }
  const SparseSymmetric* matrix() const override { return &matrix_; }
  void multiply(std::span<const double> v, std::span<double> out) override {
    matrix_.multiply(v, out);
  }

 private:
  ScaledProblem& problem_;
  SparseSymmetric matrix_;
  Vector coordinates_;
};

/// Products alone.
class HessianProducts final : public LagrangianHessian {
 public:
  explicit HessianProducts(ScaledProblem& problem) : problem_(problem) {}
  bool update(const Iterate& iterate, std::span<const double> lambda, double sigma) override {
    iterate_ = &iterate;
    lambda_ = lambda;
    sigma_ = sigma;
    return true;
  }
  void multiply(std::span<const double> v, std::span<double> out) override {
    problem_.hessian_product(*iterate_, sigma_, lambda_, v, out);
  }

 private:
  ScaledProblem& problem_;
  const Iterate* iterate_ = nullptr;
  std::span<const double> lambda_;
  double sigma_ = 1;
};

/// A dense matrix out of n products with unit vectors.
class AssembledHessian final : public LagrangianHessian {
 public:
  AssembledHessian(ScaledProblem& problem, const RunControl& control)
      : problem_(problem),
        control_(control),
        matrix_(SparseSymmetric::dense(problem.variables())) {}
  bool update(const Iterate& iterate, std::span<const double> lambda, double sigma) override {
    const std::size_t n = problem_.variables();
    unit_.assign(n, 0.0);
    column_.resize(n);
    double* entry = matrix_.values().data();
    for (std::size_t j = 0; j < n; ++j) {
      if (control_.stop_requested()) throw Cancelled{};
      unit_[j] = 1;
      problem_.hessian_product(iterate, sigma, lambda, unit_, column_);
      unit_[j] = 0;
      entry = std::copy(column_.begin() + static_cast<std::ptrdiff_t>(j), column_.end(), entry);
    }
    return matrix_.finite();
  }
  const SparseSymmetric* matrix() const override { return &matrix_; }
  void multiply(std::span<const double> v, std::span<double> out) override {
    matrix_.multiply(v, out);
  }

 private:
  ScaledProblem& problem_;
  const RunControl& control_;
  SparseSymmetric matrix_;
  Vector unit_, column_;
};

bool factors_entries(LinearSolver solver) {
  return solver == LinearSolver::ldl || solver == LinearSolver::dense_ldl ||
         solver == LinearSolver::sparse_ldl;
}

}  // namespace

std::unique_ptr<LagrangianHessian> make_hessian(ScaledProblem& problem, const Options& options,
                                                const RunControl& control, bool own_solver) {
  const std::size_t n = problem.variables();
  switch (problem.problem().hessian_form()) {
    case HessianForm::values:
      return std::make_unique<HessianEntries>(problem);
    case HessianForm::product:
      if (factors_entries(options.linear_solver) ||
          (options.linear_solver == LinearSolver::automatic && !own_solver &&
           n <= most_assembled)) {
        return std::make_unique<AssembledHessian>(problem, control);
      }
      return std::make_unique<HessianProducts>(problem);
    case HessianForm::none:
      break;
  }
  if (options.bfgs_memory == 0 && n <= most_dense_bfgs) return std::make_unique<DenseBfgs>(n);
  return std::make_unique<LimitedMemoryBfgs>(options.bfgs_memory == 0 ? default_memory
                                                                      : options.bfgs_memory);
}

}  // namespace secondorder::newton
