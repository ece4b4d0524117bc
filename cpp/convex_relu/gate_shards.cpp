#include "convex_relu/gate_shards.hpp"

#include <algorithm>

namespace secondorder::convex_relu {

std::vector<GateRange> cut_gates(std::size_t gates, std::size_t shards) {
  const std::size_t count = std::clamp<std::size_t>(gates, 1, shards);
  std::vector<GateRange> ranges;
  std::size_t first = 0;
  for (std::size_t s = 0; s < count; ++s) {
    const std::size_t own = gates / count + (s < gates % count ? 1 : 0);
    ranges.push_back({first, own});
    first += own;
  }
  return ranges;
}

std::vector<std::uint64_t> cut_bits(GateBits bits, const GateRange& range) {
  constexpr std::size_t word = 64;
  const std::size_t words = GateBits::words_per_row(range.count);
  const std::size_t from = range.first / word, shift = range.first % word;
  const std::size_t spare = words * word - range.count;
  std::vector<std::uint64_t> cut(bits.rows * words);
  for (std::size_t k = 0; k < bits.rows; ++k) {
    const std::uint64_t* const row = bits.row(k);
    std::uint64_t* const to = cut.data() + k * words;
    for (std::size_t w = 0; w < words; ++w) {
      to[w] = row[from + w] >> shift;
      if (shift > 0 && from + w + 1 < bits.stride()) to[w] |= row[from + w + 1] << (word - shift);
    }
    if (spare > 0) to[words - 1] &= ~std::uint64_t{0} >> spare;
  }
  return cut;
}

}  // namespace secondorder::convex_relu
