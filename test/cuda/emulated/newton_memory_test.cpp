// What KKT systems on a GPU hold of it, and what becomes of both where there is not enough.
#include <doctest/doctest.h>

#include "base/error.hpp"
#include "device.hpp"
#include "device_under_test.hpp"
#include "memory_limit.hpp"
#include "newton/linear/spectral_deflation.hpp"
#include "newton_kkt_instances.hpp"

using namespace secondorder;
using namespace secondorder::test;

TEST_SUITE("CUDA newton") {
  TEST_CASE("wherever memory runs out, dense systems are refused and the device as it was") {
    Random random(1);
    const auto instance = dense_instance(150, 30, random);
    const auto plan = newton::SpectralDeflation::plan(20);
    const auto before = emulation::held();
    const auto factors = [&] {
      backend_under_test().dense_factors(device_under_test, instance->system);
    };
    const auto products = [&] {
      backend_under_test().dense_products(device_under_test, instance->system, plan);
    };
    for (const FunctionRef<void()> make :
         {FunctionRef<void()>(factors), FunctionRef<void()>(products)}) {
      int refused = 0;
      for (std::size_t limit = 512;; limit += 40'000) {
        const MemoryLimit limited(before.bytes + limit);
        if (!out_of_memory(make)) break;
        ++refused;
        CHECK(emulation::held() == before);
      }
      CHECK(refused > 10);
      CHECK(emulation::held() == before);
    }
  }

  TEST_CASE("systems after the first allocate nothing") {
    Random random(2);
    const auto instance = dense_instance(60, 20, random);
    const std::vector<double> b = normals(80, random);
    const auto before = emulation::held();
    {
      const auto factors = backend_under_test().dense_factors(device_under_test, instance->system);
      const auto products = backend_under_test().dense_products(
          device_under_test, instance->system, newton::SpectralDeflation::plan(10));
      const auto made = emulation::held();
      CHECK(made.bytes - before.bytes >= (4 * 80 * 80 + 80 * 80 / 2) * sizeof(double));
      std::vector<double> x = b, out(80);
      factors->factor(instance->system);
      factors->solve(x);
      factors->multiply(x, out);
      products->assemble(instance->system);
      products->multiply(x, out);
      CHECK(error(out, b) <= 1e-9);
      CHECK(emulation::held() == made);
    }
    CHECK(emulation::held() == before);
  }
}
