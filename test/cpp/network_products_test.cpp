// Operations on activations of two-layer networks, and gradients of losses.
#include <doctest/doctest.h>

#include "checks/network_checks.hpp"
#include "product_checks.hpp"

using namespace secondorder;
using namespace secondorder::test;

TEST_SUITE("network products") {
  TEST_CASE_TEMPLATE("rectify and backpropagate, every kernel", Real, float, double) {
    for_every_kernel_table<Real>(
        [](CpuAlgebra<Real>& algebra) { check_backpropagation<Real>(algebra); });
  }

  TEST_CASE_TEMPLATE("rows scaled and normalized", Real, float, double) {
    CpuAlgebra<Real> algebra(2);
    check_row_scales<Real>(algebra);
  }

  TEST_CASE_TEMPLATE("gates that directions open, downloaded", Real, float, double) {
    CpuAlgebra<Real> algebra(2);
    check_open_gates<Real>(algebra);
  }

  TEST_CASE("gradients of losses are their slopes") {
    CpuAlgebra<double> algebra(1);
    check_loss_gradients(algebra);
  }
}
