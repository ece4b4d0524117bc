// Limited-memory BFGS (Nocedal and Wright, Numerical Optimization, algorithms 7.4 and 7.5), with
// the line search for the weak Wolfe conditions of Lewis and Overton (Nonsmooth optimization via
// quasi-Newton methods, 2013, algorithm 2.6), which asks for no smoothness: the objective of a ReLU
// network has kinks whatever its loss.
#pragma once

#include <cstddef>
#include <vector>

#include "algebra/algebra.hpp"
#include "base/function_ref.hpp"

namespace secondorder::convex_relu {

template <class Real>
class Lbfgs {
 public:
  /// f(x), and a (sub)gradient.
  using Objective = FunctionRef<double(ConstView<Real> x, View<Real> gradient)>;

  static constexpr std::size_t memory = 20;

  struct Outcome {
    double value = 0;
    std::size_t iterations = 0, evaluations = 0;
  };

  /// For matrices of unknowns of at most `rows` rows. Lays out its memory in the arena, which may
  /// only count.
  Lbfgs(Algebra<Real>& algebra, Arena& arena, std::size_t rows, std::size_t cols);

  /// The unknowns, `rows` of them: where to start, and at any time, also after an exception, the
  /// best found.
  View<Real> point(std::size_t rows) const { return x_.block(0, rows); }

  /// At most `iterations` steps from point(rows); fewer where ten of them no longer lower f by
  /// 1e-7 of itself, or rounding ends the descent. f never rises.
  Outcome minimize(std::size_t rows, std::size_t iterations, Objective objective);

 private:
  struct Pair {
    View<Real> s, y;
    double curvature = 0;  ///< sᵀy
  };

  void two_loop_recursion(std::size_t rows);
  bool line_search(std::size_t rows, double first_step, Objective objective, Outcome& outcome);
  void update_memory(std::size_t rows);
  View<Real> part(View<Real> all, std::size_t rows) const { return all.block(0, rows); }

  Algebra<Real>& algebra_;
  View<Real> x_, gradient_, trial_, trial_gradient_, direction_;
  std::vector<Pair> pairs_;            ///< a ring
  std::size_t newest_ = 0, used_ = 0;  ///< place of the next pair, and how many there are
};

}  // namespace secondorder::convex_relu
