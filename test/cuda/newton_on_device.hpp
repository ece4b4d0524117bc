// Random KKT systems, and their dense forms on the device under test.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <span>

#include "device_under_test.hpp"
#include "newton/linear/dense_kkt_form.hpp"
#include "newton_kkt_instances.hpp"

namespace secondorder::test {

struct KktShape {
  std::size_t variables, constraints;
};
inline constexpr KktShape kkt_shapes[] = {{0, 0}, {1, 0},  {1, 1},   {2, 1},
                                          {7, 3}, {33, 0}, {64, 20}, {129, 41}};

inline std::unique_ptr<newton::DenseFactors> factors_for(const KktInstance& instance) {
  return backend_under_test().dense_factors(device_under_test, instance.system);
}
inline std::unique_ptr<newton::DenseProducts> products_for(const KktInstance& instance,
                                                           const newton::RowBlockPlan& plan = {}) {
  return backend_under_test().dense_products(device_under_test, instance.system, plan);
}

/// An indefinite H with about this share of its entries and a J with half as many.
inline std::unique_ptr<KktInstance> random_instance(KktShape shape, double share, Random& random) {
  return std::make_unique<KktInstance>(
      shape.variables, shape.constraints,
      [&](std::size_t i, std::size_t j) {
        return i == j || random.uniform() < share ? random.normal() : 0.0;
      },
      [&](std::size_t i, std::size_t j) {
        return i == j || random.uniform() < share / 2 ? random.normal() : 0.0;
      });
}

inline double largest_difference(std::span<const double> a, std::span<const double> b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

}  // namespace secondorder::test
