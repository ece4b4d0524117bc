#include "newton/linear/dense_kkt.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "algebra/cpu/blas.hpp"
#include "algebra/cpu/tiling.hpp"
#include "newton/linear/team_products.hpp"
#include "newton/require_memory.hpp"

namespace secondorder::newton {

namespace {

/// Share of entries from which dense rows win: an entry of a sparse product costs some 6 times one
/// of a dense product.
constexpr double dense_share = 0.15;
constexpr std::size_t always_dense = 48;
constexpr std::size_t mirror_tile = 64;

/// Fills the lower triangle from the upper one.
template <class Real>
void mirror(ThreadPool& pool, View<Real> a) {
  const Split rows = Split::of(a.rows, mirror_tile);
  for_tasks(pool, rows.parts, static_cast<double>(a.size()), [&](std::size_t part) {
    for (std::size_t j0 = 0; j0 < rows.end(part); j0 += mirror_tile) {
      for (std::size_t i = rows.begin(part); i < rows.end(part); ++i) {
        const std::size_t j1 = std::min(j0 + mirror_tile, i);
        for (std::size_t j = j0; j < j1; ++j) a.row(i)[j] = a.row(j)[i];
      }
    }
  });
}

}  // namespace

void require_dense(std::size_t order, double doubles) {
  require_memory(doubles * sizeof(double),
                 "dense algebra for a KKT system of order " + std::to_string(order), "linearSolver",
                 "; 'sparse-ldl' and 'minres' need none");
}

bool DenseKkt::worthwhile(const KktSystem& system) {
  if (system.hessian == nullptr) return false;
  const auto order = static_cast<double>(system.order());
  const double entries =
      2 * static_cast<double>(system.hessian->entries() + system.jacobian->entries());
  return system.order() <= always_dense || entries >= dense_share * order * order;
}

void DenseKkt::assemble(const KktSystem& system, Part part_wanted) {
  const std::size_t n = system.variables, order = system.order();
  if (values_ == nullptr || order != order_) {
    require_dense(order, 1.5 * static_cast<double>(order) * static_cast<double>(order));
    values_ = std::make_unique_for_overwrite<double[]>(order * order);
    order_ = order;
  }
  const View<double> k(values_.get(), order, order);
  const Split rows = Split::of(order, mirror_tile);
  for_tasks(pool_, rows.parts, static_cast<double>(k.size()), [&](std::size_t part) {
    std::fill(k.row(rows.begin(part)), k.row(rows.end(part)), 0.0);
  });
  place_hessian(system, k);
  for (std::size_t i = 0; i < n; ++i) k.row(i)[i] += system.delta_w;
  place_jacobian(system, k);
  for (std::size_t i = n; i < order; ++i) k.row(i)[i] = -system.delta_c;
  if (part_wanted == Part::all) mirror(pool_, k);
}

/// By rows of J where it is nearly full, in tiles of which each is written by one task.
void DenseKkt::place_jacobian(const KktSystem& system, View<double> k) const {
  const std::size_t n = system.variables, m = system.constraints;
  const auto starts = system.jacobian->offsets(), cols = system.jacobian->columns();
  const auto values = system.jacobian->values();
  const Split columns = Split::of(n, 8 * mirror_tile);
  for_tasks(pool_, columns.parts, static_cast<double>(values.size()), [&](std::size_t part) {
    const auto first = static_cast<std::int32_t>(columns.begin(part));
    const auto last = static_cast<std::int32_t>(columns.end(part));
    for (std::size_t i = 0; i < m; ++i) {
      const auto row = cols.subspan(static_cast<std::size_t>(starts[i]),
                                    static_cast<std::size_t>(starts[i + 1] - starts[i]));
      const auto from = std::lower_bound(row.begin(), row.end(), first) - row.begin();
      for (auto p = static_cast<std::size_t>(from); p < row.size() && row[p] < last; ++p) {
        k.row(static_cast<std::size_t>(row[p]))[n + i] =
            values[static_cast<std::size_t>(starts[i]) + p];
      }
    }
  });
}

void DenseKkt::place_hessian(const KktSystem& system, View<double> k) const {
  const std::size_t n = system.variables;
  if (system.hessian == nullptr) {
    std::vector<double> unit(n, 0.0);
    for (std::size_t j = 0; j < n; ++j) {
      pool_.checkpoint();
      unit[j] = 1;
      system.hessian_product(unit, std::span<double>(k.row(j), n));
      unit[j] = 0;
    }
  } else {
    const auto starts = system.hessian->offsets(), rows = system.hessian->rows();
    const auto values = system.hessian->values();
    const Split columns = Split::of(n, mirror_tile);
    for_tasks(pool_, columns.parts, static_cast<double>(values.size()), [&](std::size_t part) {
      for (std::size_t j = columns.begin(part); j < columns.end(part); ++j) {
        for (auto p = static_cast<std::size_t>(starts[j]);
             p < static_cast<std::size_t>(starts[j + 1]); ++p) {
          k.row(j)[static_cast<std::size_t>(rows[p])] = values[p];
        }
      }
    });
  }
}

void DenseKkt::to_single(std::unique_ptr<float[]>& out) const {
  if (out == nullptr) out = std::make_unique_for_overwrite<float[]>(order_ * order_);
  const View<float> single(out.get(), order_, order_);
  const ConstView<double> k = matrix();
  const Split rows = Split::of(order_, mirror_tile);
  for_tasks(pool_, rows.parts, static_cast<double>(k.size()), [&](std::size_t part) {
    for (std::size_t i = rows.begin(part); i < rows.end(part); ++i) {
      for (std::size_t j = i; j < order_; ++j) single.row(i)[j] = static_cast<float>(k.row(i)[j]);
    }
  });
  mirror(pool_, single);
}

void DenseKkt::multiply(std::span<const double> v, std::span<double> out) const {
  cblas_dsymv(CblasRowMajor, CblasUpper, blas::size(order_), 1.0, values_.get(),
              blas::stride(order_), v.data(), 1, 0.0, out.data(), 1);
}

}  // namespace secondorder::newton
