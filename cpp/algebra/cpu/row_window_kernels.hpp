// The inner loops of a window of rows on the CPU, and the layout that they share.
//
// Columns are cut into blocks of `block_columns`; in a block, rows stand in groups of eight, and a
// group's cache lines are interleaved, so that a pass reads memory from end to end:
//
//   block 0:  group 0:  line 0:  row 0 | row 1 | … | row 7      64 bytes each
//                       line 1:  row 0 | row 1 | … | row 7
//             group 1:  …
//   block 1:  …
//
// The last group may have fewer rows and the last block fewer lines. Within a line, columns are in
// the order of row_layout.hpp, but for int8, where two rows share two lines: 128 bytes of row 0
// column 0, row 1 column 0, row 0 column 1…
#pragma once

#include <cstddef>
#include <cstdint>

#include "algebra/row_layout.hpp"

namespace secondorder {

inline constexpr std::size_t group_rows = 8;
/// Numbers that multiply int8 rows are split into this many digits of 15 bits.
inline constexpr std::size_t digits = 3;
/// Rows of int8 that are summed up in 32-bit integers.
inline constexpr std::size_t integer_sum_rows = 1024;

/// A block of columns of a vector, padded with zeros to whole lines, ready to be multiplied.
struct BlockVector {
  alignas(64) double values[block_columns];
  /// int8 rows: the vector is scale · Σ digit[d] · 2^(15·d), d < digit_count.
  alignas(64) std::int16_t digit[digits][block_columns];
  std::size_t digit_count;
  double scale;
};

/// Some rows of a block: whole groups from the first one on.
struct RowBlock {
  const std::byte* data;
  const float* scales;  ///< one a row, or null
  std::size_t rows;     ///< rows there are; the last group has rows mod 8, if that isn't 0
  std::size_t lines;    ///< cache lines of each row
};

/// Scratch of `combine`: digits of the coefficients of int8 rows, and integer sums.
struct CombineScratch {
  alignas(64) std::int32_t sums[digits][block_columns];
  alignas(64) std::int32_t coefficients[digits][integer_sum_rows / 2];
};

/// One storage. A row by itself (`row`) is `lines` lines one after another, columns in the order of
/// the layout; int8 rows by themselves are in the order of their columns.
struct RowKernels {
  /// Rounds `count` finite values into a row, with zeros up to the end of its last line.
  void (*encode)(const float* values, std::size_t count, std::byte* row, float* scale);
  /// The values of a row, whole lines.
  void (*decode)(const std::byte* row, float scale, std::size_t lines, double* values);
  /// x.values (whole lines) as a vector to multiply with.
  void (*prepare)(std::size_t columns, BlockVector& x);
  /// A row as a vector to multiply with.
  void (*prepare_row)(const std::byte* row, float scale, std::size_t lines, BlockVector& x);
  /// row · row, in the order of summation of `products`
  double (*self_product)(const std::byte* row, float scale, std::size_t lines,
                         const BlockVector& x);
  /// sums[i] += row i · x, i < block.rows
  void (*products)(const RowBlock& block, const BlockVector& x, double* sums);
  /// out += Σ coefficients[i] · row i
  void (*combine)(const RowBlock& block, const double* coefficients, CombineScratch& scratch,
                  double* out);
  /// Between a row by itself and row `index` of a group of `height` rows.
  void (*store)(const std::byte* row, std::size_t lines, std::byte* group, std::size_t height,
                std::size_t index);
  void (*fetch)(const std::byte* group, std::size_t height, std::size_t index, std::size_t lines,
                std::byte* row);
};

struct RowWindowKernels {
  const char* name;  ///< "portable", "avx2", "avx512"
  RowKernels storage[4];

  /// Position of the first value that is NaN or infinite, or `count`.
  std::size_t (*first_non_finite)(const float* values, std::size_t count);
  /// out = values as float32; false where one is beyond it.
  bool (*narrow)(const double* values, std::size_t count, float* out);
  /// The sum of all 64-bit words: as fast as memory can be read.
  std::uint64_t (*read)(const std::byte* memory, std::size_t bytes);
  /// The factor of L·Lᵀ + x·xᵀ: l and out are n × n lower triangles by columns. Overwrites x.
  void (*update_factor)(std::size_t n, const double* l, std::size_t l_stride, double* x,
                        double* out, std::size_t out_stride);

  const RowKernels& operator[](Storage kind) const { return storage[static_cast<int>(kind)]; }
};

/// The best kernels this CPU runs.
const RowWindowKernels& row_window_kernels();

/// The table of one instruction set, or null where this CPU or this build hasn't it; for tests.
const RowWindowKernels* row_window_kernels_named(const char* name);

}  // namespace secondorder
