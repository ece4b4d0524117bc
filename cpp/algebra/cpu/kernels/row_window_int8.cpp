// Passes over a window of int8 rows, in exact integers: what multiplies them is split into digits
// of 15 bits, whose products with the rows are summed in 32 bits. Two rows share their lines as
// pairs of bytes, so that a pair of rows is combined by one multiply-add of 16-bit pairs.
// Compiled once for each instruction set.
#include <cmath>

#include "algebra/cpu/kernels/int8_digits.hpp"

namespace secondorder::SECONDORDER_ISA {

namespace {

void encode(const float* values, std::size_t count, std::byte* row, float* scale) {
  float largest = 0;
#pragma omp simd reduction(max : largest)
  for (std::size_t j = 0; j < count; ++j) {
    const float size = std::fabs(values[j]);
    largest = size > largest ? size : largest;
  }
  *scale = largest / 127;
  // A scale that is no normal number would be too coarse to divide by: such a block rounds to 0.
  const double inverse = *scale < 0x1p-126F ? 0 : 127 / static_cast<double>(largest);
  std::int8_t rounded[block_columns];
#pragma omp simd
  for (std::size_t j = 0; j < count; ++j) {
    const double scaled = static_cast<double>(values[j]) * inverse;
    rounded[j] =
        static_cast<std::int8_t>(static_cast<std::int32_t>(scaled + (scaled < 0 ? -0.5 : 0.5)));
  }
  std::memcpy(row, rounded, count);
  const std::size_t tail = count % columns_per_line;
  if (tail != 0) std::memset(row + count, 0, columns_per_line - tail);
}

void decode(const std::byte* row, float scale, std::size_t lines, double* values) {
  const auto* bytes = reinterpret_cast<const std::int8_t*>(row);
#pragma omp simd
  for (std::size_t j = 0; j < lines * columns_per_line; ++j) {
    values[j] = static_cast<double>(scale) * bytes[j];
  }
}

void prepare(std::size_t columns, BlockVector& x) {
  const double largest = largest_size(x.values, columns);
  const double range = largest > negligible ? split_range / largest : 0;
  x.scale = largest / split_range;
  x.digit_count = digits;
#pragma omp simd
  for (std::size_t j = 0; j < columns; ++j) {
    const Digits parts = split(x.values[j] * range);
    x.digit[0][j] = static_cast<std::int16_t>(parts.low);
    x.digit[1][j] = static_cast<std::int16_t>(parts.middle);
    x.digit[2][j] = static_cast<std::int16_t>(parts.high);
  }
}

void prepare_row(const std::byte* row, float scale, std::size_t lines, BlockVector& x) {
  const auto* bytes = reinterpret_cast<const std::int8_t*>(row);
#pragma omp simd
  for (std::size_t j = 0; j < lines * columns_per_line; ++j) x.digit[0][j] = std::int16_t{bytes[j]};
  x.scale = static_cast<double>(scale);
  x.digit_count = 1;
}

double self_product(const std::byte* row, float scale, std::size_t lines, const BlockVector& x) {
  const auto* bytes = reinterpret_cast<const std::int8_t*>(row);
  std::int32_t sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::size_t j = 0; j < lines * columns_per_line; ++j) sum += bytes[j] * bytes[j];
  return static_cast<double>(scale) * (x.scale * static_cast<double>(sum));
}

double total(Ints sums) {
  std::int64_t all = 0;
  for (std::size_t i = 0; i < vector_bytes / 4; ++i) all += sums[i];
  return static_cast<double>(all);
}

/// sums[r] = Σ row r · x[d] · base^d over `count` digits.
template <std::size_t height, std::size_t count>
void group_products(const std::byte* data, std::size_t lines,
                    const std::int16_t (*x)[block_columns], double* sums) {
  constexpr std::size_t columns = vector_bytes / 2;
  Ints sum[count][height] = {};
  for (std::size_t k = 0; k < lines; ++k) {
    prefetch<height>(data);
#pragma GCC unroll 4
    for (std::size_t w = 0; w < columns_per_line; w += columns) {
#pragma GCC unroll 4
      for (std::size_t p = 0; p < height / 2; ++p) {
        const Shorts pair = load<Shorts>(data + p * pair_bytes + 2 * w);
        const Shorts even = (pair << 8) >> 8, odd = pair >> 8;
#pragma GCC unroll 3
        for (std::size_t d = 0; d < count; ++d) {
          const Shorts factor = load<Shorts>(&x[d][k * columns_per_line + w]);
          sum[d][2 * p] += multiply_add(even, factor);
          sum[d][2 * p + 1] += multiply_add(odd, factor);
        }
      }
    }
    data += height * line_bytes;
  }
  for (std::size_t r = 0; r < height; ++r) {
    sums[r] = total(sum[count - 1][r]);
    for (std::size_t d = count - 1; d-- > 0;) sums[r] = sums[r] * digit_base + total(sum[d][r]);
  }
}

void products(const RowBlock& block, const BlockVector& x, double* sums) {
  for (std::size_t i = 0; i < block.rows; i += group_rows) {
    const std::size_t height = block.rows - i < group_rows ? block.rows - i : group_rows;
    const std::byte* data = block.data + i * block.lines * line_bytes;
    double group[group_rows] = {};
    with_height<2>(height, [&]<std::size_t h> {
      if (x.digit_count == 1) {
        group_products<h, 1>(data, block.lines, x.digit, group);
      } else {
        group_products<h, digits>(data, block.lines, x.digit, group);
      }
    });
    for (std::size_t r = 0; r < height; ++r) {
      sums[i + r] += static_cast<double>(block.scales[i + r]) * (x.scale * group[r]);
    }
  }
}

/// sums[d] += Σ coefficients[d] · rows, coefficients being pairs of 16 bits.
template <std::size_t height>
void group_combine(const std::byte* data, std::size_t lines, const std::int32_t* const* pairs,
                   CombineScratch& scratch) {
  constexpr std::size_t columns = vector_bytes / 4;
  Shorts factor[digits][height / 2];
  for (std::size_t d = 0; d < digits; ++d) {
    for (std::size_t p = 0; p < height / 2; ++p) {
      factor[d][p] = reinterpret_cast<Shorts>(Ints{} + pairs[d][p]);
    }
  }
  for (std::size_t k = 0; k < lines; ++k) {
    prefetch<height>(data);
    // Rows of few vectors are unrolled; the others would only fill the instruction cache.
#pragma GCC unroll 4
    for (std::size_t w = 0; w < columns_per_line; w += columns) {
      const std::size_t column = k * columns_per_line + w;
      Ints sum[digits];
#pragma GCC unroll 3
      for (std::size_t d = 0; d < digits; ++d) sum[d] = load<Ints>(&scratch.sums[d][column]);
#pragma GCC unroll 4
      for (std::size_t p = 0; p < height / 2; ++p) {
        const Shorts pair = widen(data + p * pair_bytes + 2 * w);
#pragma GCC unroll 3
        for (std::size_t d = 0; d < digits; ++d) sum[d] += multiply_add(pair, factor[d][p]);
      }
#pragma GCC unroll 3
      for (std::size_t d = 0; d < digits; ++d) {
        std::memcpy(&scratch.sums[d][column], &sum[d], sizeof sum[d]);
      }
    }
    data += height * line_bytes;
  }
}

std::int32_t pair_of(std::int32_t even, std::int32_t odd) {
  return static_cast<std::int32_t>((static_cast<std::uint32_t>(even) & 0xFFFFU) |
                                   (static_cast<std::uint32_t>(odd) << 16));
}

/// Splits scaled coefficients of up to integer_sum_rows rows; returns the unit of the lowest digit.
double split_coefficients(const double* coefficients, const float* scales, std::size_t rows,
                          CombineScratch& scratch) {
  double scaled[integer_sum_rows];
#pragma omp simd
  for (std::size_t i = 0; i < rows; ++i) {
    scaled[i] = coefficients[i] * static_cast<double>(scales[i]);
  }
  const double largest = largest_size(scaled, rows);
  if (largest <= negligible) return 0;
  const double range = split_range / largest;
#pragma omp simd
  for (std::size_t p = 0; p < rows / 2; ++p) {
    const Digits even = split(scaled[2 * p] * range), odd = split(scaled[2 * p + 1] * range);
    scratch.coefficients[0][p] = pair_of(even.low, odd.low);
    scratch.coefficients[1][p] = pair_of(even.middle, odd.middle);
    scratch.coefficients[2][p] = pair_of(even.high, odd.high);
  }
  return largest / split_range;
}

void combine(const RowBlock& block, const double* coefficients, CombineScratch& scratch,
             double* out) {
  const std::size_t columns = block.lines * columns_per_line;
  for (std::size_t first = 0; first < block.rows; first += integer_sum_rows) {
    const std::size_t rows =
        block.rows - first < integer_sum_rows ? block.rows - first : integer_sum_rows;
    const double unit =
        split_coefficients(coefficients + first, block.scales + first, rows, scratch);
    if (unit == 0) continue;
    for (auto& sums : scratch.sums) std::memset(sums, 0, columns * sizeof sums[0]);
    for (std::size_t i = 0; i < rows; i += group_rows) {
      const std::size_t height = rows - i < group_rows ? rows - i : group_rows;
      const std::int32_t* pairs[digits];
      for (std::size_t d = 0; d < digits; ++d) pairs[d] = scratch.coefficients[d] + i / 2;
      with_height<2>(height, [&]<std::size_t h> {
        group_combine<h>(block.data + (first + i) * block.lines * line_bytes, block.lines, pairs,
                         scratch);
      });
    }
#pragma omp simd
    for (std::size_t j = 0; j < columns; ++j) {
      const double high = static_cast<double>(scratch.sums[2][j]);
      const double middle = static_cast<double>(scratch.sums[1][j]);
      const double low = static_cast<double>(scratch.sums[0][j]);
      out[j] += unit * ((high * digit_base + middle) * digit_base + low);
    }
  }
}

void store(const std::byte* row, std::size_t lines, std::byte* group, std::size_t height,
           std::size_t index) {
  std::byte* to = group + index / 2 * pair_bytes + index % 2;
  for (std::size_t k = 0; k < lines; ++k) {
    std::byte line[pair_bytes];
    std::memcpy(line, to + k * height * line_bytes - index % 2, pair_bytes);
    for (std::size_t j = 0; j < columns_per_line; ++j) {
      line[2 * j + index % 2] = row[k * columns_per_line + j];
    }
    std::memcpy(to + k * height * line_bytes - index % 2, line, pair_bytes);
  }
}

void fetch(const std::byte* group, std::size_t height, std::size_t index, std::size_t lines,
           std::byte* row) {
  const std::byte* from = group + index / 2 * pair_bytes + index % 2;
  for (std::size_t k = 0; k < lines; ++k) {
    for (std::size_t j = 0; j < columns_per_line; ++j) {
      row[k * columns_per_line + j] = from[k * height * line_bytes + 2 * j];
    }
  }
}

}  // namespace

const RowKernels int8_rows = {encode,   decode,  prepare, prepare_row, self_product,
                              products, combine, store,   fetch};

}  // namespace secondorder::SECONDORDER_ISA
