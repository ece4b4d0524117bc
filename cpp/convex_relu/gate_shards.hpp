// A program's gates cut into shards of nearly equal size, each a range of neighbours:
//
//        gates     0 … P₁    P₁ … P₂   P₂ …
//        u₁, u₂  [ shard 0 | shard 1 | shard 2 ]     rows of either set, columns of q
//
// Samples, targets and what is per sample are whole in every shard.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "algebra/algebra.hpp"

namespace secondorder::convex_relu {

struct GateRange {
  std::size_t first = 0, count = 0;
};

/// `shards` ranges, larger ones first; fewer where there are fewer gates, but one.
std::vector<GateRange> cut_gates(std::size_t gates, std::size_t shards);

/// The program of a shard.
inline GatedShape shape_of_shard(GatedShape whole, const GateRange& range) {
  whole.gates = range.count;
  return whole;
}
/// That of the largest one.
inline GatedShape largest_shard(const GatedShape& whole, std::size_t shards) {
  return shape_of_shard(whole, cut_gates(whole.gates, shards).front());
}

/// Calls run(index in the whole, index in the shard, count) for each run of items that `whole` has
/// for the gates of the range, one a set, where each gate has `per_gate` items.
template <class Run>
void for_each_run(const GatedShape& whole, const GateRange& range, std::size_t per_gate,
                  const Run& run) {
  for (std::size_t set = 0; set < whole.sets; ++set) {
    run((set * whole.gates + range.first) * per_gate, set * range.count * per_gate,
        range.count * per_gate);
  }
}

/// The bits of the range's gates, rows of whole words.
std::vector<std::uint64_t> cut_bits(GateBits bits, const GateRange& range);

}  // namespace secondorder::convex_relu
