// How the CPU cuts its work into tiles. Every number follows from the shapes alone.
#pragma once

#include <algorithm>
#include <cstddef>

namespace secondorder {

constexpr std::size_t divide_up(std::size_t a, std::size_t b) { return (a + b - 1) / b; }
constexpr std::size_t round_up(std::size_t a, std::size_t b) { return divide_up(a, b) * b; }

/// [0, total) in `parts` pieces of nearly equal length.
struct Split {
  std::size_t total = 0;
  std::size_t parts = 0;

  /// As few pieces as keep each at or below `longest`.
  static Split of(std::size_t total, std::size_t longest) {
    return {total, divide_up(total, longest)};
  }
  std::size_t begin(std::size_t part) const {
    return total / parts * part + std::min(part, total % parts);
  }
  std::size_t end(std::size_t part) const { return begin(part + 1); }
  std::size_t longest() const { return parts == 0 ? 0 : divide_up(total, parts); }
};

/// Tiles (i, j), j ≤ i, of a lower triangle, numbered row after row.
struct LowerTile {
  std::size_t i = 0, j = 0;
  static LowerTile numbered(std::size_t index) {
    LowerTile t;
    while ((t.i + 1) * (t.i + 2) / 2 <= index) ++t.i;
    t.j = index - t.i * (t.i + 1) / 2;
    return t;
  }
};

/// Rows that a tile of `columns` elements a row may have to stay within the second-level cache.
constexpr std::size_t tile_rows(std::size_t columns) {
  constexpr std::size_t elements = 512 * 512;
  return std::clamp<std::size_t>(elements / std::max<std::size_t>(columns, 1), 64, 512);
}

/// Tiles over the columns (set, gate, output) of a cone variable: whole 64-gate words of every set.
struct ConeTiles {
  std::size_t gates, outputs, sets, gates_per_tile, tiles;

  ConeTiles(std::size_t gate_count, std::size_t output_count, std::size_t set_count)
      : gates(gate_count), outputs(output_count), sets(set_count) {
    const std::size_t wanted = 512 / std::max<std::size_t>(1, outputs * sets) / 64 * 64;
    gates_per_tile = std::max<std::size_t>(wanted, 64);
    tiles = divide_up(gates, gates_per_tile);
  }
  std::size_t first_gate(std::size_t tile) const { return tile * gates_per_tile; }
  std::size_t gate_count(std::size_t tile) const {
    return std::min(gates_per_tile, gates - first_gate(tile));
  }
  /// Columns of one set within a tile, at most.
  std::size_t set_columns() const { return std::min(gates_per_tile, gates) * outputs; }
  std::size_t columns() const { return set_columns() * sets; }
};

/// Row splits for sums over rows: enough tasks for a large team, few enough partial sums.
inline Split adjoint_splits(std::size_t rows, std::size_t column_tiles, std::size_t shortest) {
  const std::size_t wanted = divide_up(16, std::max<std::size_t>(column_tiles, 1));
  const std::size_t parts = std::clamp<std::size_t>(rows / shortest, 1, wanted);
  return {rows, parts};
}

}  // namespace secondorder
