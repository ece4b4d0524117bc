// What every algebra has to do with parameters in groups and with losses over rows.
#pragma once

#include <doctest/doctest.h>

#include "algebra/loss.hpp"
#include "placed.hpp"

namespace secondorder::test {

template <class Real>
std::vector<Wide> wide_norms(const std::vector<Wide>& values, std::size_t group_size) {
  std::vector<Wide> norms;
  for (std::size_t first = 0; group_size > 0 && first < values.size(); first += group_size) {
    Wide squares = 0;
    for (std::size_t j = 0; j < group_size; ++j) squares += values[first + j] * values[first + j];
    norms.push_back(std::sqrt(squares));
  }
  return norms;
}

/// group_threshold, group_norms, dual_norms and relax, with groups that are zero and far from it.
template <class Real>
void check_groups(Algebra<Real>& algebra) {
  Random random(1);
  for (const std::size_t groups : {0U, 1U, 5U, 65U, 3000U}) {
    for (const std::size_t group : {1U, 2U, 3U, 10U}) {
      for (const std::size_t cols : {1U, 7U, 33U}) {
        if (groups * group * cols > 100000) continue;
        CAPTURE(groups);
        CAPTURE(group);
        CAPTURE(cols);
        const std::size_t rows = groups * group;
        auto p = Matrix<Real>::normal(rows, cols, random, 1);
        if (groups > 1) {  // a group that is all zero, and one far above the threshold
          for (std::size_t j = 0; j < group * cols; ++j) p(j / cols, j % cols) = 0;
          for (std::size_t j = 0; j < cols; ++j) p(group, j) = 1000;
        }
        const auto g = Matrix<Real>::normal(rows, cols, random, 2);
        const auto scale = Matrix<Real>::normal(1, cols, random);
        const auto threshold = static_cast<Real>(std::sqrt(group * cols));
        std::vector<Wide> values, want_v, want_b, want_plain, multiplied;
        for (const Real value : p.flat()) values.push_back(value);
        const std::vector<Wide> norms = wide_norms<Real>(values, group * cols);
        for (std::size_t i = 0; i < rows; ++i) {
          const Wide norm = norms[i / group];
          const Wide shrink = norm > threshold ? 1 - threshold / norm : 0;
          for (std::size_t j = 0; j < cols; ++j) {
            const Wide v = shrink * p(i, j), rest = 2 * v - p(i, j);
            want_v.push_back(v);
            want_plain.push_back(scale(0, j) * rest);
            want_b.push_back(scale(0, j) * (rest + 3 * static_cast<Wide>(g(i, j))));
            multiplied.push_back(-static_cast<Wide>(p(i, j)) - Wide(0.5) * g(i, j));
          }
        }
        const Placed<Real> from(algebra, p), gradient(algebra, g), factors(algebra, scale),
            v(algebra, rows, cols, 3), b(algebra, rows, cols), plain(algebra, rows, cols);
        algebra.group_threshold(from, group, threshold, gradient, 3, factors, v, b);
        check_close(v, want_v, rounding<Real>);
        check_close(b, want_b, rounding<Real>);
        algebra.group_threshold(from, group, threshold, {}, 3, factors, v, plain);
        check_close(plain, want_plain, rounding<Real>);

        std::vector<double> got(groups), dual(groups), without(groups);
        algebra.group_norms(from, group, got);
        CHECK(error(got, norms) < rounding<double>);
        algebra.dual_norms(from, -1, gradient, Real(0.5), group, dual);
        CHECK(error(dual, wide_norms<Real>(multiplied, group * cols)) < rounding<double>);
        algebra.dual_norms(from, -1, {}, Real(0.5), group, without);
        CHECK(error(without, norms) < rounding<double>);

        const Matrix<Real> before = plain.back(), reached = v.back();
        std::vector<Wide> want_u, want_p;
        for (std::size_t i = 0; i < rows; ++i) {
          for (std::size_t j = 0; j < cols; ++j) {
            const Wide u = static_cast<Wide>(before(i, j)) - g(i, j);
            want_u.push_back(u);
            want_p.push_back(p(i, j) + Wide(1.5) * (u - reached(i, j)));
          }
        }
        algebra.relax(gradient, -1, v, Real(1.5), plain, from);
        check_close(plain, want_u, rounding<Real>);
        check_close(from, want_p, rounding<Real>);
      }
    }
  }
}

template <class Real>
void check_exact_thresholds(Algebra<Real>& algebra) {
  Matrix<Real> p(2, 2), scale(1, 2);
  p(0, 0) = 3, p(0, 1) = 4, p(1, 0) = 0, p(1, 1) = 0;
  scale(0, 0) = scale(0, 1) = 1;
  const Placed<Real> from(algebra, p), factors(algebra, scale), v(algebra, 2, 2), b(algebra, 2, 2);
  algebra.group_threshold(from, 2, 5, {}, 0, factors, v, b);
  CHECK(v.flat() == std::vector<Real>(4, 0));
  CHECK(b.flat() == std::vector<Real>{-3, -4, 0, 0});
  algebra.group_threshold(from, 2, 0, {}, 0, factors, v, b);
  CHECK(v.flat() == p.flat());
}

/// gates_to_columns, and back.
template <class Real>
void check_layouts(Algebra<Real>& algebra) {
  Random random(2);
  for (const std::size_t gates : {0U, 1U, 5U, 65U}) {
    for (const std::size_t outputs : {1U, 2U, 3U, 10U}) {
      for (const std::size_t r : {1U, 4U, 70U}) {
        const auto u = Matrix<Real>::normal(gates * outputs, r, random);
        const Placed<Real> parameters(algebra, u), columns(algebra, gates * r, outputs, 1),
            returned(algebra, gates * outputs, r);
        algebra.gates_to_columns(parameters, columns);
        const Matrix<Real> got = columns.back();
        bool same = true;
        for (std::size_t i = 0; i < gates; ++i) {
          for (std::size_t o = 0; o < outputs; ++o) {
            for (std::size_t j = 0; j < r; ++j) {
              same = same && got(i * r + j, o) == u(i * outputs + o, j);
            }
          }
        }
        CHECK(same);
        CHECK(got.padding_untouched());
        algebra.columns_to_gates(columns, returned);
        CHECK(identical(returned.flat(), u.flat()));
      }
    }
  }
}

/// loss_prox and loss_value: the loss of each row, weighted.
template <class Real>
void check_row_losses(Algebra<Real>& algebra) {
  Random random(3);
  for (const Loss loss : {Loss::squared, Loss::logistic, Loss::hinge, Loss::softmax}) {
    for (const std::size_t rows : {0U, 1U, 7U, 1500U}) {
      for (const std::size_t c : {1U, 3U}) {
        for (const bool weighted : {false, true}) {
          CAPTURE(static_cast<int>(loss));
          CAPTURE(rows);
          CAPTURE(c);
          const auto q = Matrix<Real>::normal(rows, c, random, 1);
          Matrix<Real> y(rows, c), weights(rows, 1);
          for (std::size_t k = 0; k < rows; ++k) {
            for (std::size_t o = 0; o < c; ++o) {
              y(k, o) =
                  loss == Loss::softmax ? Real(o == k % c) : static_cast<Real>(random.label());
            }
            weights(k, 0) = static_cast<Real>(0.5 + random.uniform());
          }
          const Placed<Real> from(algebra, q), targets(algebra, y),
              placed_weights(algebra, weights), z(algebra, rows, c), a(algebra, rows, c);
          const ConstView<Real> w = weighted ? ConstView<Real>(placed_weights) : ConstView<Real>{};
          algebra.loss_prox(loss, from, targets, w, Real(0.75), z, a);
          const Matrix<Real> reached = z.back();
          const std::vector<Real> flat = q.flat();
          Wide sum = 0;
          std::vector<Real> want, reflected;
          std::vector<double> work(2 * c);
          for (std::size_t k = 0; k < rows; ++k) {
            const double weight = weighted ? static_cast<double>(weights(k, 0)) : 1;
            std::vector<Real> row(c), at;
            for (std::size_t o = 0; o < c; ++o) at.push_back(reached(k, o));
            losses::prox(loss, &flat[k * c], &y(k, 0), Real(0.75) / weight, c, row.data(),
                         work.data());
            sum += weight * losses::value(loss, at.data(), &y(k, 0), c);
            for (std::size_t o = 0; o < c; ++o) {
              want.push_back(row[o]);
              reflected.push_back(2 * row[o] - q(k, o));
            }
          }
          check_close(z, want, rounding<Real>);
          check_close(a, reflected, rounding<Real>);
          CHECK(error(std::vector{algebra.loss_value(loss, z, targets, w)}, std::vector{sum}) <
                rounding<double>);
        }
      }
    }
  }
}

}  // namespace secondorder::test
