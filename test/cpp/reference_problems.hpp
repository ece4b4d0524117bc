// Random small instances of the convex ReLU and gated programs.
#pragma once

#include <cstddef>
#include <cstdint>

#include "reference_cone_program.hpp"

namespace secondorder::reference {

struct Shape {
  std::size_t samples, features, gates, outputs = 1;
};

/// Gaussian data (no bias column) with the patterns of Gaussian gates, each pattern once, so that
/// there may be fewer gates than asked for. The same numbers for a seed on one platform.
ReferenceProblem random_problem(ReferenceModel model, Loss loss, Shape shape, std::uint32_t seed,
                                double beta = 0.3);

}  // namespace secondorder::reference
