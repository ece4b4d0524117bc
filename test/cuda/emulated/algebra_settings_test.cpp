// What only shows with settings that a user can't reach: many tiles, many blocks of a factor; and
// what only an emulated device can tell: what it holds, when it is waited for.
#include <doctest/doctest.h>

#include "algebra/tiles.hpp"
#include "base/error.hpp"
#include "checks/cone_checks.hpp"
#include "checks/dense_checks.hpp"
#include "checks/gated_checks.hpp"
#include "checks/parameter_checks.hpp"
#include "device.hpp"
#include "emulated_settings.hpp"
#include "running_admm.hpp"

using namespace secondorder;
using namespace secondorder::cuda;
using namespace secondorder::test;

namespace {

template <class Real>
std::unique_ptr<Algebra<Real>> small_tiles() {
  CudaSettings settings = emulated_settings();
  settings.tile_bytes = std::size_t{40} << 10;
  settings.factor_block = 24;
  return make_cuda_algebra<Real>(settings);
}

}  // namespace

TEST_SUITE("CUDA algebra, emulated") {
  TEST_CASE_TEMPLATE("products in many tiles", Real, float, double) {
    const auto algebra = small_tiles<Real>();
    check_gated_products<Real>(*algebra, gated_cases);
    check_cone_products<Real>(*algebra, cone_cases);
  }

  TEST_CASE_TEMPLATE("factors of many blocks", Real, float, double) {
    const auto algebra = small_tiles<Real>();
    check_cholesky<Real>(*algebra, {1, 23, 24, 25, 48, 73, 121, 130});
    check_ill_conditioned<Real>(*algebra, 130);
    check_indefinite<Real>(*algebra, {1, 25, 48, 70});
  }

  TEST_CASE("TF32 is for the products of an iteration alone") {
    CudaSettings settings = emulated_settings();
    settings.products = Products::tf32;
    const auto tf32 = make_cuda_algebra<float>(settings);
    const auto exact = make_cuda_algebra<float>(emulated_settings());
    Random random(4);
    ConeInstance<float> in({90, 40, 70, 2, 2}, random);
    const ConeOutcome<float> rough(*tf32, in), fine(*exact, in);
    const auto distance = [](const std::vector<float>& a, const std::vector<float>& b) {
      return error(a, std::vector<Wide>(b.begin(), b.end()));
    };
    for (const double apart :
         {distance(rough.magnitude, fine.magnitude), distance(rough.relaxed, fine.relaxed)}) {
      CHECK(apart > 10 * rounding<float>);
      CHECK(apart < 2e-3);
    }
    CHECK(identical(rough.network, fine.network));  // bounds are to be believed
    CHECK(identical(rough.sums, fine.sums));
    check_multiply<float>(*tf32);
    check_cholesky<float>(*tf32, {70});

    AdmmCase problem({37, 3, 6, 1, 2}, Loss::squared, convex_relu::Route::woodbury, 2);
    RunningAdmm<float> run(*tf32, problem);
    for (int k = 0; k < 300; ++k) run.admm->iterate();
    const convex_relu::Bounds bounds = run.bounds();
    CHECK(bounds.objective - bounds.dual < 2e-2 * bounds.objective);
  }

  TEST_CASE("tiles cover everything once and stay within their memory") {
    Random random(1);
    for (int trial = 0; trial < 2000; ++trial) {
      const std::size_t rows = random.below(3000), columns = random.below(3000);
      const std::size_t unit = 1 + random.below(100), elements = 1 + random.below(400000);
      CAPTURE(rows);
      CAPTURE(columns);
      CAPTURE(unit);
      CAPTURE(elements);
      const Tiles tiles(rows, columns, unit, elements);
      std::size_t covered = 0;
      for (std::size_t i = 0; i < tiles.down(); ++i) {
        for (std::size_t j = 0; j < tiles.across(); ++j) {
          const Tile tile = tiles.at(i, j);
          REQUIRE(tile.rows > 0);
          REQUIRE(tile.columns > 0);
          REQUIRE(tile.columns <= tile.stride);
          REQUIRE(tile.first_column % unit == 0);
          REQUIRE(tile.rows * tile.stride <= tiles.elements());
          REQUIRE(tile.first_row + tile.rows <= rows);
          REQUIRE(tile.first_column + tile.columns <= columns);
          covered += tile.rows * tile.columns;
        }
      }
      CHECK(covered == rows * columns);
      CHECK((tiles.elements() <= elements || tiles.at(0, 0).rows == 1));
    }
  }

  TEST_CASE("iterations allocate nothing, wait for nothing, and keep within what was planned") {
    using convex_relu::Route;
    for (const Route route : {Route::woodbury, Route::gram}) {
      for (const Loss loss : {Loss::squared, Loss::softmax}) {
        for (const std::size_t sets : {1U, 2U}) {
          CAPTURE(static_cast<int>(route));
          CAPTURE(static_cast<int>(loss));
          CAPTURE(sets);
          AdmmCase problem({60, 4, 9, 3, sets}, loss, route, 1);
          const emulation::Held before = emulation::held();
          {
            const auto algebra = make_cuda_algebra<float>(emulated_settings());
            const std::size_t own = emulation::held().bytes;
            RunningAdmm<float> run(*algebra, problem);
            for (int k = 0; k < 2; ++k) run.admm->iterate();  // the second is recorded
            const emulation::Held held = emulation::held();
            CHECK(held.bytes <= own + run.planned_bytes + algebra->scratch_bytes(problem.shape) +
                                    algebra->gram_scratch_bytes(problem.shape) + 2 * 512);
            const std::uint64_t waits = emulation::synchronizations();
            for (int k = 0; k < 5; ++k) run.admm->iterate();
            CHECK(emulation::synchronizations() == waits);
            run.bounds();
            CHECK(emulation::held() == held);
          }
          CHECK(emulation::held() == before);
        }
      }
    }
  }

  TEST_CASE("out of memory anywhere leaves everything usable and nothing held") {
    AdmmCase problem({60, 4, 9, 2, 2}, Loss::logistic, convex_relu::Route::woodbury, 2);
    const emulation::Held before = emulation::held();
    int refused = 0, done = 0;
    for (std::size_t room = 0; done == 0; room = room * 5 / 4 + 512) {
      emulation::set_memory_limit(before.bytes + room);
      try {
        const auto algebra = make_cuda_algebra<double>(emulated_settings());
        RunningAdmm<double> run(*algebra, problem);
        run.admm->iterate();
        ++done;
        CHECK(std::isfinite(run.bounds().objective));
      } catch (const Error& e) {
        CHECK(e.code == ErrorCode::out_of_memory);
        ++refused;
      }
      CHECK(emulation::held() == before);
    }
    emulation::set_memory_limit(std::size_t{1} << 30);
    CHECK(refused > 3);

    // Scratch that can't grow fails the operation alone.
    const auto algebra = make_cuda_algebra<float>(emulated_settings());
    Random random(3);
    GatedInstance<float> in({500, 4, 70, 2}, random);
    const Placed<float> x(*algebra, in.x), u(*algebra, in.u), out(*algebra, 500, 2);
    const PlacedBits<float> gates(*algebra, in.gates);
    emulation::set_memory_limit(emulation::held().bytes + 1024);
    CHECK_THROWS_AS(algebra->gated_forward(x, gates, u, out), Error);
    emulation::set_memory_limit(std::size_t{1} << 30);
    algebra->gated_forward(x, gates, u, out);
    check_close(out, in.forward(), rounding<float>);
  }
}
