// Numbers that carry derivatives: exact first and second ones, by hyper-dual numbers (Fike and
// Alonso 2011).
#pragma once

#include <cmath>

namespace secondorder::test {

/// a + b·ε₁ + c·ε₂ + d·ε₁ε₂ with ε₁² = ε₂² = 0: b and c become first derivatives, d a second one.
struct HyperDual {
  double value = 0, first = 0, second = 0, both = 0;
  HyperDual() = default;
  HyperDual(double constant) : value(constant) {}
  HyperDual(double v, double a, double b, double ab) : value(v), first(a), second(b), both(ab) {}
};

/// g(u), given g, g' and g'' at u.
inline HyperDual chain(const HyperDual& u, double g, double slope, double curvature) {
  return {g, slope * u.first, slope * u.second, slope * u.both + curvature * u.first * u.second};
}
inline HyperDual operator+(const HyperDual& a, const HyperDual& b) {
  return {a.value + b.value, a.first + b.first, a.second + b.second, a.both + b.both};
}
inline HyperDual operator-(const HyperDual& a) { return {-a.value, -a.first, -a.second, -a.both}; }
inline HyperDual operator-(const HyperDual& a, const HyperDual& b) { return a + -b; }
inline HyperDual operator*(const HyperDual& a, const HyperDual& b) {
  return {a.value * b.value, a.value * b.first + a.first * b.value,
          a.value * b.second + a.second * b.value,
          a.value * b.both + a.first * b.second + a.second * b.first + a.both * b.value};
}
inline HyperDual exp(const HyperDual& u) {
  const double e = std::exp(u.value);
  return chain(u, e, e, e);
}
inline HyperDual log(const HyperDual& u) {
  return chain(u, std::log(u.value), 1 / u.value, -1 / (u.value * u.value));
}
inline HyperDual sqrt(const HyperDual& u) {
  const double root = std::sqrt(u.value);
  return chain(u, root, 0.5 / root, -0.25 / (root * u.value));
}
inline HyperDual sin(const HyperDual& u) {
  return chain(u, std::sin(u.value), std::cos(u.value), -std::sin(u.value));
}
template <class Real>
Real square(const Real& u) {
  return u * u;
}

}  // namespace secondorder::test
