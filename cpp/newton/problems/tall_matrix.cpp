#include "newton/problems/tall_matrix.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>
#include <utility>

#include "algebra/cpu/blas.hpp"
#include "algebra/cpu/tiling.hpp"
#include "base/error.hpp"
#include "newton/linear/team_products.hpp"

namespace secondorder::newton {

namespace {

/// Rows of a task of X·w; at most this many parts, each with sums of its own, in Xᵀ·p.
constexpr std::size_t product_rows = 2048, most_parts = 16;
/// Rows that a Gram matrix of dense data takes at a time, and elements of the sums of parts.
constexpr std::size_t gram_rows = 2048, partial_elements = std::size_t{1} << 22;
/// Elements of a Gram matrix of sparse data that are worked on at a time: the cache's.
constexpr std::size_t cached_elements = std::size_t{1} << 17;

/// Parts of the rows for sums of `width` numbers each.
Split sum_parts(std::size_t rows, std::size_t width) {
  const std::size_t affordable =
      std::max<std::size_t>(partial_elements / std::max<std::size_t>(width, 1), 1);
  return {rows, std::clamp<std::size_t>(rows / product_rows, 1, std::min(most_parts, affordable))};
}

[[noreturn]] void refuse(ErrorCode code, const char* argument, const std::string& trouble) {
  throw Error(code, std::string(argument) + " " + trouble, argument);
}

}  // namespace

void TallMatrix::check(const char* argument) const {
  if (!sparse()) {
    if (values.size() != rows * cols) {
      refuse(ErrorCode::dimension_mismatch, argument,
             "has " + std::to_string(values.size()) + " values, not " + std::to_string(rows) +
                 " × " + std::to_string(cols));
    }
  } else {
    const bool fits = row_offsets.size() == rows + 1 && columns.size() == values.size() &&
                      row_offsets.front() == 0 &&
                      static_cast<std::size_t>(row_offsets.back()) == values.size() &&
                      std::is_sorted(row_offsets.begin(), row_offsets.end());
    if (!fits) refuse(ErrorCode::dimension_mismatch, argument, "has row offsets that don't fit");
    for (std::size_t k = 0; k < columns.size(); ++k) {
      if (columns[k] < 0 || static_cast<std::size_t>(columns[k]) >= cols) {
        refuse(ErrorCode::invalid_argument, argument,
               "has column " + std::to_string(columns[k]) + " at entry " + std::to_string(k) +
                   ", of " + std::to_string(cols));
      }
    }
  }
  for (std::size_t k = 0; k < values.size(); ++k) {
    if (!std::isfinite(values[k])) {
      refuse(ErrorCode::invalid_argument, argument,
             "has a value that isn't finite, at entry " + std::to_string(k));
    }
  }
}

void TallMatrix::add_row(std::size_t i, double alpha, double* target) const {
  if (!sparse()) {
    cblas_daxpy(blas::size(cols), alpha, values.data() + i * cols, 1, target, 1);
    return;
  }
  for (auto p = static_cast<std::size_t>(row_offsets[i]);
       p < static_cast<std::size_t>(row_offsets[i + 1]); ++p) {
    target[columns[p]] += alpha * values[p];
  }
}

void TallMatrix::sort_rows() {
  std::vector<std::pair<std::int32_t, double>> row;
  for (std::size_t i = 0; i < rows && sparse(); ++i) {
    const auto first = static_cast<std::size_t>(row_offsets[i]);
    const auto last = static_cast<std::size_t>(row_offsets[i + 1]);
    if (std::is_sorted(columns.begin() + row_offsets[i], columns.begin() + row_offsets[i + 1])) {
      continue;
    }
    row.clear();
    for (std::size_t p = first; p < last; ++p) row.emplace_back(columns[p], values[p]);
    std::stable_sort(row.begin(), row.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    for (std::size_t p = first; p < last; ++p) std::tie(columns[p], values[p]) = row[p - first];
  }
}

void TallMatrix::scale_rows(std::span<const double> factors) {
  for (std::size_t i = 0; i < rows; ++i) {
    const std::size_t first = sparse() ? static_cast<std::size_t>(row_offsets[i]) : i * cols;
    const std::size_t last =
        sparse() ? static_cast<std::size_t>(row_offsets[i + 1]) : (i + 1) * cols;
    for (std::size_t p = first; p < last; ++p) values[p] *= factors[i];
  }
}

void TallMatrix::multiply(ThreadPool& pool, std::span<const double> w,
                          std::span<double> out) const {
  const Split split = Split::of(rows, product_rows);
  for_tasks(pool, split.parts, 2 * static_cast<double>(entries()), [&](std::size_t part) {
    const std::size_t first = split.begin(part), last = split.end(part);
    if (!sparse()) {
      blas::gemv(CblasNoTrans, last - first, cols, 1.0, values.data() + first * cols, cols,
                 w.data(), 1, 0.0, out.data() + first, 1);
      return;
    }
    for (std::size_t i = first; i < last; ++i) {
      double sum = 0;
      for (auto p = static_cast<std::size_t>(row_offsets[i]);
           p < static_cast<std::size_t>(row_offsets[i + 1]); ++p) {
        sum += values[p] * w[static_cast<std::size_t>(columns[p])];
      }
      out[i] = sum;
    }
  });
}

void TallMatrix::multiply_transposed(ThreadPool& pool, std::span<const double> p,
                                     std::span<double> out) const {
  const Split split = sum_parts(rows, cols);
  std::vector<double> sums(split.parts * cols, 0.0);
  for_tasks(pool, split.parts, 2 * static_cast<double>(entries()), [&](std::size_t part) {
    const std::size_t first = split.begin(part), last = split.end(part);
    double* sum = sums.data() + part * cols;
    if (!sparse()) {
      blas::gemv(CblasTrans, last - first, cols, 1.0, values.data() + first * cols, cols,
                 p.data() + first, 1, 0.0, sum, 1);
      return;
    }
    for (std::size_t i = first; i < last; ++i) add_row(i, p[i], sum);
  });
  std::copy_n(sums.begin(), cols, out.begin());
  for (std::size_t part = 1; part < split.parts; ++part) {
    for (std::size_t j = 0; j < cols; ++j) out[j] += sums[part * cols + j];
  }
}

void TallMatrix::weighted_gram(ThreadPool& pool, std::span<const double> weights,
                               View<double> out) const {
  sparse() ? sparse_gram(pool, weights, out) : dense_gram(pool, weights, out);
}

void TallMatrix::dense_gram(ThreadPool& pool, std::span<const double> weights,
                            View<double> out) const {
  for (std::size_t j = 0; j < cols; ++j) std::fill_n(out.row(j), cols, 0.0);
  std::vector<double> scaled(std::min(gram_rows, rows) * cols);
  for (std::size_t first = 0; first < rows; first += gram_rows) {
    pool.checkpoint();
    const std::size_t count = std::min(gram_rows, rows - first);
    const Split split = Split::of(count, 128);
    for_tasks(pool, split.parts, 2 * static_cast<double>(count * cols), [&](std::size_t part) {
      for (std::size_t i = split.begin(part); i < split.end(part); ++i) {
        const double root = std::sqrt(weights[first + i]);
        const double* row = values.data() + (first + i) * cols;
        for (std::size_t j = 0; j < cols; ++j) scaled[i * cols + j] = root * row[j];
      }
    });
    add_inner_gram(pool, {scaled.data(), count, cols}, out);
  }
}

/// Outer products of the rows of X, for ranges of rows of the result that stay in the cache, and
/// where these are few for parts of the samples too, each with a sum of its own.
void TallMatrix::sparse_gram(ThreadPool& pool, std::span<const double> weights,
                             View<double> out) const {
  const Split bands = Split::of(cols, std::max<std::size_t>(cached_elements / cols, 1));
  Split split = sum_parts(rows, cols * cols);
  split.parts = std::min(split.parts, divide_up(most_parts, bands.parts));
  std::vector<double> sums((split.parts - 1) * cols * cols);
  for_tasks(pool, split.parts * bands.parts, gram_cost(), [&](std::size_t task) {
    const std::size_t part = task / bands.parts, band = task % bands.parts;
    const auto first_row = static_cast<std::int32_t>(bands.begin(band));
    const auto end_row = static_cast<std::int32_t>(bands.end(band));
    const View<double> sum =
        part == 0 ? out : View<double>(sums.data() + (part - 1) * cols * cols, cols, cols);
    for (std::size_t j = bands.begin(band); j < bands.end(band); ++j) {
      std::fill_n(sum.row(j), cols, 0.0);
    }
    for (std::size_t i = split.begin(part); i < split.end(part); ++i) {
      const auto first = static_cast<std::size_t>(row_offsets[i]);
      const auto last = static_cast<std::size_t>(row_offsets[i + 1]);
      const auto begin = columns.begin();
      auto p = static_cast<std::size_t>(
          std::lower_bound(begin + row_offsets[i], begin + row_offsets[i + 1], first_row) - begin);
      for (; p < last && columns[p] < end_row; ++p) {
        const double value = weights[i] * values[p];
        double* row = sum.row(static_cast<std::size_t>(columns[p]));
        for (std::size_t q = first; q <= p; ++q) row[columns[q]] += value * values[q];
      }
    }
  });
  const Split lines = Split::of(cols, 64);
  for_tasks(pool, lines.parts, static_cast<double>(sums.size()), [&](std::size_t part) {
    for (std::size_t k = 0; k + 1 < split.parts; ++k) {
      for (std::size_t i = lines.begin(part); i < lines.end(part); ++i) {
        const double* sum = sums.data() + (k * cols + i) * cols;
        for (std::size_t j = 0; j <= i; ++j) out.row(i)[j] += sum[j];
      }
    }
  });
}

void TallMatrix::count_sketch(ThreadPool& pool, std::span<const double> scale, const Philox& random,
                              View<double> out) const {
  // The rows by their sums, so that each sum has one writer, which adds in the order of rows.
  std::vector<std::uint32_t> target(rows), order(rows);
  std::vector<std::size_t> start(out.rows + 1, 0);
  std::vector<double> weight(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    const auto words = random.words(i);
    target[i] = static_cast<std::uint32_t>((std::uint64_t{words[0]} * out.rows) >> 32U);
    weight[i] = (words[1] & 1U) != 0 ? scale[i] : -scale[i];
    ++start[target[i] + 1];
  }
  for (std::size_t k = 0; k < out.rows; ++k) start[k + 1] += start[k];
  std::vector<std::size_t> next(start.begin(), start.end() - 1);
  for (std::size_t i = 0; i < rows; ++i) order[next[target[i]]++] = static_cast<std::uint32_t>(i);
  const Split split = Split::of(out.rows, 32);
  const double operations = 2 * static_cast<double>(entries() + out.size());
  for_tasks(pool, split.parts, operations, [&](std::size_t part) {
    for (std::size_t k = split.begin(part); k < split.end(part); ++k) {
      std::fill_n(out.row(k), cols, 0.0);
      for (std::size_t p = start[k]; p < start[k + 1]; ++p) {
        add_row(order[p], weight[order[p]], out.row(k));
      }
    }
  });
}

double TallMatrix::gram_cost() const {
  if (!sparse()) {
    return static_cast<double>(rows) * static_cast<double>(cols) * static_cast<double>(cols);
  }
  double sum = 0;
  for (std::size_t i = 0; i < rows; ++i) {
    const double length = row_offsets[i + 1] - row_offsets[i];
    sum += length * length;
  }
  return sum;
}

}  // namespace secondorder::newton
