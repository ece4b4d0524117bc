// What the products with the cone matrices Eᵢ·X of every algebra have to give: naive sums.
#pragma once

#include <doctest/doctest.h>

#include "placed.hpp"
#include "product_checks.hpp"

namespace secondorder::test {

/// Around words of gates (64), tiles of columns (64 to 512) and of rows (64 to 512).
inline const std::vector<GatedShape> cone_cases = {
    {0, 3, 5, 1, 2},     {1, 1, 1, 1, 1},     {1, 4, 63, 1, 2},   {7, 2, 64, 1, 2},
    {9, 5, 65, 1, 2},    {40, 3, 200, 1, 2},  {33, 3, 65, 3, 2},  {20, 2, 64, 10, 2},
    {15, 2, 130, 10, 1}, {600, 3, 200, 2, 2}, {1100, 2, 5, 1, 2}, {513, 4, 1, 1, 1},
    {70, 3, 600, 1, 1}};

template <class Real>
struct ConeInstance : ProductInstance<Real> {
  using ProductInstance<Real>::shape, ProductInstance<Real>::x, ProductInstance<Real>::u,
      ProductInstance<Real>::gates;
  Matrix<Real> q;

  ConeInstance(const GatedShape& s, Random& random)
      : ProductInstance<Real>(s, random),
        q(Matrix<Real>::normal(s.rows, s.parameter_rows(), random, 1)) {}

  Wide activation(std::size_t k, std::size_t row) const {
    Wide sum = 0;
    for (std::size_t j = 0; j < shape.features; ++j) sum += static_cast<Wide>(x(k, j)) * u(row, j);
    return sum;
  }
  Wide sign(std::size_t k, std::size_t row) {
    return gates.e(k, row / shape.outputs % shape.gates);
  }
  std::vector<Wide> adjoint(ConePart part) {
    std::vector<Wide> out(u.rows() * shape.features);
    for (std::size_t k = 0; k < shape.rows; ++k) {
      for (std::size_t row = 0; row < u.rows(); ++row) {
        const Wide value = q(k, row);
        const Wide y = sign(k, row) *
                       (part == ConePart::magnitude ? std::abs(value) : std::max(-value, Wide(0)));
        for (std::size_t j = 0; j < shape.features; ++j)
          out[row * shape.features + j] += y * x(k, j);
      }
    }
    return out;
  }
  std::vector<Wide> relaxed(Wide relaxation) {
    std::vector<Wide> out;
    for (std::size_t k = 0; k < shape.rows; ++k) {
      for (std::size_t row = 0; row < u.rows(); ++row) {
        const Wide value = q(k, row);
        out.push_back(value +
                      relaxation * (sign(k, row) * activation(k, row) - std::max(value, Wide(0))));
      }
    }
    return out;
  }
  /// Predictions, and after them violation and total.
  std::vector<Wide> network() {
    std::vector<Wide> out(shape.rows * shape.outputs);
    Wide violation = 0, total = 0;
    for (std::size_t k = 0; k < shape.rows; ++k) {
      for (std::size_t row = 0; row < u.rows(); ++row) {
        const Wide w = activation(k, row), outside = std::max(-sign(k, row) * w, Wide(0));
        const bool first = row < shape.gates * shape.outputs;
        out[k * shape.outputs + row % shape.outputs] += (first ? 1 : -1) * std::max(w, Wide(0));
        violation += outside * outside;
        total += w * w;
      }
    }
    out.push_back(violation);
    out.push_back(total);
    return out;
  }
};

/// Everything the operations compute, in one vector each.
template <class Real>
struct ConeOutcome {
  std::vector<Real> magnitude, multiplier, relaxed, rescaled, network;
  std::vector<double> sums;

  ConeOutcome(Algebra<Real>& algebra, ConeInstance<Real>& in) {
    const GatedShape& s = in.shape;
    const Placed<Real> x(algebra, in.x), v(algebra, in.u), q(algebra, in.q), moved(algebra, in.q),
        scaled(algebra, in.q), g(algebra, in.u.rows(), s.features),
        out(algebra, s.rows, s.outputs, 1);
    const PlacedBits<Real> gates(algebra, in.gates);
    algebra.cone_adjoint(x, gates, s.outputs, q, ConePart::magnitude, g);
    magnitude = g.flat();
    algebra.cone_adjoint(x, gates, s.outputs, q, ConePart::multiplier, g);
    multiplier = g.flat();
    algebra.cone_relax(x, gates, s.outputs, v, Real(1.75), moved);
    relaxed = moved.flat();
    algebra.cone_rescale(Real(2.5), scaled);
    rescaled = scaled.flat();
    const ConeSums cone = algebra.network_forward(x, gates, s.sets, v, out);
    network = out.flat();
    sums = {cone.violation, cone.total};
    for (const Placed<Real>* m : {&moved, &scaled, &out}) CHECK(m->back().padding_untouched());
  }
};

/// For `cases` and random ones.
template <class Real>
void check_cone_products(Algebra<Real>& algebra, std::vector<GatedShape> cases) {
  Random random(1);
  for (int i = 0; i < 10; ++i) {
    cases.push_back({random.below(150), 1 + random.below(9), 1 + random.below(140),
                     1 + random.below(4), 1 + random.below(2)});
  }
  for (const GatedShape& s : cases) {
    CAPTURE(s);
    ConeInstance<Real> in(s, random);
    const ConeOutcome<Real> got(algebra, in);
    CHECK(error(got.magnitude, in.adjoint(ConePart::magnitude)) < rounding<Real>);
    CHECK(error(got.multiplier, in.adjoint(ConePart::multiplier)) < rounding<Real>);
    CHECK(error(got.relaxed, in.relaxed(Wide(1.75))) < rounding<Real>);
    std::vector<Wide> rescaled, network = in.network();
    for (const Real value : in.q.flat()) rescaled.push_back(value * (value < 0 ? Wide(2.5) : 1));
    CHECK(error(got.rescaled, rescaled) < rounding<Real>);
    const std::vector<Wide> sums(network.end() - 2, network.end());
    network.resize(network.size() - 2);
    CHECK(error(got.network, network) < 4 * rounding<Real>);
    CHECK(error(got.sums, sums) < rounding<Real>);
  }
}

template <class Real>
void check_cone_adjoint_identity(Algebra<Real>& algebra) {
  Random random(3);
  ConeInstance<Real> in({90, 6, 65, 2, 2}, random);
  for (std::size_t k = 0; k < in.q.rows(); ++k) {
    for (std::size_t j = 0; j < in.q.cols(); ++j) in.q(k, j) = std::abs(in.q(k, j));
  }
  const Placed<Real> x(algebra, in.x), v(algebra, in.u), q(algebra, in.q),
      image(algebra, in.q.rows(), in.q.cols()), g(algebra, in.u.rows(), 6);
  const PlacedBits<Real> gates(algebra, in.gates);
  algebra.fill(image, 0);
  algebra.cone_relax(x, gates, 2, v, 1, image);  // E∘(X·Vᵀ)
  algebra.cone_adjoint(x, gates, 2, q, ConePart::magnitude, g);
  check_adjoint<Real>(algebra, image, q, v, g);
}

}  // namespace secondorder::test
