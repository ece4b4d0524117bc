// The sampled convex program with the hinge loss over a working set of columns, a linear program:
// with B = diag(y)·A,
//
//   min  β Σ(p + m) + wᵀs                       max  1ᵀt
//   s.t. B(p − m) + s − r = 1,  p, m, s, r ≥ 0;   s.t. |Bᵀt| ≤ β,  0 ≤ t ≤ w.
//
// Coordinate descent would stall at the kinks of the hinge, so it is solved by a primal-dual
// interior point method with predictor and corrector (Mehrotra, SIAM J. Optim. 2, 1992). Its Newton
// steps are reduced to systems of the order of the working set (scp_hinge_system.hpp).
#pragma once

#include <span>
#include <vector>

#include "base/run_control.hpp"
#include "convex_relu/scp_hinge_system.hpp"

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
    std::vector<double> residual;   ///< of the primal equation
    std::vector<double> bt;         ///< Bᵀt
    std::vector<double> x, h, bdt;  ///< p − m or its step; right-hand side; Bᵀdt
    Point(std::size_t columns, std::size_t rows)
        : p(columns),
          m(columns),
          s(rows),
          r(rows),
          t(rows),
          dt(rows),
          residual(rows),
          bt(columns),
          x(columns),
          h(rows),
          bdt(columns) {}
  };

  void start(Point& point);
  void evaluate(Point& point);
  double gap(const Point& point) const;
  void factor(const Point& point);
  void newton(Point& point, double target, bool corrector);
  std::vector<double> weights(const Point& point, double allowed) const;

  std::span<const double> y_;
  std::vector<double> w_;
  double beta_;
  ScpHingeSystem<Real> system_;
  std::vector<double> d_inverse_, e_inverse_;
  std::vector<double> slopes_;  ///< Σ wₖaⱼₖ of the working set
};

}  // namespace secondorder::convex_relu
