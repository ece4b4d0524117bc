// A dense symmetric indefinite matrix as L·D·Lᵀ, by Bunch and Kaufman's pivoting (LAPACK dsytrf).
#pragma once

#include <span>
#include <vector>

#include "newton/kkt_system.hpp"
#include "newton/vectors.hpp"

namespace secondorder::newton {

class SymmetricFactor {
 public:
  /// A matrix of zeros to be filled in: by columns, the lower triangle is read.
  std::span<double> start(std::size_t order);
  void factor();
  /// Of D, by Sylvester's law.
  Inertia inertia() const;
  /// x ← A⁻¹x
  void solve(std::span<double> x) const;

 private:
  std::size_t order_ = 0;
  Vector matrix_, work_;
  std::vector<int> pivots_;
};

}  // namespace secondorder::newton
