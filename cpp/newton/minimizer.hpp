// Newton's method on the KKT conditions with corrected inertia, a filter line search, and
// restoration of feasibility where that fails.
#pragma once

#include <memory>
#include <optional>

#include "newton/filter_search.hpp"
#include "newton/hessian.hpp"
#include "newton/merit.hpp"
#include "newton/restoration.hpp"
#include "newton/run.hpp"

namespace secondorder::newton {

class Minimizer {
 public:
  Minimizer(Run& run, State start, JacobianLeastSquares& least_squares,
            std::unique_ptr<KktSolver> own_solver);
  End minimize();

 private:
  /// Multipliers that have grown so large are compared with the least-squares ones, and replaced
  /// where these make ∇L so much smaller.
  static constexpr double large_multiplier = 1e3, much_better = 0.1;
  /// So many steps in a row from points where ‖c‖ is stationary, away from the constraints: the
  /// objective falls, but nothing leads to them.
  static constexpr int most_stuck_steps = 5;

  std::optional<End> check();
  void adapt_scales();
  bool search();
  bool search_otherwise();
  bool merit_first() const {
    return run_.options.globalization == Globalization::exact_augmented_lagrangian;
  }
  bool moves() const;
  bool creeps();
  void advance();

  // minimizer_recovery.cpp
  std::optional<End> recover();
  std::optional<End> recover_feasible();
  bool improve_multipliers(double factor);
  std::optional<End> restore();
  Restoration::Outcome restore_from_start(Restoration::Outcome outcome);

  bool feasible() const { return error_.infeasibility <= run_.options.tolerance; }
  End stalled();
  const State* if_less_violated(double factor) const;
  Result& counts() { return run_.record.result; }

  Run& run_;
  State state_, next_;
  Vector x0_;
  std::unique_ptr<LagrangianHessian> hessian_;
  JacobianLeastSquares& least_squares_;
  NewtonStep newton_;
  FilterSearch filter_search_;
  MeritSearch merit_search_;
  LineSearch& line_search_;
  Restoration restoration_;
  KktError error_;
  double length_ = 0;
  int short_steps_ = 0, stuck_steps_ = 0, still_steps_ = 0, polishing_ = 0;
  bool satisfied_ = false;      ///< the scaled test has been met
  bool started_again_ = false;  ///< a restoration has begun at x0
  bool learned_ = false;        ///< BFGS has learned since it last started anew
  Vector change_, step_;
};

}  // namespace secondorder::newton
