// What only shows with settings that a user can't reach: many tiles, many blocks of a factor; and
// what only an emulated device can tell: what it holds, when it is waited for.
#include <doctest/doctest.h>

#include "algebra/cuda_algebra.hpp"
#include "algebra/tiles.hpp"
#include "checks/cone_checks.hpp"
#include "checks/dense_checks.hpp"
#include "checks/gated_checks.hpp"
#include "checks/parameter_checks.hpp"
#include "device_under_test.hpp"
#include "library.hpp"

using namespace secondorder;
using namespace secondorder::cuda;
using namespace secondorder::test;

namespace {

CudaSettings emulated_settings() {
  static_cast<void>(backend_under_test());  // sets the services that failures go through
  CudaSettings settings;
  settings.cublas = &cublas();
  settings.cusolver = &cusolver();
  return settings;
}

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
    check_cholesky<Real>(*algebra, {1, 23, 24, 25, 48, 130});
    check_indefinite<Real>(*algebra, {1, 25, 48, 70});
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
}
