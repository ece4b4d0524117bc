// Nesterov-Todd scaling of the cone R+^l x Q_1 x ... x Q_m at a pair (s, z) of interior points: the
// symmetric W with W z = inv(W) s = lambda, and the cone's Jordan algebra.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>

#include "reference_conic_interior_point.hpp"

namespace secondorder::reference {

/// t^2 - ||u||^2 without cancellation.
inline Real lorentz(std::span<const Real> point) {
  const Real length = norm(point.subspan(1));
  return (point[0] - length) * (point[0] + length);
}

class Scaling {
 public:
  explicit Scaling(const ConicProgram& program) : program_(program) {}

  /// False when (s, z) has left the interior.
  bool update(const Vector& s, const Vector& z) {
    axes_.assign(s.size(), 0);
    sizes_.assign(program_.linear_rows + program_.cone_sizes.size(), 0);
    for (std::size_t i = 0; i < program_.linear_rows; ++i) {
      if (!(s[i] > 0) || !(z[i] > 0)) return false;
      sizes_[i] = std::sqrt(s[i] / z[i]);
    }
    bool interior = true;
    each_cone([&](std::size_t index, std::size_t begin, std::size_t size) {
      const std::span<const Real> primal(s.data() + begin, size), dual(z.data() + begin, size);
      const Real s_square = lorentz(primal), z_square = lorentz(dual);
      if (!(s_square > 0) || !(z_square > 0) || !(primal[0] > 0) || !(dual[0] > 0)) {
        interior = false;
        return;
      }
      const Real s_norm = std::sqrt(s_square), z_norm = std::sqrt(z_square);
      const Real half = std::sqrt((1 + dot(primal, dual) / (s_norm * z_norm)) / 2);
      for (std::size_t j = 0; j < size; ++j) {
        const Real reflected = j == 0 ? dual[j] : -dual[j];
        axes_[begin + j] = (primal[j] / s_norm + reflected / z_norm) / (2 * half);
      }
      sizes_[index] = std::sqrt(s_norm / z_norm);
    });
    if (!interior) return false;
    lambda = times(z);
    return true;
  }

  Vector times(const Vector& a) const { return apply(a, false); }
  Vector divide(const Vector& a) const { return apply(a, true); }

  /// The Jordan product of the cone.
  Vector product(const Vector& a, const Vector& b) const {
    Vector out(a.size());
    for (std::size_t i = 0; i < program_.linear_rows; ++i) out[i] = a[i] * b[i];
    each_cone([&](std::size_t, std::size_t begin, std::size_t size) {
      out[begin] = dot({a.data() + begin, size}, {b.data() + begin, size});
      for (std::size_t j = begin + 1; j < begin + size; ++j) {
        out[j] = a[begin] * b[j] + b[begin] * a[j];
      }
    });
    return out;
  }

  /// The x of lambda o x = b.
  Vector lambda_quotient(const Vector& b) const {
    Vector out(b.size());
    for (std::size_t i = 0; i < program_.linear_rows; ++i) out[i] = b[i] / lambda[i];
    each_cone([&](std::size_t, std::size_t begin, std::size_t size) {
      const std::span<const Real> l(lambda.data() + begin, size), r(b.data() + begin, size);
      const Real head = (l[0] * r[0] - dot(l.subspan(1), r.subspan(1))) / lorentz(l);
      out[begin] = head;
      for (std::size_t j = 1; j < size; ++j) out[begin + j] = (r[j] - head * l[j]) / l[0];
    });
    return out;
  }

  Vector identity(std::size_t rows) const {
    Vector out(rows, 0);
    std::fill_n(out.begin(), program_.linear_rows, Real{1});
    each_cone([&](std::size_t, std::size_t begin, std::size_t) { out[begin] = 1; });
    return out;
  }

  /// The largest step from `a` along `direction` that stays in the cone.
  Real longest_step(const Vector& a, const Vector& direction) const {
    Real step = std::numeric_limits<Real>::infinity();
    for (std::size_t i = 0; i < program_.linear_rows; ++i) {
      if (direction[i] < 0) step = std::min(step, -a[i] / direction[i]);
    }
    each_cone([&](std::size_t, std::size_t begin, std::size_t size) {
      const std::span<const Real> x(a.data() + begin, size), d(direction.data() + begin, size);
      const Real linear = x[0] * d[0] - dot(x.subspan(1), d.subspan(1));
      const Real constant = lorentz(x);
      const Real discriminant = linear * linear - lorentz(d) * constant;
      if (discriminant < 0) return;
      const Real denominator = std::sqrt(discriminant) - linear;
      if (denominator > 0) step = std::min(step, constant / denominator);
    });
    return step;
  }

  /// The least eigenvalue of lambda o lambda.
  Real smallest_eigenvalue_squared() const {
    Real least = std::numeric_limits<Real>::infinity();
    for (std::size_t i = 0; i < program_.linear_rows; ++i) least = std::min(least, lambda[i]);
    each_cone([&](std::size_t, std::size_t begin, std::size_t size) {
      const std::span<const Real> l(lambda.data() + begin, size);
      least = std::min(least, l[0] - norm(l.subspan(1)));
    });
    return least > 0 ? least * least : 0;
  }

  Real degree() const {
    return static_cast<Real>(program_.linear_rows + program_.cone_sizes.size());
  }

  Vector lambda;

 private:
  template <typename Body>
  void each_cone(Body body) const {
    std::size_t begin = program_.linear_rows;
    for (std::size_t j = 0; j < program_.cone_sizes.size(); ++j) {
      body(program_.linear_rows + j, begin, program_.cone_sizes[j]);
      begin += program_.cone_sizes[j];
    }
  }

  Vector apply(const Vector& a, bool inverse) const {
    Vector out(a.size());
    for (std::size_t i = 0; i < program_.linear_rows; ++i) {
      out[i] = inverse ? a[i] / sizes_[i] : a[i] * sizes_[i];
    }
    each_cone([&](std::size_t index, std::size_t begin, std::size_t size) {
      const Real scale = inverse ? 1 / sizes_[index] : sizes_[index];
      const Real sign = inverse ? -1 : 1;
      const std::span<const Real> w(axes_.data() + begin, size), r(a.data() + begin, size);
      const Real along = dot(w.subspan(1), r.subspan(1));
      out[begin] = scale * (w[0] * r[0] + sign * along);
      const Real shift = sign * r[0] + along / (1 + w[0]);
      for (std::size_t j = 1; j < size; ++j) out[begin + j] = scale * (r[j] + shift * w[j]);
    });
    return out;
  }

  const ConicProgram& program_;
  Vector axes_;
  Vector sizes_;
};

}  // namespace secondorder::reference
