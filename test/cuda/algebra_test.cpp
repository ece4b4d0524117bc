// The GPU's algebra against naive sums, by the checks that the CPU's has to pass.
#include <doctest/doctest.h>

#include "checks/cone_checks.hpp"
#include "checks/dense_checks.hpp"
#include "checks/gated_checks.hpp"
#include "checks/parameter_checks.hpp"
#include "device_under_test.hpp"

using namespace secondorder;
using namespace secondorder::test;

namespace {

template <class Real>
std::unique_ptr<Algebra<Real>> algebra_under_test() {
  if constexpr (std::is_same_v<Real, float>) {
    return backend_under_test().float_algebra(device_under_test, Products::float32, 2);
  } else {
    return backend_under_test().double_algebra(device_under_test, 2);
  }
}

}  // namespace

TEST_SUITE("CUDA algebra") {
  TEST_CASE_TEMPLATE("dense products and elements", Real, float, double) {
    const auto algebra = algebra_under_test<Real>();
    check_multiply<Real>(*algebra);
    check_symmetrize<Real>(*algebra);
    check_elements<Real>(*algebra);
  }

  TEST_CASE_TEMPLATE("Cholesky factors, solves and refusals", Real, float, double) {
    const auto algebra = algebra_under_test<Real>();
    check_cholesky<Real>(*algebra, {0, 1, 2, 31, 257});
    if (!emulated()) check_cholesky<Real>(*algebra, {1023, 1025, 2050});
    check_indefinite<Real>(*algebra, {1, 2, 40, 300});
  }

  TEST_CASE_TEMPLATE("products with gated features", Real, float, double) {
    const auto algebra = algebra_under_test<Real>();
    check_gated_products<Real>(*algebra, gated_cases);
    check_no_gates<Real>(*algebra);
    check_gate_kernel<Real>(*algebra);
  }

  TEST_CASE_TEMPLATE("products with cones", Real, float, double) {
    const auto algebra = algebra_under_test<Real>();
    check_cone_products<Real>(*algebra, cone_cases);
    check_cone_adjoint_identity<Real>(*algebra);
  }

  TEST_CASE_TEMPLATE("parameters in groups, and losses", Real, float, double) {
    const auto algebra = algebra_under_test<Real>();
    check_groups<Real>(*algebra);
    check_exact_thresholds<Real>(*algebra);
    check_layouts<Real>(*algebra);
    check_row_losses<Real>(*algebra);
  }
}
