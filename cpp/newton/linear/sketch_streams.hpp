// Which random numbers each use of a seed takes: never the same ones for two systems of a run.
#pragma once

#include <cstdint>

#include "algebra/philox.hpp"

namespace secondorder::newton {

enum class SketchUse : std::uint64_t {
  deflation = 201,
  rows,
  blocks,
  gaussian,
  countsketch,
  signs,
  tall_data
};

/// The stream of one use for the `system`-th KKT system that a solver prepares.
inline Philox sketch_stream(std::uint64_t seed, SketchUse use, std::uint64_t system) {
  return {seed, (static_cast<std::uint64_t>(use) << 40U) + system};
}

}  // namespace secondorder::newton
