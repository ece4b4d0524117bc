// First derivatives of a problem that doesn't give them, by finite differences.
#pragma once

#include <vector>

#include "base/enum_names.hpp"
#include "newton/problem.hpp"
#include "newton/result.hpp"
#include "newton/vectors.hpp"

namespace secondorder::newton {

enum class Difference { forward, central };

/// A step that floating point represents exactly, in proportion to max(1, |x|): ε^⅓ of it for
/// central differences, √ε for forward ones.
double difference_step(double x, Difference difference);

/// Columns of a sparse matrix by colours: no two columns of a colour share a row, so that one
/// difference serves them all (Curtis, Powell, Reid 1974).
std::vector<std::vector<std::int32_t>> color_columns(std::size_t rows, std::size_t cols,
                                                     const Coordinates& structure);

/// A problem with its gradient, its Jacobian or both by differences of its functions. Where a
/// function isn't finite on one side of x, the difference is taken on the other. A run may stop it
/// between evaluations: then it throws Cancelled.
class FiniteDifferences final : public Problem {
 public:
  struct Missing {
    bool gradient = false, jacobian = false;
  };
  /// Without a structure given, all entries of the Jacobian are taken to be there.
  FiniteDifferences(Problem& given, Missing missing, Difference difference);

  std::size_t variables() const override { return given_.variables(); }
  std::size_t constraints() const override { return given_.constraints(); }
  Coordinates jacobian_structure() const override { return structure_; }
  HessianForm hessian_form() const override { return given_.hessian_form(); }
  Coordinates hessian_structure() const override { return given_.hessian_structure(); }
  bool threaded() const override { return given_.threaded(); }
  void begin(const RunSetting& setting) override {
    control_ = setting.control;
    given_.begin(setting);
  }
  void end() override {
    control_ = nullptr;
    given_.end();
  }
  std::unique_ptr<KktSolver> own_kkt_solver() override;

  double objective(std::span<const double> x) override { return given_.objective(x); }
  void gradient(std::span<const double> x, std::span<double> out) override;
  void constraint(std::span<const double> x, std::span<double> out) override {
    given_.constraint(x, out);
  }
  void jacobian_values(std::span<const double> x, std::span<double> out) override;
  void hessian_values(std::span<const double> x, double sigma, std::span<const double> lambda,
                      std::span<double> out) override {
    given_.hessian_values(x, sigma, lambda, out);
  }
  void hessian_product(std::span<const double> x, double sigma, std::span<const double> lambda,
                       std::span<const double> v, std::span<double> out) override {
    given_.hessian_product(x, sigma, lambda, v, out);
  }

  /// Turns counts of evaluations of this problem into counts of the given one.
  void count_given(Evaluations& counts) const;

 private:
  void checkpoint() const;
  double objective_at(std::span<const double> x);
  void constraint_at(std::span<const double> x, Vector& out);

  Problem& given_;
  const RunControl* control_ = nullptr;  // of the run, while there is one
  Missing missing_;
  Difference difference_;
  Coordinates structure_;
  std::vector<std::vector<std::int32_t>> entries_;  // to fill in, by colour of their column
  std::vector<std::vector<std::int32_t>> colors_;
  std::size_t objectives_ = 0, constraints_ = 0;
  Vector shifted_, at_, above_, below_, steps_;
};

}  // namespace secondorder::newton

template <>
struct secondorder::EnumNames<secondorder::newton::Difference> {
  using Difference = newton::Difference;
  static constexpr Named<Difference> table[] = {{"forward", Difference::forward},
                                                {"central", Difference::central}};
};
