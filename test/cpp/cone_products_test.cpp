// The CPU's products with the cone matrices Eᵢ·X, for every table of kernels.
#include <doctest/doctest.h>

#include "checks/cone_checks.hpp"

using namespace secondorder;
using namespace secondorder::test;

TEST_SUITE("cone products") {
  TEST_CASE_TEMPLATE("against naive sums, every kernel table", Real, float, double) {
    for_every_kernel_table<Real>(
        [](CpuAlgebra<Real>& algebra) { check_cone_products<Real>(algebra, cone_cases); });
  }

  TEST_CASE_TEMPLATE("the same bits for 1, 2 and 3 threads", Real, float, double) {
    for (const GatedShape s :
         {GatedShape{3000, 5, 65, 1, 2}, {900, 7, 200, 3, 2}, {2000, 3, 70, 2, 1}}) {
      check_threads_agree<Real>([&](CpuAlgebra<Real>& algebra) {
        Random random(2);
        ConeInstance<Real> in(s, random);
        const ConeOutcome<Real> out(algebra, in);
        const auto widened = [](const std::vector<Real>& values) {
          return std::vector<double>(values.begin(), values.end());
        };
        return std::vector{widened(out.magnitude), widened(out.multiplier), widened(out.relaxed),
                           widened(out.rescaled),  widened(out.network),    out.sums};
      });
    }
  }

  TEST_CASE_TEMPLATE("adjoint identity of the cones", Real, float, double) {
    CpuAlgebra<Real> algebra(2);
    check_cone_adjoint_identity<Real>(algebra);
  }
}
