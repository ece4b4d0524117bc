#include "mfac/fisher_blocks_factor.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "algebra/cpu/blas.hpp"
#include "algebra/cpu/tiling.hpp"
#include "base/error.hpp"
#include "mfac/fisher_blocks_divide.hpp"

extern "C" void dpocon_(const char* triangle, const int* n, const double* a, const int* lda,
                        const double* norm, double* rcond, double* work, int* iwork, int* info);

namespace secondorder::mfac {

namespace {

constexpr double epsilon = std::numeric_limits<double>::epsilon();
/// Up to this condition number of ρI + MᵀM its Cholesky factor is exact enough: errors of the
/// inverse's diagonal stay below 1e-11.
constexpr double condition_limit = 2e4;
constexpr std::size_t tile = 256;
/// Up to here factors are one thread's work, and done without LAPACK.
constexpr std::size_t small_order = 256;
/// Samples that are read, and multiplied by L⁻¹, at once.
constexpr std::size_t strip = 128;
constexpr int most_corrections = 4;

/// The lower triangle of MᵀM, or of L⁻¹(ρI + MᵀM)L⁻ᵀ, summed up chunk by chunk.
class Product {
 public:
  Product(Team& team, const TallMatrix& m, double ridge, const TriangularDivider* l,
          View<double> sum)
      : team_(team),
        m_(m),
        ridge_(ridge),
        l_(l),
        samples_(m.samples + (l == nullptr ? 0 : m.order)),
        tiles_(Split::of(m.order, tile)),
        chunk_samples_(std::clamp<std::size_t>(
            round_up(team.chunk_size() / std::max<std::size_t>(m.order, 1), strip), strip,
            std::max(round_up(samples_, strip), strip))) {
    const std::size_t tiles = tiles_.parts * (tiles_.parts + 1) / 2;
    splits_ = divide_up(team.parts(), tiles);
    splits_ = std::clamp<std::size_t>(splits_, 1, chunk_samples_ / strip);
    const std::size_t size = m.order * m.order;
    double* more = team.scratch(Team::partial, (splits_ - 1) * size);
    std::fill_n(more, (splits_ - 1) * size, 0);
    std::fill_n(sum.data, size, 0);
    const auto partial = [&](std::size_t s) {
      return s == 0 ? sum : View<double>(more + (s - 1) * size, m.order, m.order);
    };
    for (std::size_t first = 0; first < samples_; first += chunk_samples_) {
      const std::size_t count = std::min(chunk_samples_, samples_ - first);
      const View<double> chunk = read(first, count);
      const Split split = {count, splits_};
      team.pool.run(tiles * splits_, [&](std::size_t task, int) {
        const std::size_t s = task / tiles;
        add(LowerTile::numbered(task % tiles), chunk, split.begin(s), split.end(s), partial(s));
      });
    }
    for (std::size_t s = 1; s < splits_; ++s) {
      for (std::size_t i = 0; i < size; ++i) sum.data[i] += partial(s).data[i];
    }
    if (l != nullptr) return;
    for (std::size_t i = 0; i < m.order; ++i) sum.row(i)[i] += ridge;
  }

 private:
  /// Samples [first, first + count), times L⁻ᵀ where there is one.
  View<double> read(std::size_t first, std::size_t count) {
    const bool rows = m_.samples_are_rows;
    double* memory = team_.scratch(Team::chunk, chunk_samples_ * m_.order);
    const View<double> chunk(memory, rows ? count : m_.order, rows ? m_.order : count);
    const Split strips = Split::of(count, strip);
    team_.pool.run(strips.parts, [&](std::size_t part, int) {
      const std::size_t begin = strips.begin(part), length = strips.end(part) - begin;
      double* out = rows ? chunk.row(begin) : chunk.data + begin;
      read_strip(first + begin, length, out, chunk.stride);
      if (l_ == nullptr) return;
      if (rows) {
        l_->divide_right({out, length, m_.order, chunk.stride});
      } else {
        l_->divide_left({out, m_.order, length, chunk.stride});
      }
    });
    return chunk;
  }

  /// After the samples of M come the rows of √ρ·I.
  void read_strip(std::size_t first, std::size_t count, double* out, std::size_t stride) const {
    const std::size_t of_m = first < m_.samples ? std::min(count, m_.samples - first) : 0;
    if (of_m > 0) m_.read(first, of_m, out, stride);
    const std::size_t row_step = m_.samples_are_rows ? stride : 1;
    const std::size_t entry_step = m_.samples_are_rows ? 1 : stride;
    for (std::size_t k = of_m; k < count; ++k) {
      for (std::size_t i = 0; i < m_.order; ++i) out[k * row_step + i * entry_step] = 0;
      out[k * row_step + (first + k - m_.samples) * entry_step] = std::sqrt(ridge_);
    }
  }

  void add(LowerTile t, View<double> chunk, std::size_t first, std::size_t last,
           View<double> sum) const {
    const std::size_t i = tiles_.begin(t.i), j = tiles_.begin(t.j);
    const std::size_t rows = tiles_.end(t.i) - i, cols = tiles_.end(t.j) - j;
    const bool by_rows = m_.samples_are_rows;
    const auto transpose = [](bool yes) { return yes ? CblasTrans : CblasNoTrans; };
    const double* left = by_rows ? chunk.row(first) + i : chunk.row(i) + first;
    const double* right = by_rows ? chunk.row(first) + j : chunk.row(j) + first;
    double* out = sum.row(i) + j;
    if (t.i == t.j) {
      cblas_dsyrk(CblasRowMajor, CblasLower, transpose(by_rows), blas::size(rows),
                  blas::size(last - first), 1, left, blas::stride(chunk.stride), 1, out,
                  blas::stride(sum.stride));
    } else {
      blas::gemm(transpose(by_rows), transpose(!by_rows), rows, cols, last - first, 1, left,
                 chunk.stride, right, chunk.stride, 1, out, sum.stride);
    }
  }

  Team& team_;
  const TallMatrix& m_;
  double ridge_;
  const TriangularDivider* l_;
  std::size_t samples_;
  Split tiles_;
  std::size_t chunk_samples_;
  std::size_t splits_ = 1;
};

void clear_upper(View<double> l) {
  for (std::size_t i = 0; i < l.rows; ++i) {
    std::fill(l.row(i) + i + 1, l.row(i) + l.cols, 0.0);
  }
}

double trace(View<double> a) {
  double sum = 0;
  for (std::size_t i = 0; i < a.rows; ++i) sum += a.row(i)[i];
  return sum;
}

/// Whether L·Lᵀ, of this trace, is conditioned well enough. Pivots tell most of it for nothing;
/// where they differ, LAPACK estimates it.
bool well_conditioned(View<double> l, double matrix_trace) {
  double least = std::numeric_limits<double>::infinity(), most = 0;
  for (std::size_t i = 0; i < l.rows; ++i) {
    least = std::min(least, l.row(i)[i]);
    most = std::max(most, l.row(i)[i]);
  }
  constexpr double even_pivots = 4;
  if (most <= even_pivots * least) return true;
  if (most * most > condition_limit * least * least) return false;
  const int n = static_cast<int>(l.rows), stride = static_cast<int>(l.stride);
  double reciprocal = 0;
  int info = 0;
  std::vector<double> work(3 * l.rows);
  std::vector<int> integers(l.rows);
  // Column-major LAPACK sees our lower factor as its upper one. The trace bounds the norm.
  dpocon_("U", &n, l.data, &stride, &matrix_trace, &reciprocal, work.data(), integers.data(),
          &info);
  return reciprocal * condition_limit * static_cast<double>(l.rows) >= 1;
}

/// The Cholesky factor in place, of the matrix shifted up where it has none; the shift. `fill`
/// writes the matrix.
double shifted_cholesky(Team& team, View<double> a, double& matrix_trace,
                        FunctionRef<void()> fill) {
  fill();
  matrix_trace = trace(a);
  double shift = 0;
  for (int attempt = 0; attempt < 6; ++attempt) {
    if (a.rows <= small_order ? small_cholesky(a) : team.algebra.cholesky(a)) {
      clear_upper(a);
      return shift;
    }
    shift = shift == 0 ? 8 * epsilon * matrix_trace : 32 * shift;
    fill();
    for (std::size_t i = 0; i < a.rows; ++i) a.row(i)[i] += shift;
  }
  throw Error(ErrorCode::numerical,
              "a block of the Fisher matrix is not positive definite in float64: the damping is "
              "too small for gradients this large");
}

}  // namespace

void factor_tall(Team& team, const TallMatrix& m, double ridge, View<double> l) {
  const std::size_t n = m.order;
  double l_trace = 0;
  const double shift =
      shifted_cholesky(team, l, l_trace, [&] { Product(team, m, ridge, nullptr, l); });
  if (shift == 0 && (l_trace <= condition_limit * ridge || well_conditioned(l, l_trace))) return;
  View<double> s(team.scratch(Team::correction, n * n), n, n);
  View<double> product(team.scratch(Team::product, n * n), n, n);
  for (int round = 0; round < most_corrections; ++round) {
    const TriangularDivider divider(l);
    double s_trace = 0;
    const double s_shift =
        shifted_cholesky(team, s, s_trace, [&] { Product(team, m, ridge, &divider, s); });
    team.algebra.multiply(1, l, Transpose::no, s, Transpose::no, 0, product);
    std::copy_n(product.data, n * n, l.data);
    if (s_shift == 0 && well_conditioned(s, s_trace)) return;
  }
}

}  // namespace secondorder::mfac
