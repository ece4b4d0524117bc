// Parameters in groups, losses over rows, transfers and memory of the algebra.
#include <doctest/doctest.h>

#include <tuple>

#include "base/error.hpp"
#include "base/run_control.hpp"
#include "checks/parameter_checks.hpp"
#include "product_checks.hpp"

using namespace secondorder;
using namespace secondorder::test;

namespace {

/// AddressSanitizer ends the process where malloc would return null.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool allocator_aborts = true;
#else
constexpr bool allocator_aborts = false;
#endif

}  // namespace

TEST_SUITE("algebra") {
  TEST_CASE_TEMPLATE("group threshold, norms and relaxation", Real, float, double) {
    for_every_kernel_table<Real>([](CpuAlgebra<Real>& algebra) { check_groups<Real>(algebra); });
  }

  TEST_CASE_TEMPLATE("a group within the threshold becomes exactly zero", Real, float, double) {
    CpuAlgebra<Real> algebra(1);
    check_exact_thresholds<Real>(algebra);
  }

  TEST_CASE_TEMPLATE("gates to columns and back", Real, float, double) {
    CpuAlgebra<Real> algebra(2);
    check_layouts<Real>(algebra);
  }

  TEST_CASE_TEMPLATE("loss sums and proximal points follow the loss of each row", Real, float,
                     double) {
    CpuAlgebra<Real> algebra(2);
    check_row_losses<Real>(algebra);
  }

  TEST_CASE_TEMPLATE("the same bits for 1, 2 and 3 threads", Real, float, double) {
    std::vector<std::vector<double>> results;
    for (const int threads : {1, 2, 3}) {
      CpuAlgebra<Real> algebra(threads);
      Random random(4);
      const auto p = Matrix<Real>::normal(6000, 20, random);
      const auto scale = Matrix<Real>::normal(1, 20, random);
      auto y = Matrix<Real>::normal(6000, 20, random);
      for (std::size_t k = 0; k < 6000; ++k) {
        for (std::size_t o = 0; o < 20; ++o) y(k, o) = y(k, o) > 0 ? 1 : -1;
      }
      Matrix<Real> v(6000, 20), b(6000, 20), z(6000, 20), a(6000, 20);
      algebra.group_threshold(p, 3, 4, p, 2, scale, v, b);
      std::vector<double> all(2000);
      algebra.group_norms(v, 3, all);
      algebra.loss_prox(Loss::logistic, p, y, {}, 2, z, a);
      all.push_back(algebra.loss_value(Loss::logistic, z, y, {}));
      all.push_back(algebra.dot(b, a));
      results.push_back(std::move(all));
    }
    CHECK(identical(results[0], results[1]));
    CHECK(identical(results[0], results[2]));
  }

  TEST_CASE("transfers keep every value, arenas every matrix apart") {
    CpuAlgebra<float> algebra(1);
    Arena plan;
    const auto lay_out = [](Arena& arena) {
      return std::tuple{arena.matrix<float>(3, 5), arena.gate_bits(3, 70),
                        arena.matrix<double>(0, 4), arena.matrix<double>(2, 2)};
    };
    lay_out(plan);
    CHECK(plan.counting());
    CHECK(plan.bytes() > 0);
    Arena arena(algebra.allocate(plan.bytes()), plan.bytes());
    auto [a, bits, empty, b] = lay_out(arena);
    CHECK(arena.bytes() == plan.bytes());
    CHECK_FALSE(arena.counting());
    CHECK(empty.size() == 0);
    for (const void* address :
         {static_cast<void*>(a.data), static_cast<void*>(bits.words), static_cast<void*>(b.data)}) {
      CHECK(reinterpret_cast<std::uintptr_t>(address) % 256 == 0);
    }
    std::vector<float> values;
    for (int i = 0; i < 15; ++i) values.push_back(static_cast<float>(i) / 7);
    const std::vector<std::uint64_t> words{1, 2, 3, 4, 5, 6};
    algebra.upload(values, a);
    algebra.upload(words, bits);
    b.row(1)[1] = 8;
    std::vector<float> back(15);
    algebra.download(a, back);
    CHECK(back == values);
    CHECK(std::equal(words.begin(), words.end(), bits.words));
    CHECK(bits.test(0, 0));
    CHECK(bits.test(0, 65));
    CHECK_FALSE(bits.test(0, 1));
    try {
      arena.matrix<double>(1, 1);
      FAIL("the arena grew");
    } catch (const Error& e) {
      CHECK(e.code == ErrorCode::internal);
    }
  }

  TEST_CASE("memory that no machine has is refused with a typed error" *
            doctest::skip(allocator_aborts)) {
    CpuAlgebra<double> algebra(1);
    try {
      algebra.allocate(std::size_t{1} << 62);
      FAIL("4 exbibytes were granted");
    } catch (const Error& e) {
      CHECK(e.code == ErrorCode::out_of_memory);
      CHECK(name(e.code) == "ERR_OUT_OF_MEMORY");
    }
  }

  TEST_CASE("operations of a cancelled run stop, and work again when no longer watched") {
    CpuAlgebra<double> algebra(2);
    RunControl control;
    algebra.watch(&control);
    Matrix<double> a(2000, 200);
    algebra.fill(a, 1);
    control.cancel();
    CHECK_THROWS_AS(algebra.fill(a, 2), Cancelled);
    algebra.watch(nullptr);
    algebra.fill(a, 3);
    CHECK(a(1999, 199) == 3);
  }
}
