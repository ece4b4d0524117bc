// ADMM on a small random program over any algebra.
#pragma once

#include <numeric>
#include <optional>

#include "algebra/download.hpp"
#include "convex_relu/admm.hpp"
#include "test_support.hpp"

namespace secondorder::test {

/// Samples with orthonormal columns, targets with something to learn, patterns of random gates.
struct AdmmCase {
  GatedShape shape;
  Loss loss = Loss::squared;
  convex_relu::Route route = convex_relu::Route::woodbury;
  std::size_t group = 1;
  bool signed_gates = false;  ///< of alternating signs; one set
  std::vector<double> x, weights;
  convex_relu::Targets targets;
  std::optional<Bits> bits;

  AdmmCase(const GatedShape& s, Loss l, convex_relu::Route r, std::uint64_t seed)
      : shape(s), loss(l), route(r), x(s.rows * s.features) {
    Random random(seed);
    bits.emplace(s.rows, s.gates, random);
    for (double& value : x) value = random.normal();
    for (std::size_t j = 0; j < s.features; ++j) {  // Gram and Schmidt
      for (std::size_t before = 0; before < j; ++before) add(j, before, -dot(j, before));
      const double norm = std::sqrt(dot(j, j));
      for (std::size_t k = 0; k < s.rows; ++k) x[k * s.features + j] /= norm;
    }
    for (std::size_t i = 0; i < s.gates; ++i) {
      std::vector<double> gate(s.features);
      for (double& value : gate) value = random.normal();
      for (std::size_t k = 0; k < s.rows; ++k) {
        const double* row = x.data() + k * s.features;
        bits->set(k, i, std::inner_product(gate.begin(), gate.end(), row, 0.0) >= 0);
      }
    }
    targets.outputs = s.outputs;
    for (std::size_t k = 0; k < s.rows; ++k) {
      const std::size_t label = random.below(s.outputs);
      for (std::size_t o = 0; o < s.outputs; ++o) {
        const double value = 3 * std::abs(x[k * s.features]) + 0.3 * random.normal();
        if (loss == Loss::softmax) {
          targets.y.push_back(o == label ? 1 : 0);
        } else {
          targets.y.push_back(loss == Loss::squared ? value : (value > 0.4 ? 1 : -1));
        }
      }
    }
    targets.total_weight = static_cast<double>(s.rows);
  }

  /// The program but for its matrices.
  template <class Real>
  void describe(convex_relu::Program<Real>& program) const {
    program.loss = loss;
    program.beta = 0.05;
    program.group = group;
    program.eigenvalues.assign(shape.features, 1);
  }
  /// Its matrices, with the gates of the range.
  template <class Real>
  void upload(Algebra<Real>& algebra, convex_relu::Program<Real>& program,
              const convex_relu::GateRange& gates) {
    algebra.upload(std::vector<Real>(x.begin(), x.end()), program.x);
    algebra.upload(std::vector<Real>(targets.y.begin(), targets.y.end()), program.y);
    algebra.fill(program.weights, 1);
    algebra.upload(convex_relu::cut_bits(bits->view(), gates), program.gates);
    if (program.all_bits.words == nullptr) return;
    algebra.upload(convex_relu::cut_bits(bits->view(), {0, shape.gates}), program.all_bits);
  }

 private:
  double dot(std::size_t a, std::size_t b) const {
    double sum = 0;
    for (std::size_t k = 0; k < shape.rows; ++k) {
      sum += x[k * shape.features + a] * x[k * shape.features + b];
    }
    return sum;
  }
  void add(std::size_t to, std::size_t from, double factor) {
    for (std::size_t k = 0; k < shape.rows; ++k) {
      x[k * shape.features + to] += factor * x[k * shape.features + from];
    }
  }
};

/// Its program and its iteration, in the algebra's memory.
template <class Real>
class RunningAdmm {
 public:
  RunningAdmm(Algebra<Real>& algebra, AdmmCase& c) : algebra_(algebra), case_(c) {
    Arena counting;
    lay_out(counting);
    planned_bytes = counting.bytes();
    std::unique_ptr<Memory> memory = algebra.allocate(planned_bytes);
    // Nothing may be read before it is written.
    const std::vector<Real> poison(planned_bytes / sizeof(Real),
                                   std::numeric_limits<Real>::quiet_NaN());
    algebra.upload(poison, {reinterpret_cast<Real*>(memory->data()), 1, poison.size()});
    arena_ = Arena(std::move(memory), planned_bytes);
    lay_out(arena_);
    c.upload(algebra, *program_, {0, c.shape.gates});
    if (case_.signed_gates) {
      std::vector<Real> signs;
      for (std::size_t i = 0; i < c.shape.set_rows(); ++i) signs.push_back(i % 2 == 0 ? 1 : -1);
      algebra.upload(signs, program_->signs);
    }
    algebra.reserve_scratch(c.shape);
    admm->start(1);
  }

  std::size_t planned_bytes = 0;
  std::optional<convex_relu::Admm<Real>> admm;

  std::vector<Real> v() const { return downloaded(algebra_, admm->v()); }
  /// All that an iteration starts from.
  std::vector<Real> state() const {
    std::vector<Real> values;
    for (const View<Real> view : {admm->p(), admm->q(), admm->qz()}) {
      const std::vector<Real> part = downloaded(algebra_, view);
      values.insert(values.end(), part.begin(), part.end());
    }
    return values;
  }
  convex_relu::Bounds bounds() { return admm->bounds(case_.targets); }

 private:
  void lay_out(Arena& arena) {
    program_.emplace(case_.shape, true, arena);
    case_.describe(*program_);
    if (case_.signed_gates) {
      program_->signed_gates = true;
      program_->signs = arena.matrix<Real>(case_.shape.set_rows(), 1);
    }
    admm.emplace(algebra_, arena, *program_, case_.route, 1.7);
  }

  Algebra<Real>& algebra_;
  AdmmCase& case_;
  Arena arena_;
  std::optional<convex_relu::Program<Real>> program_;
};

/// With penalties that are balanced on the way, as training does it.
template <class Solver>
void iterate_balanced(Solver& admm, int iterations) {
  for (int k = 1; k <= iterations; ++k) {
    admm.iterate();
    if (k <= 64 && (k & (k - 1)) == 0) {
      admm.set_penalties(admm.rho() * admm.group_balance(), admm.tau() * admm.loss_balance());
    }
  }
}

}  // namespace secondorder::test
