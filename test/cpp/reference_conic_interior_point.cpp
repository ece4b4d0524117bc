#include "reference_conic_interior_point.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "reference_cone_scaling.hpp"

namespace secondorder::reference {

Real dot(std::span<const Real> a, std::span<const Real> b) {
  Real sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

Real norm(std::span<const Real> a) { return std::sqrt(dot(a, a)); }

namespace {

/// Overwrites the lower triangle of a positive semidefinite matrix with its Cholesky factor; pivots
/// lost to rounding are kept at its level.
void factorize(Matrix& a) {
  for (std::size_t i = 0; i < a.rows; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      const Real rest = a(i, j) - dot(a.row(i).first(j), a.row(j).first(j));
      const Real floor = a(i, i) * std::numeric_limits<Real>::epsilon();
      a(i, j) = i == j ? std::sqrt(std::max(rest, floor)) : rest / a(j, j);
    }
  }
}

void solve_factored(const Matrix& factor, Vector& b) {
  for (std::size_t i = 0; i < b.size(); ++i) {
    b[i] = (b[i] - dot(factor.row(i).first(i), {b.data(), i})) / factor(i, i);
  }
  for (std::size_t i = b.size(); i-- > 0;) {
    b[i] /= factor(i, i);
    for (std::size_t j = 0; j < i; ++j) b[j] -= factor(i, j) * b[i];
  }
}

Vector product(const Matrix& a, const Vector& x) {
  Vector out(a.rows);
  for (std::size_t i = 0; i < a.rows; ++i) out[i] = dot(a.row(i), x);
  return out;
}

void add_transposed_product(const Matrix& a, const Vector& x, Vector& out) {
  for (std::size_t i = 0; i < a.rows; ++i) {
    for (std::size_t j = 0; j < a.cols; ++j) out[j] += a(i, j) * x[i];
  }
}

struct Residuals {
  Vector dual;    // grad f(x) + G' z
  Vector primal;  // G x + s - h
  Real complementarity = 0;
  Real merit() const { return norm(dual) + norm(primal) + complementarity; }
};

Residuals residuals_at(const ConicProgram& program, const ConicPoint& point, Matrix& hessian) {
  Residuals out;
  out.dual.resize(point.x.size());
  program.objective(point.x, out.dual, hessian);
  add_transposed_product(program.inequality, point.z, out.dual);
  out.primal = product(program.inequality, point.x);
  for (std::size_t i = 0; i < point.s.size(); ++i) out.primal[i] += point.s[i] - program.bound[i];
  out.complementarity = dot(point.s, point.z);
  return out;
}

struct Direction {
  Vector x, s, z;
};

/// One Newton step; `complement` is the right-hand side of lambda o (W dz + inv(W) ds).
Direction newton_direction(const ConicProgram& program, const Scaling& scaling,
                           const Matrix& factor, const Residuals& residuals,
                           const Vector& complement) {
  Direction out;
  const Vector shift = scaling.times(scaling.lambda_quotient(complement));
  Vector right = residuals.primal;
  for (std::size_t i = 0; i < right.size(); ++i) right[i] += shift[i];
  right = scaling.divide(scaling.divide(right));
  out.x = residuals.dual;
  add_transposed_product(program.inequality, right, out.x);
  for (Real& value : out.x) value = -value;
  solve_factored(factor, out.x);
  const Vector moved = product(program.inequality, out.x);
  out.z = scaling.divide(scaling.divide(moved));
  out.s.resize(moved.size());
  for (std::size_t i = 0; i < moved.size(); ++i) {
    out.z[i] += right[i];
    out.s[i] = -residuals.primal[i] - moved[i];
  }
  return out;
}

void advance(ConicPoint& point, const Direction& direction, Real step) {
  for (std::size_t i = 0; i < point.x.size(); ++i) point.x[i] += step * direction.x[i];
  for (std::size_t i = 0; i < point.s.size(); ++i) {
    point.s[i] += step * direction.s[i];
    point.z[i] += step * direction.z[i];
  }
}

/// Whether no eigenvalue of lambda^2 has fallen far below their mean.
bool central(const ConicProgram& program, const ConicPoint& point) {
  constexpr Real kNeighbourhood = 1e-3L;
  Scaling scaling(program);
  if (!scaling.update(point.s, point.z)) return false;
  return scaling.smallest_eigenvalue_squared() * scaling.degree() >=
         kNeighbourhood * dot(point.s, point.z);
}

}  // namespace

int solve_conic(const ConicProgram& program, ConicPoint& point,
                const std::function<bool(const ConicPoint&)>& done, int max_iterations) {
  const std::size_t rows = program.inequality.rows, variables = program.inequality.cols;
  Scaling scaling(program);
  const Vector identity = scaling.identity(rows);
  point.s = identity;
  point.z = identity;
  Real initial_dual = 0;
  for (int iteration = 0; iteration < max_iterations; ++iteration) {
    if (done(point)) return iteration;
    Matrix hessian(variables, variables);
    const Residuals residuals = residuals_at(program, point, hessian);
    if (iteration == 0) initial_dual = norm(residuals.dual);
    if (!scaling.update(point.s, point.z)) return iteration;

    // H + G' inv(W)^2 G
    Matrix scaled(variables, rows);
    Vector column(rows);
    for (std::size_t j = 0; j < variables; ++j) {
      for (std::size_t i = 0; i < rows; ++i) column[i] = program.inequality(i, j);
      const Vector divided = scaling.divide(column);
      std::copy(divided.begin(), divided.end(), scaled.row(j).begin());
    }
    for (std::size_t i = 0; i < variables; ++i) {
      for (std::size_t j = 0; j <= i; ++j) hessian(i, j) += dot(scaled.row(i), scaled.row(j));
    }
    factorize(hessian);

    const Vector square = scaling.product(scaling.lambda, scaling.lambda);
    const Real barrier = residuals.complementarity / scaling.degree();
    // Aims at the barrier parameter `target`, with Mehrotra's second-order term or without.
    const auto direction_to = [&](Real target, const Direction* predictor) {
      Vector complement(rows);
      for (std::size_t i = 0; i < rows; ++i) complement[i] = target * identity[i] - square[i];
      if (predictor != nullptr) {
        const Vector second_order =
            scaling.product(scaling.divide(predictor->s), scaling.times(predictor->z));
        for (std::size_t i = 0; i < rows; ++i) complement[i] -= second_order[i];
      }
      return newton_direction(program, scaling, hessian, residuals, complement);
    };
    const auto longest_step = [&](const Direction& direction) {
      return std::min(scaling.longest_step(point.s, direction.s),
                      scaling.longest_step(point.z, direction.z));
    };
    const Direction predictor = direction_to(0, nullptr);
    const Real short_of_one = 1 - std::min(Real{1}, longest_step(predictor));
    const Real centering = short_of_one * short_of_one * short_of_one;
    // Where f is not quadratic, stationarity lags behind: the barrier waits for it, or the scaled
    // system becomes singular far from the solution.
    const Real wait = initial_dual > 0 ? norm(residuals.dual) / initial_dual : 0;
    const Real target = std::max(centering * barrier, std::min(barrier, wait));

    // The boldest direction that makes headway without leaving the central path's neighbourhood.
    constexpr Real kHeadway = 0.05L;
    bool moved = false;
    for (int caution = 0; caution < 3 && !moved; ++caution) {
      const Direction direction = caution == 0 ? direction_to(target, &predictor)
                                  : caution == 1
                                      ? direction_to(std::max(target, barrier / 2), nullptr)
                                      : direction_to(barrier, nullptr);
      const Real least = caution < 2 ? kHeadway : kHeadway * kHeadway * kHeadway;
      for (Real step = std::min(Real{1}, Real{0.98L} * longest_step(direction));
           step >= least && !moved; step *= Real{0.7L}) {
        ConicPoint next = point;
        advance(next, direction, step);
        if (!central(program, next)) continue;
        Matrix ignored(variables, variables);
        constexpr Real kGrowth = 2;
        if (!(residuals_at(program, next, ignored).merit() < kGrowth * residuals.merit())) continue;
        point = std::move(next);
        moved = true;
      }
    }
    if (!moved) return iteration;
  }
  return max_iterations;
}

}  // namespace secondorder::reference
