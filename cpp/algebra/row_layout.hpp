// How a row of a window is cut into blocks of columns and written as bytes, the same on every
// device: first the scale of each block, where the storage has scales; then the elements, block by
// block in lines of 64 bytes, the last one padded with zeros.
//
// Within a line, columns are in order but for bfloat16, where 32-bit word w holds columns w (low
// half) and w + 16 (high half).
#pragma once

#include <cstddef>

#include "algebra/row_window.hpp"

namespace secondorder {

inline constexpr std::size_t line_bytes = 64;
inline constexpr std::size_t block_columns = 1024;

/// Whether each block of columns of a row has a scale.
constexpr bool has_scales(Storage storage) {
  return storage == Storage::float16 || storage == Storage::int8;
}

struct RowLayout {
  std::size_t columns;
  Storage storage;

  constexpr std::size_t columns_per_line() const { return line_bytes / element_bytes(storage); }
  constexpr std::size_t lines() const {
    return (columns + columns_per_line() - 1) / columns_per_line();
  }
  constexpr std::size_t blocks() const { return (columns + block_columns - 1) / block_columns; }
  constexpr std::size_t element_row_bytes() const { return lines() * line_bytes; }
  constexpr std::size_t scale_row_bytes() const {
    return has_scales(storage) ? blocks() * sizeof(float) : 0;
  }
  constexpr std::size_t row_bytes() const { return scale_row_bytes() + element_row_bytes(); }
};

}  // namespace secondorder
