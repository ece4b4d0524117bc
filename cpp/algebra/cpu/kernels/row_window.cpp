// Passes over a window of float32, bfloat16 or float16 rows. Every element is widened to float64,
// where its product is exact: memory is slower than that. Compiled once for each instruction set.
#include <cmath>
#include <type_traits>

#include "algebra/cpu/kernels/row_elements.hpp"

namespace secondorder::SECONDORDER_ISA {

namespace {

/// The power of two that brings the largest value into [2^14, 2^15).
float power_of_two_scale(const float* values, std::size_t count) {
  float largest = 0;
#pragma omp simd reduction(max : largest)
  for (std::size_t j = 0; j < count; ++j) {
    const float size = std::fabs(values[j]);
    largest = size > largest ? size : largest;
  }
  if (largest == 0) return 1;
  const int exponent = std::ilogb(largest) - 14;
  return std::ldexp(1.0F, exponent < -126 ? -126 : exponent);
}

template <class Element>
void encode(const float* values, std::size_t count, std::byte* row, float* scale) {
  float inverse = 1;
  if constexpr (std::is_same_v<Element, Float16>) {
    *scale = power_of_two_scale(values, count);
    inverse = 1 / *scale;
  }
  std::size_t j = 0;
  for (; j + Element::per_line <= count; j += Element::per_line, row += line_bytes) {
    Element::encode_line(values + j, inverse, row);
  }
  if (j == count) return;
  float last[Element::per_line] = {};
  std::memcpy(last, values + j, (count - j) * sizeof(float));
  Element::encode_line(last, inverse, row);
}

template <class Element>
void decode(const std::byte* row, float scale, std::size_t lines, double* values) {
  for (std::size_t k = 0; k < lines; ++k) {
#pragma GCC unroll 16
    for (std::size_t w = 0; w < Element::per_line; w += lanes) {
      const Doubles wide = Element::widen(row + k * line_bytes, w) * static_cast<double>(scale);
      std::memcpy(values + k * Element::per_line + w, &wide, sizeof wide);
    }
  }
}

void prepare(std::size_t, BlockVector& x) { x.scale = 1; }

template <class Element>
void prepare_row(const std::byte* row, float scale, std::size_t lines, BlockVector& x) {
  decode<Element>(row, 1, lines, x.values);
  x.scale = static_cast<double>(scale);
}

/// The two passes over one group.
template <class Element, std::size_t height>
struct Group {
  static void products(const std::byte* data, std::size_t lines, const double* x, double* sums) {
    Doubles sum[height] = {};
    for (std::size_t k = 0; k < lines; ++k) {
      prefetch<height>(data);
#pragma GCC unroll 16
      for (std::size_t w = 0; w < Element::per_line; w += lanes) {
        const Doubles factor = load<Doubles>(x + w);
#pragma GCC unroll 8
        for (std::size_t r = 0; r < height; ++r) {
          sum[r] += Element::widen(data + r * line_bytes, w) * factor;
        }
      }
      data += height * line_bytes;
      x += Element::per_line;
    }
    for (std::size_t r = 0; r < height; ++r) {
      double total = 0;
      for (std::size_t i = 0; i < lanes; ++i) total += sum[r][i];
      sums[r] = total;
    }
  }

  static void combine(const std::byte* data, std::size_t lines, const double* coefficients,
                      double* out) {
    Doubles factor[height];
    for (std::size_t r = 0; r < height; ++r) factor[r] = Doubles{} + coefficients[r];
    for (std::size_t k = 0; k < lines; ++k) {
      prefetch<height>(data);
      // A row's line is taken whole: that leaves the lines of the next rows more time to arrive.
      constexpr std::size_t vectors = Element::per_line / lanes;
      Doubles sum[vectors];
#pragma GCC unroll 16
      for (std::size_t w = 0; w < vectors; ++w) sum[w] = load<Doubles>(out + w * lanes);
#pragma GCC unroll 8
      for (std::size_t r = 0; r < height; ++r) {
#pragma GCC unroll 16
        for (std::size_t w = 0; w < vectors; ++w) {
          sum[w] += Element::widen(data + r * line_bytes, w * lanes) * factor[r];
        }
      }
#pragma GCC unroll 16
      for (std::size_t w = 0; w < vectors; ++w) {
        std::memcpy(out + w * lanes, &sum[w], sizeof sum[w]);
      }
      data += height * line_bytes;
      out += Element::per_line;
    }
  }
};

double scale_of(const float* scales, std::size_t row) {
  return scales == nullptr ? 1 : static_cast<double>(scales[row]);
}

template <class Element>
void products(const RowBlock& block, const BlockVector& x, double* sums) {
  for (std::size_t i = 0; i < block.rows; i += group_rows) {
    const std::size_t height = block.rows - i < group_rows ? block.rows - i : group_rows;
    const std::byte* data = block.data + i * block.lines * line_bytes;
    double group[group_rows];
    with_height<1>(height, [&]<std::size_t h> {
      Group<Element, h>::products(data, block.lines, x.values, group);
    });
    for (std::size_t r = 0; r < height; ++r) {
      sums[i + r] += scale_of(block.scales, i + r) * (x.scale * group[r]);
    }
  }
}

template <class Element>
double self_product(const std::byte* row, float scale, std::size_t lines, const BlockVector& x) {
  double sum = 0;
  Group<Element, 1>::products(row, lines, x.values, &sum);
  return static_cast<double>(scale) * (x.scale * sum);
}

template <class Element>
void combine(const RowBlock& block, const double* coefficients, CombineScratch&, double* out) {
  for (std::size_t i = 0; i < block.rows; i += group_rows) {
    const std::size_t height = block.rows - i < group_rows ? block.rows - i : group_rows;
    const std::byte* data = block.data + i * block.lines * line_bytes;
    double factors[group_rows];
    for (std::size_t r = 0; r < height; ++r) {
      factors[r] = coefficients[i + r] * scale_of(block.scales, i + r);
    }
    with_height<1>(height, [&]<std::size_t h> {
      Group<Element, h>::combine(data, block.lines, factors, out);
    });
  }
}

void store(const std::byte* row, std::size_t lines, std::byte* group, std::size_t height,
           std::size_t index) {
  for (std::size_t k = 0; k < lines; ++k) {
    std::memcpy(group + (k * height + index) * line_bytes, row + k * line_bytes, line_bytes);
  }
}

void fetch(const std::byte* group, std::size_t height, std::size_t index, std::size_t lines,
           std::byte* row) {
  for (std::size_t k = 0; k < lines; ++k) {
    std::memcpy(row + k * line_bytes, group + (k * height + index) * line_bytes, line_bytes);
  }
}

template <class Element>
constexpr RowKernels rows = {encode<Element>,
                             decode<Element>,
                             prepare,
                             prepare_row<Element>,
                             self_product<Element>,
                             products<Element>,
                             combine<Element>,
                             store,
                             fetch};

std::size_t first_non_finite(const float* values, std::size_t count) {
  constexpr std::size_t step = 256;
  for (std::size_t start = 0; start < count; start += step) {
    const std::size_t end = count - start < step ? count : start + step;
    int bad = 0;
    // x − x is 0 for every finite x, and NaN otherwise.
#pragma omp simd reduction(| : bad)
    for (std::size_t j = start; j < end; ++j) {
      bad |= static_cast<int>(values[j] - values[j] != 0);
    }
    if (bad == 0) continue;
    for (std::size_t j = start; j < end; ++j) {
      if (!std::isfinite(values[j])) return j;
    }
  }
  return count;
}

bool narrow(const double* values, std::size_t count, float* out) {
#pragma omp simd
  for (std::size_t j = 0; j < count; ++j) out[j] = static_cast<float>(values[j]);
  return first_non_finite(out, count) == count;
}

std::uint64_t read(const std::byte* memory, std::size_t bytes) {
  using Sums [[gnu::vector_size(vector_bytes)]] = std::uint64_t;
  constexpr std::size_t step = 8 * line_bytes, vectors = step / vector_bytes;
  Sums sum[vectors] = {};
  for (; bytes >= step; bytes -= step, memory += step) {
#pragma GCC unroll 32
    for (std::size_t i = 0; i < vectors; ++i) sum[i] += load<Sums>(memory + i * vector_bytes);
  }
  std::uint64_t total = 0;
  for (const Sums& part : sum) {
    for (std::size_t i = 0; i < vector_bytes / 8; ++i) total += part[i];
  }
  return total;
}

}  // namespace

const RowWindowKernels& row_window_table() {
#define SECONDORDER_STRING_(x) #x
#define SECONDORDER_STRING(x) SECONDORDER_STRING_(x)
  static const RowWindowKernels table{SECONDORDER_STRING(SECONDORDER_ISA),
                                      {rows<Float32>, rows<Bfloat16>, rows<Float16>, int8_rows},
                                      first_non_finite,
                                      narrow,
                                      read,
                                      update_factor};
  return table;
}

}  // namespace secondorder::SECONDORDER_ISA
