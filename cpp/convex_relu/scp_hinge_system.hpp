// The linear systems of the interior point method for the hinge (scp_hinge.hpp): with B = diag(y)·A
// over a working set of columns, and diagonal D and E,
//
//   (B·D·Bᵀ + E)·dt = h,   by   (D⁻¹ + BᵀE⁻¹B)·u = BᵀE⁻¹h,  dt = E⁻¹(h − B·u),
//
// whose order is that of the working set.
#pragma once

#include <span>
#include <vector>

#include "convex_relu/scp_columns.hpp"
#include "convex_relu/scp_gram.hpp"

namespace secondorder::convex_relu {

template <class Real>
class ScpHingeSystem {
 public:
  ScpHingeSystem(const ScpColumns<Real>& columns, std::span<const double> y, HostAlgebra& host);

  void choose(std::span<const std::size_t> working);
  std::size_t columns() const { return working_.size(); }
  std::size_t rows() const { return y_.size(); }

  /// product = B·x
  void times(std::span<const double> x, std::span<double> product) const;
  /// product = Bᵀ·t
  void transposed_times(std::span<const double> t, std::span<double> product);

  /// Takes D and E by their inverses, which stay where they are until the last solve().
  /// Throws ERR_NUMERICAL where the matrix leaves the range of double.
  void factor(std::span<const double> d_inverse, std::span<const double> e_inverse);
  /// dt, and Bᵀdt.
  void solve(std::span<const double> h, std::span<double> dt, std::span<double> bdt);

 private:
  const ScpColumns<Real>& columns_;
  std::span<const double> y_;
  HostAlgebra& host_;
  std::vector<std::size_t> working_;
  ScpGram<Real> gram_;
  std::vector<double> factor_, scale_;  ///< of the matrix made to have a unit diagonal
  std::span<const double> d_inverse_, e_inverse_;
  std::vector<double> signed_, all_;                ///< y∘t, and Aᵀ(y∘t) of all columns
  std::vector<double> u_, residual_, scaled_, bu_;  ///< of a solution
};

}  // namespace secondorder::convex_relu
