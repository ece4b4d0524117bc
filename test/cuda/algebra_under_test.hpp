// The algebra of the backend under test, for either precision.
#pragma once

#include <memory>
#include <type_traits>

#include "algebra/algebra.hpp"
#include "device_under_test.hpp"

namespace secondorder::test {

template <class Real>
std::unique_ptr<Algebra<Real>> algebra_under_test(int device = device_under_test) {
  if constexpr (std::is_same_v<Real, float>) {
    return backend_under_test().float_algebra(device, Products::float32, 2);
  } else {
    return backend_under_test().double_algebra(device, 2);
  }
}

}  // namespace secondorder::test
