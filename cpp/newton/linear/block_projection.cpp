#include "newton/linear/block_projection.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "algebra/cpu/blas.hpp"
#include "algebra/cpu/tiling.hpp"
#include "newton/linear/dense_kkt.hpp"
#include "newton/linear/hadamard.hpp"

namespace secondorder::newton {

std::size_t usual_sketch_size(std::size_t asked, std::size_t order, std::size_t most) {
  const std::size_t usual = std::clamp<std::size_t>(divide_up(order, 8), 1, most);
  return std::min(asked > 0 ? asked : usual, order);
}

void factor_gram(View<double> gram) {
  const std::size_t k = gram.rows;
  const std::vector<double> saved(gram.data, gram.data + gram.size());
  double trace = 0;
  for (std::size_t i = 0; i < k; ++i) trace += gram.row(i)[i];
  const double mean = trace > 0 ? trace / static_cast<double>(k) : 1;
  for (double ridge = 1e-14; !blas::potrf(k, gram.data, gram.stride) && ridge < 1; ridge *= 100) {
    std::copy(saved.begin(), saved.end(), gram.data);
    for (std::size_t i = 0; i < k; ++i) gram.row(i)[i] += ridge * mean;
  }
}

void solve_gram(ConstView<double> factor, std::span<double> right) {
  blas::trsv(CblasNoTrans, factor.rows, factor.data, factor.stride, right.data(), 1);
  blas::trsv(CblasTrans, factor.rows, factor.data, factor.stride, right.data(), 1);
}

Subsets::Subsets(std::size_t n, const Philox& random) : items_(n), random_(random) {
  std::iota(items_.begin(), items_.end(), 0U);
}

/// The first steps of a Fisher–Yates shuffle, from whatever order the last draw left.
std::span<const std::uint32_t> Subsets::draw(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    std::swap(items_[i], items_[i + random_.below(drawn_++, items_.size() - i)]);
  }
  return {items_.data(), count};
}

RowBlock::RowBlock(const RowMatrix& matrix, std::span<const std::uint32_t> chosen)
    : rows(chosen.begin(), chosen.end()), factor(chosen.size() * chosen.size()) {
  std::sort(rows.begin(), rows.end());
  const View<double> gram(factor.data(), rows.size(), rows.size());
  matrix.gram(rows, gram);
  factor_gram(gram);
}

double RowBlock::direction(const RowMatrix& matrix, std::span<const double> b,
                           std::span<const double> x, std::span<double> w) const {
  std::vector<double> residual(rows.size());
  matrix.dots(rows, x, residual);
  double squares = 0;
  for (std::size_t k = 0; k < rows.size(); ++k) {
    residual[k] -= b[rows[k]];
    squares += residual[k] * residual[k];
  }
  solve_gram({factor.data(), rows.size(), rows.size()}, residual);
  matrix.combine(rows, residual, w);
  return squares;
}

void HadamardRows::prepare(const KktSystem& system, const Philox& signs) {
  const std::size_t order = system.order(), padded = std::bit_ceil(order);
  require_dense(order, static_cast<double>(padded + order) * static_cast<double>(order));
  DenseKkt k(pool_);
  k.assemble(system);
  signs_.resize(order);
  for (std::size_t i = 0; i < order; ++i) signs_[i] = signs.uniform(i) < 0.5 ? -1 : 1;
  values_.resize(padded * order);
  const View<double> rows(values_.data(), padded, order);
  for (std::size_t i = 0; i < padded; ++i) {
    double* row = rows.row(i);
    if (i >= order) {
      std::fill_n(row, order, 0.0);
      continue;
    }
    for (std::size_t j = 0; j < order; ++j) row[j] = signs_[i] * k.matrix().row(i)[j];
  }
  hadamard_columns(pool_, rows);
  rows_.set_dense(rows);
}

std::vector<double> HadamardRows::transform(std::span<const double> b) const {
  std::vector<double> out(rows_.rows(), 0.0);
  for (std::size_t i = 0; i < b.size(); ++i) out[i] = signs_[i] * b[i];
  hadamard_columns(pool_, {out.data(), out.size(), 1});
  return out;
}

}  // namespace secondorder::newton
