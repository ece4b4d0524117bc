// The sampled convex program with the hinge loss over a working set of columns, a linear program:
// with B = diag(y)·A,
//
//   min  β Σ(p + m) + wᵀs                       max  1ᵀt
//   s.t. B(p − m) + s − r = 1,  p, m, s, r ≥ 0;   s.t. |Bᵀt| ≤ β,  0 ≤ t ≤ w.
//
// Coordinate descent would stall at the kinks of the hinge, so it is solved by a primal-dual
// interior point method with predictor and corrector (Mehrotra, SIAM J. Optim. 2, 1992). Its Newton
// steps are reduced to a system of the order of the working set, D⁻¹ + BᵀE⁻¹B with diagonal D and
// E.
#pragma once

#include <span>
#include <vector>

#include "base/run_control.hpp"
#include "convex_relu/scp_columns.hpp"
#include "convex_relu/scp_gram.hpp"

namespace secondorder::convex_relu {

template <class Real>
class ScpHinge {
 public:
  /// y is ±1; `weights` may be empty for all 1.
  ScpHinge(const ScpColumns<Real>& columns, std::span<const double> y,
           std::span<const double> weights, double beta, HostAlgebra& host);

  /// Solves to a relative gap of `tolerance`, or as far as the control lets it: x = p − m of the
  /// working set with its small entries at 0, and ν = −y∘t of all samples, which satisfies the
  /// constraints of the working set. Returns the iterations.
  std::size_t solve(std::span<const std::size_t> working, double tolerance,
                    const RunControl& control, std::vector<double>& x, std::span<double> nu);

 private:
  /// A variable ≥ 0 with its dual, and their Newton steps.
  struct Pair {
    std::vector<double> v, z, dv, dz;
    explicit Pair(std::size_t count) : v(count), z(count), dv(count), dz(count) {}
  };
  struct Point {
    Pair p, m, s, r;
    std::vector<double> t, dt;
    std::vector<double> residual;  ///< of the primal equation
    std::vector<double> bt;        ///< Bᵀt
    Point(std::size_t columns, std::size_t rows)
        : p(columns),
          m(columns),
          s(rows),
          r(rows),
          t(rows),
          dt(rows),
          residual(rows),
          bt(columns) {}
  };

  void start(Point& point);
  void evaluate(Point& point);
  double gap(const Point& point) const;
  void factor(const Point& point);
  std::vector<double> solve_reduced(const std::vector<double>& h, std::vector<double>& dt);
  void newton(Point& point, double target, bool corrector);
  std::vector<double> weights(const Point& point, double allowed) const;
  std::vector<double> times(std::span<const double> x) const;             ///< B·x
  std::vector<double> transposed_times(std::span<const double> t) const;  ///< Bᵀ·t

  const ScpColumns<Real>& columns_;
  std::span<const double> y_;
  std::vector<double> w_;
  double beta_;
  HostAlgebra& host_;
  std::vector<std::size_t> working_;
  ScpGram<Real> gram_;
  std::vector<double> factor_, scale_;  ///< of the system made to have a unit diagonal
  std::vector<double> d_inverse_, e_inverse_;
  std::vector<double> slopes_;  ///< Σ wₖaⱼₖ of the working set
};

}  // namespace secondorder::convex_relu
