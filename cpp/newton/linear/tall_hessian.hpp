// A Hessian made of tall data: H = RᵀR + shift·I, with a row of R for every sample.
#pragma once

#include <cstddef>
#include <cstdint>

#include "algebra/philox.hpp"
#include "algebra/view.hpp"

namespace secondorder::newton {

class TallHessian {
 public:
  TallHessian() = default;
  TallHessian(const TallHessian&) = delete;
  TallHessian& operator=(const TallHessian&) = delete;
  virtual ~TallHessian() = default;

  /// out = S·R for a CountSketch S: each row of R, with a random sign, joins one of out.rows sums.
  /// R and the shift are those of the point that the last product with the Hessian was at.
  virtual void count_sketch(const Philox& random, View<double> out) = 0;
  virtual double shift() const = 0;
  /// Products done so far: a system whose products don't add to them has another Hessian.
  virtual std::uint64_t products() const = 0;
};

}  // namespace secondorder::newton
