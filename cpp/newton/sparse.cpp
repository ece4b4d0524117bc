#include "newton/sparse.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <string>

#include "newton/require_memory.hpp"
#include "newton/vectors.hpp"

namespace secondorder::newton {

namespace {

/// Of a dense pattern: coordinates, their order and places, indices, values.
constexpr double bytes_per_entry = 28;
constexpr std::size_t most_entries = std::numeric_limits<std::int32_t>::max();

[[noreturn]] void refuse(const std::string& name, const char* part, std::size_t k,
                         const std::string& trouble) {
  const std::string entry = name + "." + part + "[" + std::to_string(k) + "]";
  throw Error(ErrorCode::invalid_argument, entry + trouble, name + "." + part);
}

void check(const Coordinates& structure, std::size_t rows, std::size_t cols, const char* name) {
  if (structure.rows.size() != structure.cols.size()) {
    throw Error(ErrorCode::dimension_mismatch,
                std::string(name) +
                    ".rows and .cols differ in length: " + std::to_string(structure.rows.size()) +
                    " and " + std::to_string(structure.cols.size()),
                std::string(name) + ".cols");
  }
  if (structure.size() > most_entries || rows > most_entries || cols > most_entries) {
    throw Error(ErrorCode::invalid_argument, std::string(name) + " has too many entries", name);
  }
  const auto outside = [](std::int32_t index, std::size_t bound) {
    return index < 0 || static_cast<std::size_t>(index) >= bound;
  };
  for (std::size_t k = 0; k < structure.size(); ++k) {
    const std::int32_t row = structure.rows[k], col = structure.cols[k];
    if (outside(row, rows)) {
      refuse(name, "rows", k, " is " + std::to_string(row) + ", of " + std::to_string(rows));
    }
    if (outside(col, cols)) {
      refuse(name, "cols", k, " is " + std::to_string(col) + ", of " + std::to_string(cols));
    }
  }
}

}  // namespace

CompressedPattern::CompressedPattern(std::size_t lines, std::span<const std::int32_t> line,
                                     std::span<const std::int32_t> index)
    : offsets_(lines + 1), places_(line.size()) {
  // Entries by line, then by index within it: a counting sort and a sort of each line.
  std::vector<std::size_t> start(lines + 1);
  for (const std::int32_t l : line) ++start[static_cast<std::size_t>(l) + 1];
  std::partial_sum(start.begin(), start.end(), start.begin());
  std::vector<std::int32_t> order(line.size());
  {
    std::vector<std::size_t> next(start.begin(), start.end() - 1);
    for (std::size_t k = 0; k < line.size(); ++k) {
      order[next[static_cast<std::size_t>(line[k])]++] = static_cast<std::int32_t>(k);
    }
  }
  indices_.reserve(line.size());
  for (std::size_t l = 0; l < lines; ++l) {
    const auto first = order.begin() + static_cast<std::ptrdiff_t>(start[l]);
    const auto last = order.begin() + static_cast<std::ptrdiff_t>(start[l + 1]);
    const auto at = [&](std::int32_t k) { return index[static_cast<std::size_t>(k)]; };
    std::stable_sort(first, last, [&](std::int32_t a, std::int32_t b) { return at(a) < at(b); });
    for (auto k = first; k != last; ++k) {
      if (k == first || at(*k) != at(*(k - 1))) indices_.push_back(at(*k));
      places_[static_cast<std::size_t>(*k)] = static_cast<std::int32_t>(indices_.size()) - 1;
    }
    offsets_[l + 1] = static_cast<std::int32_t>(indices_.size());
  }
}

SparseMatrix::SparseMatrix(std::size_t rows, std::size_t cols, const Coordinates& structure,
                           const char* name)
    : rows_(rows), cols_(cols) {
  check(structure, rows, cols, name);
  pattern_ = std::make_shared<CompressedPattern>(rows, structure.rows, structure.cols);
  values_.resize(pattern_->entries());
}

void SparseMatrix::assign(std::span<const double> coordinates, std::span<const double> row_scale) {
  std::fill(values_.begin(), values_.end(), 0.0);
  const auto places = pattern_->places();
  for (std::size_t k = 0; k < places.size(); ++k) {
    values_[static_cast<std::size_t>(places[k])] += coordinates[k];
  }
  if (row_scale.empty()) return;
  const auto starts = offsets();
  for (std::size_t i = 0; i < rows_; ++i) {
    for (std::int32_t p = starts[i]; p < starts[i + 1]; ++p) {
      values_[static_cast<std::size_t>(p)] *= row_scale[i];
    }
  }
}

void SparseMatrix::multiply(std::span<const double> x, std::span<double> out) const {
  const auto starts = offsets(), cols = columns();
  for (std::size_t i = 0; i < rows_; ++i) {
    double sum = 0;
    for (auto p = static_cast<std::size_t>(starts[i]); p < static_cast<std::size_t>(starts[i + 1]);
         ++p) {
      sum += values_[p] * x[static_cast<std::size_t>(cols[p])];
    }
    out[i] = sum;
  }
}

void SparseMatrix::add_transposed(double factor, std::span<const double> y,
                                  std::span<double> out) const {
  const auto starts = offsets(), cols = columns();
  for (std::size_t i = 0; i < rows_; ++i) {
    const double scaled = factor * y[i];
    for (auto p = static_cast<std::size_t>(starts[i]); p < static_cast<std::size_t>(starts[i + 1]);
         ++p) {
      out[static_cast<std::size_t>(cols[p])] += scaled * values_[p];
    }
  }
}

bool SparseMatrix::finite() const { return all_finite(values_); }

SparseSymmetric::SparseSymmetric(std::size_t order, const Coordinates& lower, const char* name)
    : order_(order) {
  check(lower, order, order, name);
  for (std::size_t k = 0; k < lower.size(); ++k) {
    if (lower.cols[k] > lower.rows[k]) {
      refuse(name, "cols", k,
             " is " + std::to_string(lower.cols[k]) + ", above the diagonal of row " +
                 std::to_string(lower.rows[k]) + "; give the lower triangle alone");
    }
  }
  pattern_ = CompressedPattern(order, lower.cols, lower.rows);
  values_.resize(pattern_.entries());
}

SparseSymmetric SparseSymmetric::dense(std::size_t order) {
  const auto n = static_cast<double>(order);
  require_memory(0.5 * n * n * bytes_per_entry,
                 "a dense Hessian of " + std::to_string(order) + " variables", "hessian");
  Coordinates lower;
  lower.rows.reserve(order * (order + 1) / 2);
  lower.cols.reserve(order * (order + 1) / 2);
  for (std::size_t j = 0; j < order; ++j) {
    for (std::size_t i = j; i < order; ++i) {
      lower.rows.push_back(static_cast<std::int32_t>(i));
      lower.cols.push_back(static_cast<std::int32_t>(j));
    }
  }
  return {order, lower, "hessian"};
}

void SparseSymmetric::assign(std::span<const double> coordinates) {
  std::fill(values_.begin(), values_.end(), 0.0);
  const auto places = pattern_.places();
  for (std::size_t k = 0; k < places.size(); ++k) {
    values_[static_cast<std::size_t>(places[k])] += coordinates[k];
  }
}

void SparseSymmetric::multiply(std::span<const double> x, std::span<double> out) const {
  std::fill(out.begin(), out.end(), 0.0);
  const auto starts = offsets(), row = rows();
  for (std::size_t j = 0; j < order_; ++j) {
    double sum = 0;
    for (auto p = static_cast<std::size_t>(starts[j]); p < static_cast<std::size_t>(starts[j + 1]);
         ++p) {
      const auto i = static_cast<std::size_t>(row[p]);
      sum += values_[p] * x[i];
      if (i != j) out[i] += values_[p] * x[j];
    }
    out[j] += sum;
  }
}

bool SparseSymmetric::finite() const { return all_finite(values_); }

}  // namespace secondorder::newton
