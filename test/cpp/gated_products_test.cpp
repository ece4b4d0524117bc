// The CPU's products with gated features, for every table of kernels.
#include <doctest/doctest.h>

#include "checks/gated_checks.hpp"

using namespace secondorder;
using namespace secondorder::test;

TEST_SUITE("gated products") {
  TEST_CASE_TEMPLATE("forward, adjoint and Gram matrix, every kernel table", Real, float, double) {
    for_every_kernel_table<Real>(
        [](CpuAlgebra<Real>& algebra) { check_gated_products<Real>(algebra, gated_cases); });
  }

  TEST_CASE_TEMPLATE("no gates: the sum is zero", Real, float, double) {
    CpuAlgebra<Real> algebra(2);
    check_no_gates<Real>(algebra);
  }

  TEST_CASE_TEMPLATE("gate kernel", Real, float, double) {
    for_every_kernel_table<Real>(
        [](CpuAlgebra<Real>& algebra) { check_gate_kernel<Real>(algebra); });
  }

  TEST_CASE_TEMPLATE("the same bits for 1, 2 and 3 threads", Real, float, double) {
    for (const GatedShape s : {GatedShape{5000, 11, 65, 1}, {3000, 20, 40, 3}, {700, 70, 200, 2}}) {
      check_threads_agree<Real>([&](CpuAlgebra<Real>& algebra) {
        Random random(4);
        GatedInstance<Real> instance(s, random);
        const std::size_t unknowns = std::min<std::size_t>(s.gates, 8) * s.features;
        Matrix<Real> out(s.rows, s.outputs), g(s.gates * s.outputs, s.features),
            gram(unknowns, unknowns), m = Matrix<Real>::normal(500, 500, random);
        algebra.gated_forward(instance.x, instance.gates, instance.u, out);
        algebra.gated_adjoint(instance.x, instance.gates, instance.r, g);
        Bits few(s.rows, std::min<std::size_t>(s.gates, 8), random);
        algebra.gated_gram(instance.x, few, gram);
        algebra.gate_kernel(instance.gates.view().block(0, 500), 2, 1, m);
        return std::vector{out.flat(), g.flat(), lower_triangle(gram), lower_triangle(m)};
      });
    }
  }
}
