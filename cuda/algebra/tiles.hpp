// How products with gated features are cut so that the activations of a tile, samples × neurons,
// fit into the memory there is for them. Every number follows from the shapes alone.
#pragma once

#include <algorithm>
#include <cstddef>

namespace secondorder::cuda {

/// Columns [first_column, first_column + columns) of rows [first_row, first_row + rows).
struct Tile {
  std::size_t first_row = 0, rows = 0, first_column = 0, columns = 0;
  std::size_t stride = 0;  ///< of a row of activations, whole packs of 16 bytes
};

/// All rows by as many columns as fit, in whole `unit`s; fewer rows only where less than
/// `least_columns` of them would fit. Wide tiles keep matrix products large.
class Tiles {
 public:
  Tiles(std::size_t rows, std::size_t columns, std::size_t unit, std::size_t elements)
      : rows_(rows), columns_(columns) {
    unit = std::max<std::size_t>(unit, 1);
    const std::size_t fitting = elements / std::max<std::size_t>(rows, 1);
    const std::size_t least = std::min(columns, whole(least_columns, unit));
    const std::size_t widest = std::max({unit, least, fitting / unit * unit});
    const std::size_t across = parts(columns, widest);
    tile_columns_ = across == 0 ? 0 : whole(parts(columns, across), unit);
    stride_ = whole(tile_columns_, packed);
    const std::size_t tallest =
        std::max<std::size_t>(elements / std::max<std::size_t>(stride_, 1), 1);
    const std::size_t down = parts(rows, tallest);
    tile_rows_ = down == 0 ? 0 : parts(rows, down);
    across_ = tile_columns_ == 0 ? 0 : parts(columns, tile_columns_);
    down_ = tile_rows_ == 0 ? 0 : parts(rows, tile_rows_);
  }

  std::size_t across() const { return across_; }
  std::size_t down() const { return down_; }
  Tile at(std::size_t row_part, std::size_t column_part) const {
    const std::size_t row = row_part * tile_rows_, column = column_part * tile_columns_;
    return {row, std::min(tile_rows_, rows_ - row), column,
            std::min(tile_columns_, columns_ - column), stride_};
  }
  /// body(tile) for every tile, one column of tiles after another, each from its top: what is
  /// summed over a column's rows is complete before the next column begins.
  template <class Body>
  void down_each_column(const Body& body) const {
    for (std::size_t column = 0; column < across_; ++column) {
      for (std::size_t row = 0; row < down_; ++row) body(at(row, column));
    }
  }
  /// Elements of the largest tile.
  std::size_t elements() const { return tile_rows_ * stride_; }

 private:
  static std::size_t parts(std::size_t total, std::size_t longest) {
    return longest == 0 ? 0 : (total + longest - 1) / longest;
  }
  static std::size_t whole(std::size_t n, std::size_t unit) { return parts(n, unit) * unit; }

  static constexpr std::size_t least_columns = 512;
  static constexpr std::size_t packed = 4;
  std::size_t rows_, columns_, tile_rows_ = 0, tile_columns_ = 0, stride_ = 0;
  std::size_t across_ = 0, down_ = 0;
};

}  // namespace secondorder::cuda
