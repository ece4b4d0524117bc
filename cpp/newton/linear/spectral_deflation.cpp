#include "newton/linear/spectral_deflation.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "algebra/cpu/blas.hpp"
#include "algebra/cpu/tiling.hpp"
#include "newton/linear/team_products.hpp"
#include "newton/vectors.hpp"

extern "C" {
void dsyevd_(const char* job, const char* triangle, const int* n, double* a, const int* lda,
             double* w, double* work, const int* lwork, int* iwork, const int* liwork, int* info);
}

namespace secondorder::newton {

namespace {

constexpr std::size_t block_size = 64, probe_size = 16;
/// Ritz values are deflated from this multiple of μ on: MINRES deals with smaller ones itself.
constexpr double outlying = 2;
constexpr double negligible = 1e-14;

/// Independent signs: as good as Gaussians in a sketch, and 128 for one counter.
void fill_signs(const Philox& random, std::size_t first, std::span<double> out) {
  for (std::size_t i = 0; i < out.size(); i += 128) {
    const auto words = random.words((first + i) / 128);
    const std::size_t last = std::min(i + 128, out.size());
    for (std::size_t k = i; k < last; ++k) {
      out[k] = ((words[(k - i) / 32] >> ((k - i) % 32)) & 1U) != 0 ? 1.0 : -1.0;
    }
  }
}

/// Ascending eigenvalues; row i of `a` becomes the i-th eigenvector. Reads one triangle. None where
/// LAPACK fails.
std::vector<double> eigenvalues(View<double> a) {
  const int n = static_cast<int>(a.rows), work_size = 1 + 6 * n + 2 * n * n;
  const int integers_size = 3 + 5 * n;
  std::vector<double> values(a.rows), work(static_cast<std::size_t>(work_size));
  std::vector<int> integers(static_cast<std::size_t>(integers_size));
  int info = 0;
  dsyevd_("V", "U", &n, a.data, &n, values.data(), work.data(), &work_size, integers.data(),
          &integers_size, &info);
  if (info != 0) values.clear();
  return values;
}

}  // namespace

RowBlockPlan SpectralDeflation::plan(std::size_t most) {
  const std::size_t widest = probe_size + std::min(block_size, most);
  return {.rows = 2 * most + 2 * widest, .widest = widest, .core = most};
}

bool SpectralDeflation::build(std::size_t order, std::size_t most, const Philox& random,
                              BlockProduct multiply) {
  order_ = order;
  most_ = std::min(most, order);
  size_ = rank_ = 0;
  if (sketch_and_deflate(random, multiply)) return true;
  size_ = rank_ = 0;
  rest_share_ = 1;
  return false;
}

bool SpectralDeflation::sketch_and_deflate(const Philox& random, BlockProduct multiply) {
  const std::size_t order = order_;
  // The probe is a sketch that never joins the basis, and so stays independent of it. It is made
  // along with the first block: products with few rows are slow ones.
  const RowBlockPlan planned = plan(most_);
  const std::size_t sketched = planned.widest;
  const View<double> all = rows_.reserve(planned.rows, order);
  z_ = all.block(0, most_);
  q_ = all.block(most_, most_);
  signs_ = all.block(2 * most_, sketched);
  image_ = all.block(2 * most_ + sketched, sketched);
  r_.assign(most_ * most_, 0.0);
  t_.assign(most_ * most_, 0.0);
  drawn_.resize(sketched * order);
  const View<double> probe = image_.block(0, probe_size);
  std::uint64_t drawn = 0;
  const auto sketch = [&](std::size_t first, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i, drawn += round_up(order, 128)) {
      fill_signs(random, drawn, std::span(drawn_).subspan(i * order, order));
    }
    const View<double> omega = signs_.block(first, count);
    rows_.upload(std::span(drawn_).first(count * order), omega);
    multiply(omega, image_.block(first, count));
  };
  sketch(0, sketched);
  double spread = effective_rank(probe);
  const double whole = rest_;
  if (!std::isfinite(whole)) return false;
  // For as long as the directions that may still be taken could carry what is left.
  while (spread < static_cast<double>(most_ - size_) && rest_ > negligible * negligible * whole) {
    pool_.checkpoint();
    const std::size_t width = std::min(block_size, most_ - size_), before = size_;
    if (size_ > 0) sketch(probe_size, width);
    const View<double> y = z_.block(size_, width);
    rows_.copy(image_.block(probe_size, width), y);
    small_.resize(std::max(width, probe_size) * most_);
    project_out(y, 0, {small_.data(), width, size_});
    if (!extend(y, multiply)) return false;
    project_out(probe, before, {small_.data(), probe_size, size_ - before});
    spread = effective_rank(probe);
  }
  rest_share_ = whole > 0 ? std::sqrt(rest_ / whole) : 1;
  return size_ == 0 || make_core();
}

void SpectralDeflation::project_out(View<double> y, std::size_t first, View<double> coefficients) {
  if (size_ == first) return;
  rows_.project_out(y, q_.block(first, size_ - first), coefficients);
}

double SpectralDeflation::effective_rank(ConstView<double> y) {
  std::vector<double> products(y.rows * y.rows);
  const View<double> g(products.data(), y.rows, y.rows);
  rows_.gram(y, g);
  rest_ = 0;
  double beside = 0;
  for (std::size_t i = 0; i < y.rows; ++i) {
    rest_ += g.row(i)[i] / static_cast<double>(y.rows);
    for (std::size_t j = 0; j < i; ++j) beside += g.row(i)[j] * g.row(i)[j];
  }
  const double pairs = static_cast<double>(y.rows) * static_cast<double>(y.rows - 1) / 2;
  return beside > 0 ? rest_ * rest_ * pairs / beside : 0;
}

bool SpectralDeflation::extend(View<double> y, BlockProduct multiply) {
  const std::size_t width = y.rows;
  small_.resize(width * std::max(most_, width));
  if (!rows_.orthonormalize(y, {small_.data(), width, width})) return false;
  const View<double> w = q_.block(size_, width);
  multiply(y, w);
  // T = Z·Wᵀ, whose new rows and columns are each other's mirror images
  const View<double> t(t_.data(), most_, most_), r(r_.data(), most_, most_);
  rows_.products(w, z_.block(0, size_ + width), t.block(size_, width).columns(0, size_ + width));
  // W = R·Q, twice projected, for rounding
  const View<double> r_rows = r.block(size_, width), again(small_.data(), width, size_);
  project_out(w, 0, r_rows.columns(0, size_));
  project_out(w, 0, again);
  for (std::size_t i = 0; i < width; ++i) {
    for (std::size_t j = 0; j < size_; ++j) r_rows.row(i)[j] += again.row(i)[j];
  }
  if (!rows_.orthonormalize(w, r_rows.columns(size_, width))) return false;
  size_ += width;
  return true;
}

bool SpectralDeflation::make_core() {
  const std::size_t k = size_;
  const View<double> r(r_.data(), k, k, most_), t(t_.data(), k, k, most_);
  double largest = 0;
  for (std::size_t i = 0; i < k; ++i) largest = std::max(largest, std::abs(r.row(i)[i]));
  std::vector<double> ritz(k * k);
  const View<double> h(ritz.data(), k, k);
  for (std::size_t i = 0; i < k; ++i) {
    if (std::abs(r.row(i)[i]) < negligible * largest) r.row(i)[i] = negligible * largest;
    for (std::size_t j = 0; j <= i; ++j) h.row(i)[j] = h.row(j)[i] = t.row(i)[j];
  }
  blas::trsm(CblasLeft, CblasNoTrans, k, k, r.data, r.stride, h.data, h.stride);
  blas::trsm(CblasRight, CblasTrans, k, k, r.data, r.stride, h.data, h.stride);
  const std::vector<double> theta = eigenvalues(h);
  if (theta.empty()) return false;
  const auto left_out = static_cast<double>(std::max<std::size_t>(order_ - k, 1));
  const double mu = std::max(std::sqrt(rest_ / left_out), negligible * largest);
  std::vector<double> scaled(ritz);
  const View<double> weighted(scaled.data(), k, k);
  for (std::size_t i = 0; i < k; ++i) {
    const double ratio = mu * std::abs(theta[i]);
    const bool deflate = ratio * outlying < 1;
    if (deflate) ++rank_;
    const double weight = deflate ? std::max(ratio, negligible) - 1 : 0;
    for (std::size_t j = 0; j < k; ++j) weighted.row(i)[j] *= weight;
  }
  std::vector<double> core(k * k);
  newton::multiply(pool_, 1, h, Transpose::yes, weighted, Transpose::no, 0, {core.data(), k, k});
  rows_.set_core({core.data(), k, k});
  return true;
}

void SpectralDeflation::apply(std::span<const double> r, std::span<double> out) {
  if (rank_ == 0) {
    std::copy(r.begin(), r.end(), out.begin());
  } else {
    rows_.correct(q_.block(0, size_), r, out);
  }
}

}  // namespace secondorder::newton
