// The largest price ‖p(u)‖ of a neuron over the unit ball, from above and from below, by best-first
// branch and bound over simplicial cones of directions: exact in the limit, for a few dimensions.
#pragma once

#include <limits>
#include <vector>

#include "base/run_control.hpp"
#include "convex_relu/cone_bound.hpp"
#include "convex_relu/preprocessing.hpp"
#include "convex_relu/unit_samples.hpp"

namespace secondorder::convex_relu {

struct GateSearch {
  double tolerance = 1e-3;  ///< done when upper ≤ (1 + tolerance)·lower
  double enough = 0;        ///< done when upper ≤ enough, in the units of the prices
  std::size_t nodes = std::numeric_limits<std::size_t>::max();  ///< cones bounded, at most
  std::size_t bytes = std::size_t{64} << 20;                    ///< of open cones, at most
  double seconds = std::numeric_limits<double>::infinity();
  std::size_t directions = 32;  ///< how many good directions to return, at most
};

struct GateMaximum {
  double upper = 0;  ///< no neuron of norm 1 has a higher price, whenever the search ended
  double lower = 0;  ///< the price of the best neuron found
  std::vector<double> directions;  ///< rows of `rank`: good neurons, each the best of its region;
                                   ///< the first has price `lower`
  std::vector<double> prices;      ///< theirs, descending
  std::size_t nodes = 0, peak_bytes = 0;
  bool complete = false;  ///< to within tolerance, or down to `enough`
};

/// Throws Cancelled where the host's control asks for it; that control's time limit, when `control`
/// is given, ends the search as `seconds` does. The same result for any number of threads unless
/// time ended it. samples.rank ≤ most_cone_rank.
///
/// Rounding: `upper` holds for exact arithmetic on the given (unit) samples. It includes a margin
/// of 8√(r·c)·(n + 32r + 16·depth)·ε of the samples' scale, ε = 2⁻⁵²: with all prices bounded by 1
/// and Σλ ≤ √r in every cone of an orthant, sums over samples lose at most √r·2nε, products of
/// length r and the normalization of samples and of p at most 8r·√r·ε, and each of `depth` splits
/// moves the cones' common face by ε, which leaves no direction further than 4√r·ε from a bounded
/// cone.
GateMaximum maximize_gate(const UnitSamples& samples, const GateSearch& search, HostAlgebra& host,
                          const RunControl* control = nullptr);

}  // namespace secondorder::convex_relu
