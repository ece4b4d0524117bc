// Iterations allocate nothing: all that they write to was planned and taken before the first one.
#include <doctest/doctest.h>

#include <optional>

#include "convex_relu/admm.hpp"
#include "counted_new.hpp"
#include "test_support.hpp"

using namespace secondorder;
using namespace secondorder::convex_relu;
using namespace secondorder::test;

namespace {

/// ADMM at its start, over random rows with a target each.
template <class Real>
class Running {
 public:
  Running(const GatedShape& shape, Loss loss, Route route, int threads) : algebra(threads) {
    Arena counting;
    lay_out(counting, shape, loss, route);
    arena_ = poisoned_arena<Real>(algebra, counting.bytes());
    lay_out(arena_, shape, loss, route);
    Random random(1);
    Bits bits(shape.rows, shape.gates, random);
    algebra.upload(std::span(bits.view().words, shape.rows * program_->gates.stride()),
                   program_->gates);
    algebra.copy(Matrix<Real>::normal(shape.rows, shape.features, random), program_->x);
    algebra.fill(program_->weights, 1);
    for (std::size_t k = 0; k < shape.rows; ++k) {
      for (std::size_t o = 0; o < shape.outputs; ++o) {
        program_->y.row(k)[o] = loss == Loss::softmax ? Real(o == k % shape.outputs)
                                                      : static_cast<Real>(random.label());
      }
    }
    admm->start(1);
    algebra.reserve_scratch(shape);
  }

  CpuAlgebra<Real> algebra;
  std::optional<Admm<Real>> admm;

 private:
  void lay_out(Arena& arena, const GatedShape& shape, Loss loss, Route route) {
    program_.emplace(shape, true, arena);
    program_->loss = loss;
    program_->beta = 0.1;
    program_->eigenvalues.assign(shape.features, 1);
    admm.emplace(algebra, arena, *program_, route, 1.7);
  }

  Arena arena_;
  std::optional<Program<Real>> program_;
};

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
          Running<Real> running(shape, loss, route, 2);
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
