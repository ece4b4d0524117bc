#include "newton/linear/kkt_rows.hpp"

#include <algorithm>

#include "algebra/cpu/blas.hpp"
#include "algebra/cpu/tiling.hpp"
#include "newton/linear/team_products.hpp"
#include "newton/vectors.hpp"

namespace secondorder::newton {

namespace {

/// Columns of dense rows that one task adds up.
constexpr std::size_t strip = 512;

}  // namespace

void RowMatrix::set_dense(ConstView<double> rows) {
  dense_ = rows;
  rows_ = rows.rows;
  cols_ = rows.cols;
  offsets_.clear();
  measure();
}

void RowMatrix::set_compressed(const KktSystem& system) {
  const std::size_t n = system.variables, m = system.constraints;
  const SparseSymmetric& hessian = *system.hessian;
  const SparseMatrix& jacobian = *system.jacobian;
  rows_ = cols_ = system.order();
  // Every row keeps a place for its diagonal, which the regularizations may add to.
  const auto each_entry = [&](auto visit) {
    for (std::size_t i = 0; i < n + m; ++i) {
      visit(i, i, i < n ? system.delta_w : -system.delta_c);
    }
    for (std::size_t j = 0; j < n; ++j) {
      for (auto p = static_cast<std::size_t>(hessian.offsets()[j]);
           p < static_cast<std::size_t>(hessian.offsets()[j + 1]); ++p) {
        const auto i = static_cast<std::size_t>(hessian.rows()[p]);
        visit(i, j, hessian.values()[p]);
        if (i != j) visit(j, i, hessian.values()[p]);
      }
    }
    for (std::size_t i = 0; i < m; ++i) {
      for (auto p = static_cast<std::size_t>(jacobian.offsets()[i]);
           p < static_cast<std::size_t>(jacobian.offsets()[i + 1]); ++p) {
        const auto j = static_cast<std::size_t>(jacobian.columns()[p]);
        visit(n + i, j, jacobian.values()[p]);
        visit(j, n + i, jacobian.values()[p]);
      }
    }
  };
  std::vector<std::size_t> counts(rows_, 0);
  each_entry([&](std::size_t i, std::size_t, double) { ++counts[i]; });
  // The diagonal may be there twice: products add up what stands in the same place.
  offsets_.assign(rows_ + 1, 0);
  for (std::size_t i = 0; i < rows_; ++i) offsets_[i + 1] = offsets_[i] + counts[i];
  columns_.resize(offsets_.back());
  values_.resize(offsets_.back());
  std::vector<std::size_t> next(offsets_.begin(), offsets_.end() - 1);
  each_entry([&](std::size_t i, std::size_t j, double value) {
    // the first entry of a row is its diagonal: add to it
    const std::size_t place = i == j ? offsets_[i] : next[i];
    const bool new_place = i != j || next[i] == offsets_[i];
    columns_[place] = static_cast<std::int32_t>(j);
    values_[place] = new_place ? value : values_[place] + value;
    if (new_place) ++next[i];
  });
  // close the gaps that merged diagonals left
  std::size_t filled = 0;
  for (std::size_t i = 0; i < rows_; ++i) {
    const std::size_t first = offsets_[i], last = next[i];
    offsets_[i] = filled;
    for (std::size_t p = first; p < last; ++p, ++filled) {
      columns_[filled] = columns_[p];
      values_[filled] = values_[p];
    }
  }
  offsets_[rows_] = filled;
  measure();
}

void RowMatrix::measure() {
  squares_.resize(rows_);
  for (std::size_t i = 0; i < rows_; ++i) {
    if (dense()) {
      squares_[i] = cblas_ddot(blas::size(cols_), dense_.row(i), 1, dense_.row(i), 1);
    } else {
      squares_[i] = 0;
      for (std::size_t p = offsets_[i]; p < offsets_[i + 1]; ++p) {
        squares_[i] += values_[p] * values_[p];
      }
    }
  }
}

double RowMatrix::dot(std::size_t i, std::span<const double> x) const {
  if (dense()) return cblas_ddot(blas::size(cols_), dense_.row(i), 1, x.data(), 1);
  double sum = 0;
  for (std::size_t p = offsets_[i]; p < offsets_[i + 1]; ++p) {
    sum += values_[p] * x[static_cast<std::size_t>(columns_[p])];
  }
  return sum;
}

void RowMatrix::add(std::size_t i, double alpha, std::span<double> x) const {
  if (dense()) {
    cblas_daxpy(blas::size(cols_), alpha, dense_.row(i), 1, x.data(), 1);
    return;
  }
  for (std::size_t p = offsets_[i]; p < offsets_[i + 1]; ++p) {
    x[static_cast<std::size_t>(columns_[p])] += alpha * values_[p];
  }
}

void RowMatrix::dots(std::span<const std::uint32_t> rows, std::span<const double> x,
                     std::span<double> out) const {
  const Split split = Split::of(rows.size(), 32);
  const double operations = static_cast<double>(rows.size()) * static_cast<double>(cols_);
  for_tasks(pool_, split.parts, dense() ? operations : 0, [&](std::size_t part) {
    for (std::size_t k = split.begin(part); k < split.end(part); ++k) out[k] = dot(rows[k], x);
  });
}

void RowMatrix::combine(std::span<const std::uint32_t> rows, std::span<const double> c,
                        std::span<double> out) const {
  std::fill(out.begin(), out.end(), 0.0);
  if (!dense()) {
    for (std::size_t k = 0; k < rows.size(); ++k) add(rows[k], c[k], out);
    return;
  }
  const Split split = Split::of(cols_, strip);
  const double operations = static_cast<double>(rows.size()) * static_cast<double>(cols_);
  for_tasks(pool_, split.parts, operations, [&](std::size_t part) {
    const std::size_t first = split.begin(part), count = split.end(part) - first;
    for (std::size_t k = 0; k < rows.size(); ++k) {
      cblas_daxpy(blas::size(count), c[k], dense_.row(rows[k]) + first, 1, out.data() + first, 1);
    }
  });
}

void RowMatrix::gram(std::span<const std::uint32_t> rows, View<double> out) const {
  if (dense()) {
    std::vector<double> block(rows.size() * cols_);
    const View<double> gathered(block.data(), rows.size(), cols_);
    for (std::size_t k = 0; k < rows.size(); ++k) {
      std::copy_n(dense_.row(rows[k]), cols_, gathered.row(k));
    }
    newton::gram(pool_, gathered, out);
    return;
  }
  std::vector<double> spread(cols_, 0.0);
  for (std::size_t k = 0; k < rows.size(); ++k) {
    add(rows[k], 1, spread);
    for (std::size_t l = k; l < rows.size(); ++l) out.row(l)[k] = dot(rows[l], spread);
    for (std::size_t p = offsets_[rows[k]]; p < offsets_[rows[k] + 1]; ++p) {
      spread[static_cast<std::size_t>(columns_[p])] = 0;
    }
  }
}

void RowMatrix::scatter(std::span<const std::uint32_t> target, std::span<const double> weight,
                        View<double> out) const {
  if (!dense()) {
    for (std::size_t i = 0; i < rows_; ++i) add(i, weight[i], {out.row(target[i]), out.cols});
    return;
  }
  const Split split = Split::of(cols_, strip);
  const double operations = static_cast<double>(rows_) * static_cast<double>(cols_);
  for_tasks(pool_, split.parts, operations, [&](std::size_t part) {
    const std::size_t first = split.begin(part), count = split.end(part) - first;
    for (std::size_t i = 0; i < rows_; ++i) {
      cblas_daxpy(blas::size(count), weight[i], dense_.row(i) + first, 1,
                  out.row(target[i]) + first, 1);
    }
  });
}

void RowMatrix::mix(ConstView<double> s, View<double> out) const {
  if (dense()) {
    newton::multiply(pool_, 1, s, Transpose::no, dense_, Transpose::no, 0, out);
    return;
  }
  for (std::size_t k = 0; k < s.rows; ++k) {
    const std::span<double> row(out.row(k), out.cols);
    std::fill(row.begin(), row.end(), 0.0);
    for (std::size_t i = 0; i < rows_; ++i) add(i, s.row(k)[i], row);
  }
}

void KktRows::prepare(const KktSystem& system) {
  if (system.hessian == nullptr || DenseKkt::worthwhile(system)) {
    prepare_dense(system);
  } else {
    rows_.set_compressed(system);
  }
}

void KktRows::prepare_dense(const KktSystem& system) {
  dense_.assemble(system);
  rows_.set_dense(dense_.matrix());
}

}  // namespace secondorder::newton
