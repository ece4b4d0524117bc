// The paper's algorithm, with exact factors in the place of sketches: its conditions and statuses.
#include <doctest/doctest.h>

#include "newton/dense_spectrum.hpp"
#include "newton_problems.hpp"
#include "test_support.hpp"

namespace secondorder::test {
namespace {

using namespace newton;

Options paper() {
  return {.preset = Preset::paper,
          .tolerance = 1e-4,
          .linear_solver = LinearSolver::ldl,
          .max_iterations = 10000};
}

template <class Formula>
void check_paper(double objective) {
  const Result result = solve<Formula>(paper());
  CHECK(result.status == Status::converged);
  CHECK(result.error.scaled <= 1e-4);
  CHECK(kkt_residual<Formula>(result) <= 1e-4);
  CHECK(std::abs(result.objective - objective) <= 1e-3);
}

TEST_CASE("the paper's algorithm solves problems of its list") {
  check_paper<Hs6>(0);
  check_paper<Hs7>(-std::sqrt(3));
  check_paper<Hs28>(0);
  check_paper<BoggsTolle6>(0.24150513);
}

TEST_CASE("its error is the Euclidean norm of (∇L, c), its first multipliers are 0") {
  Options options = paper();
  options.max_iterations = 0;
  const Result result = solve<Hs28>(options);
  CHECK(result.status == Status::iteration_limit);
  CHECK(result.lambda == std::vector<double>{0});
  // At (−4, 1, 1): ∇f = 2·(−3, −3 + 2, 2), c = −4 + 2 + 3 − 1.
  CHECK(result.error.scaled == doctest::Approx(std::sqrt(36.0 + 4 + 16)));
}

TEST_CASE("a nearly rank-deficient Jacobian ends it") {
  CHECK(solve<RankDeficient>(paper()).status == Status::singular);
  CHECK(solve<Overdetermined>(paper()).status == Status::singular);
}

TEST_CASE("the spectra of its conditions") {
  // J = [3 0 0; 0 2 0], H = diag(−5, 7, −1) with 4 at (2, 0): the null space is the third axis.
  SparseMatrix jacobian(2, 3, {{0, 1}, {0, 1}}, "jacobian");
  jacobian.assign(std::vector<double>{3, 2});
  SparseSymmetric hessian(3, {{0, 1, 2, 2}, {0, 1, 2, 0}}, "hessian");
  hessian.assign(std::vector<double>{-5, 7, -1, 4});
  CHECK(smallest_singular_value_squared(jacobian) == doctest::Approx(4));
  CHECK(smallest_reduced_eigenvalue(hessian, jacobian) == doctest::Approx(-1));
  CHECK(frobenius_norm(hessian) == doctest::Approx(std::sqrt(25.0 + 49 + 1 + 32)));
  CHECK(frobenius_norm(hessian, 1) == doctest::Approx(std::sqrt(16.0 + 64 + 0 + 32)));
}

}  // namespace
}  // namespace secondorder::test
