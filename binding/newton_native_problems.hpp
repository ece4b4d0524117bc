// Problems to minimize that run wholly in C++, out of their specs.
#pragma once

#include <memory>

#include "marshal.hpp"
#include "newton/problems/constrained_logistic_regression.hpp"
#include "newton/problems/pde_control.hpp"

namespace secondorder::binding {

/// { x: NativeX, y, a?, b?, sphere, weightDecay }
std::unique_ptr<newton::ConstrainedLogisticRegression> read_logistic(const Fields& problem);

/// { grid, alpha?, target? }
std::unique_ptr<newton::PdeControl> read_pde(const Fields& problem);

}  // namespace secondorder::binding
