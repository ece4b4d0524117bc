// Finite differences and the check of given derivatives.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "base/thread_pool.hpp"
#include "newton/derivative_check.hpp"
#include "newton/finite_difference.hpp"
#include "newton_problems.hpp"

namespace secondorder::test {
namespace {

using namespace newton;

TEST_CASE("differences come near the derivatives") {
  FormulaProblem<BoggsTolle6> problem;
  const std::vector<double> x{1.1, 1.3, 1.5, 1.2, 0.7};
  std::vector<double> gradient(5), jacobian(10), near(5), near_jacobian(10);
  problem.gradient(x, gradient);
  problem.jacobian_values(x, jacobian);
  for (const auto& [difference, tolerance] :
       {std::pair{Difference::central, 1e-8}, std::pair{Difference::forward, 1e-5}}) {
    FiniteDifferences differences(problem, {true, true}, difference);
    differences.gradient(x, near);
    differences.jacobian_values(x, near_jacobian);
    for (std::size_t i = 0; i < 5; ++i) CHECK(std::abs(near[i] - gradient[i]) <= tolerance);
    for (std::size_t i = 0; i < 10; ++i) {
      CHECK(std::abs(near_jacobian[i] - jacobian[i]) <= tolerance);
    }
  }
}

TEST_CASE("beside a point where the function isn't finite, the other side is taken") {
  class Edge final : public FormulaProblem<Hs7> {
   public:
    double objective(std::span<const double> x) override { return std::sqrt(x[0] - 1) + x[1]; }
  };
  Edge problem;
  FiniteDifferences differences(problem, {true, false}, Difference::central);
  std::vector<double> gradient(2);
  differences.gradient(std::vector<double>{1 + 1e-9, 0}, gradient);
  CHECK(std::isfinite(gradient[0]));
  CHECK(gradient[0] > 0);
  CHECK(gradient[1] == doctest::Approx(1));
}

TEST_CASE("equal positions of a pattern get the slope once") {
  /// Every position twice, the second ones last.
  class Twice final : public FormulaProblem<BoggsTolle6> {
   public:
    Coordinates jacobian_structure() const override {
      Coordinates structure = FormulaProblem<BoggsTolle6>::jacobian_structure();
      for (std::size_t e = 0; e < 10; ++e) {
        structure.rows.push_back(structure.rows[e]);
        structure.cols.push_back(structure.cols[e]);
      }
      return structure;
    }
  };
  FormulaProblem<BoggsTolle6> problem;
  Twice twice;
  FiniteDifferences once(problem, {false, true}, Difference::central);
  FiniteDifferences repeated(twice, {false, true}, Difference::central);
  const std::vector<double> x{1.1, 1.3, 1.5, 1.2, 0.7};
  std::vector<double> expected(10), values(20, 1.0);
  once.jacobian_values(x, expected);
  repeated.jacobian_values(x, values);
  expected.resize(20);
  CHECK(values == expected);
}

TEST_CASE("a run that is stopped stops its differences") {
  /// Cancels at the third evaluation.
  class Cancelling final : public FormulaProblem<BoggsTolle6> {
   public:
    explicit Cancelling(RunControl& control) : control_(control) {}
    double objective(std::span<const double> x) override {
      if (++calls == 3) control_.cancel();
      return FormulaProblem<BoggsTolle6>::objective(x);
    }
    int calls = 0;

   private:
    RunControl& control_;
  };
  RunControl control;
  Cancelling problem(control);
  FiniteDifferences differences(problem, {true, true}, Difference::central);
  const Result result = minimize(differences, BoggsTolle6::x0(), {}, {}, control);
  CHECK(result.status == Status::aborted);
  CHECK(problem.calls == 3);
  CHECK(std::isfinite(result.objective));
  CHECK(std::isfinite(result.error.infeasibility));
}

TEST_CASE("columns of a colour share no row") {
  const std::size_t n = 200;
  Coordinates structure;  // tridiagonal, with a full first row in the second half
  for (std::int32_t i = 0; i < 200; ++i) {
    for (std::int32_t j = std::max(0, i - 1); j <= std::min(199, i + 1); ++j) {
      structure.rows.push_back(i);
      structure.cols.push_back(j);
    }
  }
  const auto groups = color_columns(n, n, structure);
  CHECK(groups.size() == 3);
  std::size_t columns = 0;
  for (const auto& group : groups) {
    columns += group.size();
    std::set<std::int32_t> members(group.begin(), group.end()), rows;
    for (std::size_t k = 0; k < structure.size(); ++k) {
      if (members.count(structure.cols[k]) != 0) CHECK(rows.insert(structure.rows[k]).second);
    }
  }
  CHECK(columns == n);
}

TEST_CASE("minimizing by differences counts the evaluations they take") {
  FormulaProblem<BoggsTolle6> problem(HessianForm::none);
  FiniteDifferences differences(problem, {true, true}, Difference::central);
  Result result = solve(differences, BoggsTolle6::x0());
  CHECK(result.status == Status::converged);
  CHECK(kkt_residual<BoggsTolle6>(result) <= 2e-6);
  const std::size_t gradients = result.evaluations.gradient, before = result.evaluations.objective;
  differences.count_given(result.evaluations);
  CHECK(result.evaluations.gradient == 0);
  CHECK(result.evaluations.jacobian == 0);
  CHECK(result.evaluations.objective == before + 10 * gradients);
}

DerivativeReport check(Problem& problem, std::span<const double> x,
                       std::span<const double> lambda) {
  const ThreadPool pool(1);
  return check_derivatives(problem, x, lambda, {}, pool);
}

TEST_CASE("right derivatives pass the check, in either form of the Hessian") {
  for (const auto form : {HessianForm::values, HessianForm::product}) {
    FormulaProblem<BoggsTolle6> problem(form);
    const DerivativeReport report =
        check(problem, std::vector<double>{1.1, 1.3, 1.5, 1.2, 0.7}, std::vector<double>{1, -2});
    CHECK(report.wrong_entries == 0);
    CHECK(report.gradient_error <= 1e-7);
    CHECK(report.jacobian_error <= 1e-7);
    CHECK(report.hessian_error <= 1e-7);
  }
}

TEST_CASE("an entry that isn't finite is found where it is") {
  /// One entry of J and one of H are NaN.
  class Spoilt final : public FormulaProblem<BoggsTolle6> {
   public:
    void jacobian_values(std::span<const double> x, std::span<double> out) override {
      FormulaProblem<BoggsTolle6>::jacobian_values(x, out);
      if (x[0] == 1.1) out[7] = std::nan("");  // (1, 2)
    }
    void hessian_values(std::span<const double> x, double sigma, std::span<const double> lambda,
                        std::span<double> out) override {
      FormulaProblem<BoggsTolle6>::hessian_values(x, sigma, lambda, out);
      out[13] = std::nan("");  // (4, 3)
    }
  };
  Spoilt problem;
  const ThreadPool pool(1);
  const std::vector<double> x{1.1, 1.3, 1.5, 1.2, 0.7}, lambda{1, -2};
  DerivativeCheck check;
  check.gradient = false;
  const DerivativeReport report = check_derivatives(problem, x, lambda, check, pool);
  REQUIRE(report.wrong.size() == report.wrong_entries);
  CHECK(report.wrong[0].derivative == Derivative::jacobian);
  CHECK(report.wrong[0].row == 1);
  CHECK(report.wrong[0].column == 2);
  const auto hessian = [&](std::size_t row, std::size_t column) {
    return std::count_if(report.wrong.begin(), report.wrong.end(), [&](const auto& entry) {
      return entry.derivative == Derivative::hessian && entry.row == row && entry.column == column;
    });
  };
  CHECK(hessian(4, 3) == 1);
  CHECK(hessian(2, 1) == 1);  // between points where the Jacobian isn't finite
  CHECK(hessian(4, 4) == 0);
}

TEST_CASE("a wrong entry is named, with what it should be") {
  class Wrong final : public FormulaProblem<Hs40> {
   public:
    void jacobian_values(std::span<const double> x, std::span<double> out) override {
      FormulaProblem<Hs40>::jacobian_values(x, out);
      out[1 * 4 + 3] += 0.5;
    }
    Coordinates hessian_structure() const override {
      Coordinates structure = FormulaProblem<Hs40>::hessian_structure();
      structure.rows.pop_back();  // without the last diagonal entry, which is λ₂·2 in truth
      structure.cols.pop_back();
      return structure;
    }
    void hessian_values(std::span<const double> x, double sigma, std::span<const double> lambda,
                        std::span<double> out) override {
      std::vector<double> whole(10);
      FormulaProblem<Hs40>::hessian_values(x, sigma, lambda, whole);
      std::copy_n(whole.begin(), 9, out.begin());
    }
  };
  Wrong problem;
  const DerivativeReport report =
      check(problem, std::vector<double>{0.7, 0.8, 0.9, 1.1}, std::vector<double>{1, 0.5, 2});
  REQUIRE(report.wrong_entries >= 2);
  bool jacobian = false, hessian = false;
  for (const DerivativeEntry& entry : report.wrong) {
    if (entry.derivative == Derivative::jacobian) {
      jacobian = true;
      CHECK(entry.row == 1);
      CHECK(entry.column == 3);
      CHECK(entry.given - entry.difference == doctest::Approx(0.5));
    }
    if (entry.derivative == Derivative::hessian && entry.row == 3 && entry.column == 3) {
      hessian = true;
      CHECK(entry.given == 0);
      CHECK(entry.difference == doctest::Approx(4));
    }
  }
  CHECK(jacobian);
  CHECK(hessian);
}

}  // namespace
}  // namespace secondorder::test
