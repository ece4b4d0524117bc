// The GPU's algebra against naive sums, by the checks that the CPU's has to pass.
#include <doctest/doctest.h>

#include "algebra_under_test.hpp"
#include "base/error.hpp"
#include "base/run_control.hpp"
#include "base/thread_pool.hpp"
#include "checks/cone_checks.hpp"
#include "checks/dense_checks.hpp"
#include "checks/gated_checks.hpp"
#include "checks/network_checks.hpp"
#include "checks/parameter_checks.hpp"

using namespace secondorder;
using namespace secondorder::test;

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
    check_ill_conditioned<Real>(*algebra, emulated() ? 130 : 1500);
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

  TEST_CASE_TEMPLATE("activations of networks", Real, float, double) {
    const auto algebra = algebra_under_test<Real>();
    check_backpropagation<Real>(*algebra);
    check_row_scales<Real>(*algebra);
    check_open_gates<Real>(*algebra);
  }

  TEST_CASE("gradients of losses") {
    const auto algebra = algebra_under_test<double>();
    check_loss_gradients(*algebra);
  }

  TEST_CASE_TEMPLATE("transfers of any size and stride keep every value", Real, float, double) {
    const auto algebra = algebra_under_test<Real>();
    Random random(6);
    struct Case {
      std::size_t rows, cols, padding;
    };
    for (const Case c : {Case{0, 4, 1},
                         {1, 1, 0},
                         {7, 3, 2},
                         {1500, 1000, 0},
                         {1500, 1000, 3},
                         {2, 1'300'000, 1}}) {
      CAPTURE(c.rows);
      CAPTURE(c.cols);
      CAPTURE(c.padding);
      Matrix<Real> values(c.rows, c.cols);
      for (std::size_t i = 0; i < c.rows; ++i) {
        for (std::size_t j = 0; j < c.cols; ++j) values(i, j) = static_cast<Real>(random.uniform());
      }
      const Placed<Real> placed(*algebra, c.rows, c.cols, c.padding);
      std::vector<Real> host = values.flat();
      host.resize(host.size() + 5);  // what is left over is not for this matrix
      algebra->upload(host, placed);
      CHECK(placed.back().padding_untouched());
      CHECK(identical(placed.flat(), values.flat()));
      std::vector<Real> packed(c.rows * c.cols);
      algebra->download(placed, packed);
      CHECK(identical(packed, values.flat()));
    }
  }

  TEST_CASE_TEMPLATE("the same bits each time", Real, float, double) {
    Random random(7);
    ConeInstance<Real> in({700, 5, 130, 3, 2}, random);
    const auto p = Matrix<Real>::normal(3000, 20, random);
    const auto run = [&] {
      const auto algebra = algebra_under_test<Real>();
      const ConeOutcome<Real> cone(*algebra, in);
      const Placed<Real> a(*algebra, p);
      std::vector<double> numbers(1000);
      algebra->group_norms(a, 3, numbers);
      numbers.push_back(algebra->dot(a, a));
      numbers.push_back(algebra->loss_value(Loss::squared, a, a, {}));
      numbers.insert(numbers.end(), cone.sums.begin(), cone.sums.end());
      for (const auto* values : {&cone.magnitude, &cone.relaxed, &cone.network}) {
        numbers.insert(numbers.end(), values->begin(), values->end());
      }
      return numbers;
    };
    CHECK(identical(run(), run()));
  }

  TEST_CASE("a cancelled run stops, and the algebra works again when no longer watched") {
    const auto algebra = algebra_under_test<double>();
    const Placed<double> a(*algebra, 30, 20);
    RunControl control;
    algebra->watch(&control);
    algebra->fill(a, 1);
    control.cancel();
    CHECK_THROWS_AS(algebra->fill(a, 2), Cancelled);
    CHECK_THROWS_AS(algebra->checkpoint(), Cancelled);
    algebra->watch(nullptr);
    CHECK(a.flat() == std::vector<double>(600, 1));

    RunControl late;
    late.time_limit = 0;
    algebra->watch(&late);
    algebra->fill(a, 3);
    algebra->watch(&late, StopOn::time_limit);
    CHECK_THROWS_AS(algebra->fill(a, 4), Cancelled);
    algebra->watch(nullptr);
    CHECK(a.flat() == std::vector<double>(600, 3));
  }

  TEST_CASE("memory that no device has is refused, and the algebra goes on") {
    const auto algebra = algebra_under_test<float>();
    try {
      algebra->allocate(std::size_t{1} << 50);
      FAIL("a pebibyte was granted");
    } catch (const Error& e) {
      CHECK(e.code == ErrorCode::out_of_memory);
      CHECK(std::string(e.what()).find(std::to_string(std::size_t{1} << 50)) != std::string::npos);
    }
    const Placed<float> a(*algebra, 3, 3);
    algebra->fill(a, 2);
    CHECK(algebra->dot(a, a) == 36);
  }
}
