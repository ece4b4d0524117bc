// Iterations allocate nothing: all that they write to was planned and taken before the first one.
#include <doctest/doctest.h>

#include "counted_new.hpp"
#include "running_admm.hpp"

using namespace secondorder;
using namespace secondorder::convex_relu;
using namespace secondorder::test;

namespace {

/// Small ones stay on one thread, large ones wake the team.
const std::vector<GatedShape> shapes = {
    {30, 3, 5, 2, 2}, {30, 3, 5, 1, 1}, {2500, 6, 70, 3, 2}, {2500, 6, 70, 3, 1}};

}  // namespace

TEST_SUITE("allocation") {
  TEST_CASE("operator new is counted") {
    const std::size_t before = allocations();
    const auto one = std::make_unique<std::vector<double>>(1000);
    CHECK(allocations() == before + 2);
    CHECK(one->size() == 1000);
  }

  TEST_CASE_TEMPLATE("iterations allocate nothing, the first one included", Real, float, double) {
    for (const GatedShape& shape : shapes) {
      for (const Route route : {Route::woodbury, Route::gram, Route::conjugate_gradient}) {
        for (const Loss loss : {Loss::squared, Loss::logistic, Loss::hinge, Loss::softmax}) {
          CAPTURE(shape.rows);
          CAPTURE(shape.sets);
          CAPTURE(static_cast<int>(route));
          CAPTURE(static_cast<int>(loss));
          AdmmCase problem(shape, loss, route, 1);
          CpuAlgebra<Real> algebra(2);
          RunningAdmm<Real> running(algebra, problem);
          const std::size_t before = allocations();
          for (int k = 0; k < 3; ++k) running.admm->iterate();
          CHECK(allocations() == before);
        }
      }
    }
  }

  TEST_CASE("what was not reserved is taken on first use, and kept") {
    Random random(2);
    CpuAlgebra<double> algebra(2);
    const auto x = Matrix<double>::normal(3000, 8, random);
    Bits gates(3000, 65, random);
    const auto u = Matrix<double>::normal(65, 8, random);
    Matrix<double> out(3000, 1), again(3000, 1);
    const std::size_t before = allocations();
    algebra.gated_forward(x, gates, u, out);
    const std::size_t after = allocations();
    CHECK(after > before);
    // One thread may have done all of it: the other's part is taken when its turn comes.
    algebra.reserve_scratch({3000, 8, 65, 1, 1});
    const std::size_t reserved = allocations();
    algebra.gated_forward(x, gates, u, again);
    CHECK(allocations() == reserved);
    CHECK(identical(out.flat(), again.flat()));
  }
}
