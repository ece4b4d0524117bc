// The u-update of every route against a dense solve of the whole normal equations:
//   (diag(B) + k·F̄ᵀF̄)·u = B·b + k·F̄ᵀa,  F̄ = [F, −F] (ReLU) or F (gated),
// b the minimizer without the data term. Bar 1 of the design: 1e-12 in float64.
#include "convex_relu/u_update.hpp"

#include <doctest/doctest.h>

#include <optional>

#include "convex_relu/route.hpp"
#include "test_support.hpp"

using namespace secondorder;
using namespace secondorder::convex_relu;
using namespace secondorder::test;

namespace {

struct Instance {
  GatedShape shape;
  std::vector<double> eigenvalues;
  Matrix<double> x, b, a;
  Bits bits;

  Instance(const GatedShape& s, Random& random)
      : shape(s),
        x(Matrix<double>::normal(s.rows, s.features, random)),
        b(Matrix<double>::normal(s.parameter_rows(), s.features, random)),
        a(Matrix<double>::normal(s.rows, s.outputs, random)),
        bits(s.rows, s.gates, random) {
    for (std::size_t j = 0; j < s.features; ++j) eigenvalues.push_back(2 * random.uniform());
  }

  /// u and the residual a − F̄u by Gaussian elimination in extended precision, output by output.
  std::pair<std::vector<Wide>, std::vector<Wide>> dense(double k) {
    const std::size_t n = shape.rows, r = shape.features, P = shape.gates, c = shape.outputs;
    const std::size_t size = shape.sets * P * r;
    std::vector<Wide> f(n * size), u(shape.parameter_rows() * r), residual(n * c);
    for (std::size_t row = 0; row < n; ++row) {
      for (std::size_t col = 0; col < size; ++col) {
        const std::size_t set = col / (P * r), gate = col / r % P;
        f[row * size + col] = (set == 0 ? 1 : -1) * bits.d(row, gate) * x(row, col % r);
      }
    }
    std::vector<Wide> system(size * (size + c));
    const std::size_t width = size + c;
    const auto place = [&](std::size_t col, std::size_t o) {  // row of the parameters, feature
      return ((col / r) * c + o) * r + col % r;
    };
    for (std::size_t i = 0; i < size; ++i) {
      const Wide metric =
          shape.sets == 2 ? 1 + static_cast<Wide>(gamma_cone) * eigenvalues[i % r] : 1;
      for (std::size_t j = 0; j < size; ++j) {
        Wide sum = i == j ? metric : 0;
        for (std::size_t row = 0; row < n; ++row) sum += k * f[row * size + i] * f[row * size + j];
        system[i * width + j] = sum;
      }
      for (std::size_t o = 0; o < c; ++o) {
        Wide sum = metric * b(place(i, o) / r, i % r);
        for (std::size_t row = 0; row < n; ++row) sum += k * f[row * size + i] * a(row, o);
        system[i * width + size + o] = sum;
      }
    }
    for (std::size_t i = 0; i < size; ++i) {  // positive definite: no pivoting
      for (std::size_t row = 0; row < size; ++row) {
        if (row == i) continue;
        const Wide factor = system[row * width + i] / system[i * width + i];
        for (std::size_t j = i; j < width; ++j)
          system[row * width + j] -= factor * system[i * width + j];
      }
    }
    for (std::size_t o = 0; o < c; ++o) {
      for (std::size_t row = 0; row < n; ++row) residual[row * c + o] = a(row, o);
      for (std::size_t i = 0; i < size; ++i) {
        const Wide value = system[i * width + size + o] / system[i * width + i];
        u[place(i, o)] = value;
        for (std::size_t row = 0; row < n; ++row)
          residual[row * c + o] -= f[row * size + i] * value;
      }
    }
    return {u, residual};
  }
};

/// A program in poisoned memory, and the route's answers from it.
template <class Real>
class Solver {
 public:
  Solver(Instance& instance, Route route, Loss loss) : instance_(instance), algebra_(2) {
    Arena counting;
    lay_out(counting, route, loss);
    arena_ = poisoned_arena<Real>(algebra_, counting.bytes());
    lay_out(arena_, route, loss);
    CHECK(arena_.bytes() == counting.bytes());
    upload(instance.x, program_->x);
    std::copy_n(instance.bits.view().words, instance.shape.rows * program_->gates.stride(),
                program_->gates.words);
  }

  /// max error of u and of the residual, at coefficient k for the target `a`.
  std::pair<double, double> errors(double k, double accuracy, bool refactor = true) {
    const GatedShape& s = instance_.shape;
    if (refactor) update_->factor(k);
    upload(instance_.a, a_);
    Matrix<double> delta(s.set_rows(), s.features);
    for (std::size_t i = 0; i < s.set_rows(); ++i) {
      for (std::size_t j = 0; j < s.features; ++j) {
        delta(i, j) = instance_.b(i, j) - (s.sets == 2 ? instance_.b(s.set_rows() + i, j) : 0);
      }
    }
    upload(delta, delta_);
    update_->correct(delta_, a_, accuracy, t_);
    std::vector<Real> u;
    for (std::size_t row = 0; row < s.parameter_rows(); ++row) {
      for (std::size_t j = 0; j < s.features; ++j) {
        const Real t = t_.row(row % s.set_rows())[j];
        u.push_back(static_cast<Real>(instance_.b(row, j)) + (row < s.set_rows() ? t : -t));
      }
    }
    const ConstView<Real> r = update_->residual();
    const auto [want_u, want_r] = instance_.dense(k);
    return {error(u, want_u), error(std::vector<Real>(r.data, r.data + r.size()), want_r)};
  }
  UUpdate<Real>& update() { return *update_; }

 private:
  void lay_out(Arena& arena, Route route, Loss loss) {
    program_.emplace(instance_.shape, false, arena);
    program_->loss = loss;
    program_->eigenvalues = instance_.eigenvalues;
    const GatedShape& s = instance_.shape;
    a_ = arena.matrix<Real>(s.rows, s.outputs);
    delta_ = arena.matrix<Real>(s.set_rows(), s.features);
    t_ = arena.matrix<Real>(s.set_rows(), s.features);
    update_ = make_u_update(route, algebra_, arena, *program_);
  }
  void upload(const Matrix<double>& from, View<Real> to) {
    const std::vector<double> flat = from.flat();
    algebra_.upload(std::vector<Real>(flat.begin(), flat.end()), to);
  }

  Instance& instance_;
  CpuAlgebra<Real> algebra_;
  Arena arena_;
  std::optional<Program<Real>> program_;
  View<Real> a_, delta_, t_;
  std::unique_ptr<UUpdate<Real>> update_;
};

const std::vector<GatedShape> shapes = {{1, 1, 1, 1, 2},   {6, 2, 3, 1, 2},  {20, 3, 5, 1, 2},
                                        {9, 4, 4, 3, 2},   {12, 3, 4, 2, 1}, {25, 2, 9, 1, 1},
                                        {5, 3, 10, 10, 1}, {40, 2, 2, 2, 2}, {3, 2, 65, 1, 1}};

}  // namespace

TEST_SUITE("u-update") {
  TEST_CASE("woodbury and gram equal the dense solve to 1e-12") {
    Random random(1);
    for (const Route route : {Route::woodbury, Route::gram}) {
      for (const Loss loss : {Loss::squared, Loss::logistic}) {
        for (const GatedShape& shape : shapes) {
          CAPTURE(name(route));
          CAPTURE(shape.rows);
          CAPTURE(shape.gates);
          CAPTURE(shape.outputs);
          CAPTURE(shape.sets);
          Instance instance(shape, random);
          Solver<double> solver(instance, route, loss);
          for (const double k : {1.0, 0.01, 100.0}) {
            CAPTURE(k);
            const auto [u, residual] = solver.errors(k, 0);
            CHECK(u <= 1e-12);
            CHECK(residual <= 1e-12 * std::max(1.0, k));
            // A second right-hand side with the same factor; the target may move unless squared.
            instance.b = Matrix<double>::normal(shape.parameter_rows(), shape.features, random);
            if (loss != Loss::squared) {
              instance.a = Matrix<double>::normal(shape.rows, shape.outputs, random);
            }
            const auto again = solver.errors(k, 0, false);
            CHECK(again.first <= 1e-12);
          }
        }
      }
    }
  }

  TEST_CASE("conjugate gradients reach the accuracy they are asked for, warm or cold") {
    Random random(2);
    for (const GatedShape& shape : shapes) {
      for (const double k : {1.0, 0.05, 20.0}) {
        CAPTURE(shape.rows);
        CAPTURE(shape.gates);
        CAPTURE(shape.outputs);
        CAPTURE(shape.sets);
        CAPTURE(k);
        Instance instance(shape, random);
        Solver<double> solver(instance, Route::conjugate_gradient, Loss::logistic);
        CHECK(solver.update().iterative());
        solver.errors(k, 1e-9);  // the first answer is loose by design
        for (const double accuracy : {1e-3, 1e-8}) {
          instance.b = Matrix<double>::normal(shape.parameter_rows(), shape.features, random);
          const auto [u, residual] = solver.errors(k, accuracy, false);
          CHECK(u <= 2 * accuracy);  // B ≥ 1: the error of u is below that of B·u
          CHECK(std::isfinite(residual));
        }
      }
    }
  }

  TEST_CASE("conjugate gradients read nothing that was not written") {
    Random random(3);
    Instance instance({20, 3, 5, 2, 2}, random);
    Solver<double> solver(instance, Route::conjugate_gradient, Loss::squared);
    const auto [u, residual] = solver.errors(1, 0);
    CHECK(std::isfinite(u));
    CHECK(std::isfinite(residual));
  }

  TEST_CASE("in float the direct routes are as exact as float is") {
    Random random(4);
    for (const Route route : {Route::woodbury, Route::gram}) {
      for (const GatedShape& shape : shapes) {
        Instance instance(shape, random);
        Solver<float> solver(instance, route, Loss::squared);
        CHECK(solver.errors(1, 0).first < 1e-4);
      }
    }
  }

  TEST_CASE("names of the routes") {
    CHECK(std::string(name(Route::woodbury)) == "woodbury");
    CHECK(std::string(name(Route::gram)) == "gram");
    CHECK(std::string(name(Route::conjugate_gradient)) == "cg");
    CHECK(std::string(name(Route::automatic)) == "auto");
  }
}
