// Products with the cone matrices Eᵢ·X, against naive sums.
#include <doctest/doctest.h>

#include "product_checks.hpp"

using namespace secondorder;
using namespace secondorder::test;

namespace {

struct Shape {
  std::size_t rows, features, gates, outputs, sets;
};

/// Around words of gates (64), tiles of columns (64 to 512) and of rows (64 to 512).
const std::vector<Shape> shapes = {{0, 3, 5, 1, 2},     {1, 1, 1, 1, 1},    {1, 4, 63, 1, 2},
                                   {7, 2, 64, 1, 2},    {9, 5, 65, 1, 2},   {40, 3, 200, 1, 2},
                                   {33, 3, 65, 3, 2},   {20, 2, 64, 10, 2}, {15, 2, 130, 10, 1},
                                   {600, 3, 200, 2, 2}, {1100, 2, 5, 1, 2}, {513, 4, 1, 1, 1},
                                   {70, 3, 600, 1, 1}};

template <class Real>
struct Instance {
  Shape shape;
  Matrix<Real> x, v, q;
  Bits gates;

  Instance(const Shape& s, Random& random)
      : shape(s),
        x(Matrix<Real>::normal(s.rows, s.features, random, 2)),
        v(Matrix<Real>::normal(s.sets * s.gates * s.outputs, s.features, random)),
        q(Matrix<Real>::normal(s.rows, s.sets * s.gates * s.outputs, random, 1)),
        gates(s.rows, s.gates, random) {}

  Wide activation(std::size_t k, std::size_t row) const {
    Wide sum = 0;
    for (std::size_t j = 0; j < shape.features; ++j) sum += static_cast<Wide>(x(k, j)) * v(row, j);
    return sum;
  }
  Wide sign(std::size_t k, std::size_t row) {
    return gates.e(k, row / shape.outputs % shape.gates);
  }
  std::vector<Wide> adjoint(ConePart part) {
    std::vector<Wide> out(v.rows() * shape.features);
    for (std::size_t k = 0; k < shape.rows; ++k) {
      for (std::size_t row = 0; row < v.rows(); ++row) {
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
      for (std::size_t row = 0; row < v.rows(); ++row) {
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
      for (std::size_t row = 0; row < v.rows(); ++row) {
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
struct Outcome {
  std::vector<Real> magnitude, multiplier, relaxed, rescaled, network;
  std::vector<double> sums;

  Outcome(CpuAlgebra<Real>& algebra, Instance<Real>& in) {
    const Shape& s = in.shape;
    Matrix<Real> g(in.v.rows(), s.features), out(s.rows, s.outputs, 1), q = in.q;
    algebra.cone_adjoint(in.x, in.gates, s.outputs, in.q, ConePart::magnitude, g);
    magnitude = g.flat();
    algebra.cone_adjoint(in.x, in.gates, s.outputs, in.q, ConePart::multiplier, g);
    multiplier = g.flat();
    algebra.cone_relax(in.x, in.gates, s.outputs, in.v, Real(1.75), q);
    relaxed = q.flat();
    CHECK(q.padding_untouched());
    q = in.q;
    algebra.cone_rescale(Real(2.5), q);
    rescaled = q.flat();
    CHECK(q.padding_untouched());
    const ConeSums cone = algebra.network_forward(in.x, in.gates, s.sets, in.v, out);
    network = out.flat();
    sums = {cone.violation, cone.total};
    CHECK(out.padding_untouched());
  }
};

}  // namespace

TEST_SUITE("cone products") {
  TEST_CASE_TEMPLATE("against naive sums, every kernel table", Real, float, double) {
    for (const std::string& table : kernel_names()) {
      CpuAlgebra<Real> algebra(2, *kernels_named<Real>(table.c_str()));
      Random random(1);
      std::vector<Shape> all = shapes;
      for (int i = 0; i < 10; ++i) {
        all.push_back({random.below(150), 1 + random.below(9), 1 + random.below(140),
                       1 + random.below(4), 1 + random.below(2)});
      }
      for (const Shape& s : all) {
        CAPTURE(table);
        CAPTURE(s.rows);
        CAPTURE(s.features);
        CAPTURE(s.gates);
        CAPTURE(s.outputs);
        CAPTURE(s.sets);
        Instance<Real> in(s, random);
        const Outcome<Real> got(algebra, in);
        CHECK(error(got.magnitude, in.adjoint(ConePart::magnitude)) < rounding<Real>);
        CHECK(error(got.multiplier, in.adjoint(ConePart::multiplier)) < rounding<Real>);
        CHECK(error(got.relaxed, in.relaxed(Wide(1.75))) < rounding<Real>);
        std::vector<Wide> rescaled, network = in.network();
        for (const Real value : in.q.flat())
          rescaled.push_back(value * (value < 0 ? Wide(2.5) : 1));
        CHECK(error(got.rescaled, rescaled) < rounding<Real>);
        const std::vector<Wide> sums(network.end() - 2, network.end());
        network.resize(network.size() - 2);
        CHECK(error(got.network, network) < 4 * rounding<Real>);
        CHECK(error(got.sums, sums) < rounding<Real>);
      }
    }
  }

  TEST_CASE_TEMPLATE("the same bits for 1, 2 and 3 threads", Real, float, double) {
    for (const Shape s : {Shape{3000, 5, 65, 1, 2}, {900, 7, 200, 3, 2}, {2000, 3, 70, 2, 1}}) {
      check_threads_agree<Real>([&](CpuAlgebra<Real>& algebra) {
        Random random(2);
        Instance<Real> in(s, random);
        const Outcome<Real> out(algebra, in);
        const auto widened = [](const std::vector<Real>& values) {
          return std::vector<double>(values.begin(), values.end());
        };
        return std::vector{widened(out.magnitude), widened(out.multiplier), widened(out.relaxed),
                           widened(out.rescaled),  widened(out.network),    out.sums};
      });
    }
  }

  TEST_CASE_TEMPLATE("adjoint identity of the cones", Real, float, double) {
    CpuAlgebra<Real> algebra(2);
    Random random(3);
    Instance<Real> in({90, 6, 65, 2, 2}, random);
    Matrix<Real> image(in.q.rows(), in.q.cols()), g(in.v.rows(), 6);
    algebra.fill(image, 0);
    algebra.cone_relax(in.x, in.gates, 2, in.v, 1, image);  // E∘(X·Vᵀ)
    for (std::size_t k = 0; k < in.q.rows(); ++k) {
      for (std::size_t j = 0; j < in.q.cols(); ++j) in.q(k, j) = std::abs(in.q(k, j));
    }
    algebra.cone_adjoint(in.x, in.gates, 2, in.q, ConePart::magnitude, g);
    check_adjoint<Real>(algebra, image, in.q, in.v, g);
  }
}
