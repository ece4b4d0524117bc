// Gates: the directions aᵢ whose sign patterns Dᵢ = diag(1[[s, 1]·aᵢ ≥ 0]) the convex program is
// written over (arXiv 2201.01965, section 2). Rows of d + 1 numbers in s-space, the bias last.
#pragma once

#include <cstdint>
#include <vector>

#include "algebra/view.hpp"
#include "convex_relu/options.hpp"
#include "convex_relu/preprocessing.hpp"

namespace secondorder::convex_relu {

struct Gates {
  std::vector<double> rows;  ///< count × (d + 1)
  std::size_t count = 0;

  std::size_t width() const { return count == 0 ? 0 : rows.size() / count; }
};

/// Those of the options, all of them; the bias of those without one is 0.
Gates given_gates(const Options& options, std::size_t features);

/// Draws gates as the options say and keeps those with distinct patterns that are open somewhere;
/// draws again, a few times, for those that were dropped. Given gates are only filtered.
Gates sample_gates(const DataView& data, const Preprocessing& preprocessing, const Options& options,
                   HostAlgebra& host);

/// Appends to `gates` those rows of `more` whose pattern is new.
void append_gates(const DataView& data, const Preprocessing& preprocessing,
                  const std::vector<double>& more, HostAlgebra& host, Gates& gates);

/// The patterns of all rows of the data, in float64: the same bits whoever asks.
std::vector<std::uint64_t> gate_patterns(const DataView& data, const Preprocessing& preprocessing,
                                         const Gates& gates, HostAlgebra& host);

/// The weights of z (count × f) whose products with it are gates' with [s, 1]; with components, the
/// part of the gates that these span.
std::vector<double> gate_weights(const Gates& gates, const Preprocessing& preprocessing);

/// A 64-bit fingerprint of each gate's pattern over the rows, 0 where it is never open.
std::vector<std::uint64_t> pattern_fingerprints(GateBits bits);

/// Patterns of a block of s-space rows.
void block_patterns(ConstView<double> s, const Gates& gates, HostAlgebra& host, GateBits bits);

}  // namespace secondorder::convex_relu
