// u-update by preconditioned conjugate gradients on the scaled operator
//
//   (I + kS·A)·s = k·B^−½·Fᵀ(a − Fδ),   A = B^−½·FᵀF·B^−½,   t = B^−½·s,
//
// warm started from the last u, with a randomized Nyström preconditioner (Frangella, Tropp, Udell,
// "Randomized Nyström preconditioning", 2021) for A. All outputs share the operator and are solved
// as one system. Of several shards each has its gates' rows of all vectors, and of U; what is F's
// or a product of vectors is a sum over the shards.
#include <algorithm>
#include <cmath>

#include "algebra/philox.hpp"
#include "convex_relu/symmetric_eigen.hpp"
#include "convex_relu/u_update.hpp"

namespace secondorder::convex_relu {

namespace {

constexpr std::size_t most_iterations = 60;
/// Rows the preconditioner is built on, at most: it needs A's leading directions only.
constexpr std::size_t sketch_rows = 16384;
constexpr std::uint64_t sketch_stream = 101;

template <class Real>
class ConjugateGradient final : public UUpdate<Real> {
 public:
  ConjugateGradient(Algebra<Real>& algebra, Arena& arena, const Program<Real>& program,
                    Communicator communicator)
      : algebra_(algebra),
        program_(program),
        communicator_(communicator),
        unknowns_(program.shape.gates * program.shape.features),
        rank_(sketch_rank(program.all_gates, program.shape.features)),
        u_(parameters(arena)),
        s_(parameters(arena)),
        gradient_(parameters(arena)),
        direction_(parameters(arena)),
        image_(parameters(arena)),
        preconditioned_(parameters(arena)),
        scaled_(parameters(arena)),
        prediction_(arena.matrix<Real>(program.shape.rows, program.shape.outputs)),
        columns_(arena.matrix<Real>(unknowns_, program.shape.outputs)),
        coordinates_(arena.matrix<Real>(rank_, program.shape.outputs)),
        vectors_(arena.matrix<Real>(unknowns_, rank_)),
        weighted_(arena.matrix<Real>(unknowns_, rank_)),
        sketch_(arena.matrix<Real>(program.shape.gates * rank_, program.shape.features)),
        sketch_image_(arena.matrix<Real>(program.shape.gates * rank_, program.shape.features)),
        sketch_prediction_(arena.matrix<Real>(std::min(sketch_rows, program.shape.rows), rank_)),
        root_(arena.matrix<Real>(1, program.shape.features)),
        inverse_root_(arena.matrix<Real>(1, program.shape.features)),
        weights_(arena.matrix<Real>(1, rank_)) {}

  void factor(double k) override {
    if (eigenvalues_.empty()) build_preconditioner();
    k_ = k;
    // P⁻¹ = I + U·(((1 + kS·σ_last)/(1 + kS·σ)) − 1)·Uᵀ
    const double ks = k * static_cast<double>(program_.shape.sets);
    std::vector<Real> weights;
    for (const double value : eigenvalues_) {
      weights.push_back(static_cast<Real>((1 + ks * eigenvalues_.back()) / (1 + ks * value) - 1));
    }
    algebra_.upload(weights, weights_);
    algebra_.copy(vectors_, weighted_);
    algebra_.scale_columns(weights_, weighted_);
  }

  void correct(ConstView<Real> delta, ConstView<Real> a, double accuracy, View<Real> t) override {
    const Real sets = static_cast<Real>(program_.shape.sets);
    if (started_) {  // t₀ = (u_last − δ)/S
      algebra_.copy(delta, s_);
      algebra_.axpby(1 / sets, u_, -1 / sets, s_);
    } else {
      algebra_.fill(s_, 0);
    }
    algebra_.copy(delta, u_);
    algebra_.axpby(sets, s_, 1, u_);
    algebra_.scale_columns(root_, s_);
    // residual: k·B^−½·Fᵀ(a − F(δ + S·t₀)) − s₀
    predict(u_);
    algebra_.axpby(1, a, -1, prediction_);
    algebra_.gated_adjoint(program_.x, program_.gates, prediction_, gradient_);
    algebra_.scale_columns(inverse_root_, gradient_);
    algebra_.axpby(-1, s_, static_cast<Real>(k_), gradient_);
    iterate(accuracy);
    algebra_.copy(s_, t);
    algebra_.scale_columns(inverse_root_, t);
    algebra_.copy(delta, u_);
    algebra_.axpby(sets, t, 1, u_);
    started_ = true;
    a_ = a;
  }

  ConstView<Real> residual() override {
    predict(u_);
    algebra_.axpby(1, a_, -1, prediction_);
    return prediction_;
  }

  bool iterative() const override { return true; }
  std::size_t inner_iterations() const override { return iterations_; }

 private:
  View<Real> parameters(Arena& arena) const {
    return arena.matrix<Real>(program_.shape.set_rows(), program_.shape.features);
  }

  /// prediction = F·u
  void predict(View<Real> u) {
    algebra_.gated_forward(program_.x, program_.gates, u, prediction_);
    communicator_.sum(algebra_, prediction_);
  }

  void iterate(double accuracy) {
    double squares = product(gradient_, gradient_);
    const double wanted = std::max(accuracy, started_ ? 0 : 0.05 * std::sqrt(squares));
    precondition();
    algebra_.copy(preconditioned_, direction_);
    double descent = product(gradient_, preconditioned_);
    for (std::size_t i = 0; i < most_iterations && std::sqrt(squares) > wanted; ++i) {
      apply();
      const double curvature = product(direction_, image_);
      if (!(curvature > 0)) return;
      const auto step = static_cast<Real>(descent / curvature);
      algebra_.axpby(step, direction_, 1, s_);
      algebra_.axpby(-step, image_, 1, gradient_);
      squares = product(gradient_, gradient_);
      precondition();
      const double next = product(gradient_, preconditioned_);
      algebra_.axpby(1, preconditioned_, static_cast<Real>(next / descent), direction_);
      descent = next;
      ++iterations_;
    }
  }

  double product(ConstView<Real> a, ConstView<Real> b) {
    return communicator_.sum(algebra_.dot(a, b));
  }

  /// image = direction + kS·B^−½·FᵀF·B^−½·direction
  void apply() {
    const double ks = k_ * static_cast<double>(program_.shape.sets);
    algebra_.copy(direction_, scaled_);
    algebra_.scale_columns(inverse_root_, scaled_);
    predict(scaled_);
    algebra_.gated_adjoint(program_.x, program_.gates, prediction_, image_);
    algebra_.scale_columns(inverse_root_, image_);
    algebra_.axpby(1, direction_, static_cast<Real>(ks), image_);
  }

  void precondition() {
    algebra_.gates_to_columns(gradient_, columns_);
    algebra_.multiply(1, weighted_, Transpose::yes, columns_, Transpose::no, 0, coordinates_);
    communicator_.sum(algebra_, coordinates_);
    algebra_.multiply(1, vectors_, Transpose::no, coordinates_, Transpose::no, 1, columns_);
    algebra_.columns_to_gates(columns_, preconditioned_);
  }

  /// A ≈ U·diag(σ)·Uᵀ from Y = A·Ω: with C·Cᵀ = ΩᵀY, the singular vectors of Y·C^−ᵀ. Small and done
  /// once, so in float64 on the host.
  void build_preconditioner() {
    std::vector<Real> root = metric(program_), inverse_root;
    for (Real& value : root) {
      value = std::sqrt(value);
      inverse_root.push_back(1 / value);
    }
    algebra_.upload(root, root_);
    algebra_.upload(inverse_root, inverse_root_);

    const std::size_t n = program_.shape.rows, rows = sketch_prediction_.rows;
    const std::size_t first = (n - rows) / 2;
    const Philox random(0, sketch_stream);
    std::vector<Real> sketch(sketch_.size());
    const std::size_t before = program_.first_gate * rank_ * program_.shape.features;
    for (std::size_t i = 0; i < sketch.size(); ++i) {
      sketch[i] = static_cast<Real>(random.normal(before + i));
    }
    algebra_.upload(sketch, sketch_);
    algebra_.copy(sketch_, sketch_image_);
    algebra_.scale_columns(inverse_root_, sketch_image_);
    algebra_.gated_forward(program_.x.block(first, rows), program_.gates.block(first, rows),
                           sketch_image_, sketch_prediction_);
    communicator_.sum(algebra_, sketch_prediction_);
    algebra_.gated_adjoint(program_.x.block(first, rows), program_.gates.block(first, rows),
                           sketch_prediction_, sketch_image_);
    algebra_.scale_columns(inverse_root_, sketch_image_);
    algebra_.gates_to_columns(sketch_image_, vectors_);
    algebra_.gates_to_columns(sketch_, weighted_);
    factor_sketch(static_cast<double>(n) / static_cast<double>(rows));
  }

  void factor_sketch(double rows_ratio) {
    const auto shards = static_cast<int>(communicator_.size());
    HostAlgebra host(std::max(1, algebra_.parallelism() / shards));
    std::vector<Real> staging(unknowns_ * rank_);
    const auto download = [&](View<Real> from) {
      algebra_.download(from, staging);
      return std::vector<double>(staging.begin(), staging.end());
    };
    std::vector<double> image = download(vectors_), sketch = download(weighted_);
    const View<double> y(image.data(), unknowns_, rank_), omega(sketch.data(), unknowns_, rank_);
    const double shift = 1e-7 * std::sqrt(communicator_.sum(host.dot(y, y)));
    host.axpby(shift, omega, 1, y);
    std::vector<double> small(rank_ * rank_), other(rank_ * rank_);
    const View<double> core(small.data(), rank_, rank_), gram(other.data(), rank_, rank_);
    algebra_.checkpoint();
    host.multiply(1, omega, Transpose::yes, y, Transpose::no, 0, core);
    communicator_.sum(small);
    algebra_.checkpoint();
    const bool positive = host.cholesky(core);
    // rows of Yᵀ: L⁻¹·Yᵀ, then the eigenvectors of its Gram matrix
    std::vector<double> transposed(unknowns_ * rank_);
    const View<double> factor(transposed.data(), rank_, unknowns_);
    for (std::size_t i = 0; i < unknowns_; ++i) {
      for (std::size_t j = 0; j < rank_; ++j) factor.row(j)[i] = y.row(i)[j];
    }
    algebra_.checkpoint();
    if (positive) host.lower_solve(core, factor);
    algebra_.checkpoint();
    host.multiply(1, factor, Transpose::no, factor, Transpose::yes, 0, gram);
    communicator_.sum(other);
    algebra_.checkpoint();
    const std::vector<double> values = symmetric_eigen(gram, host);
    algebra_.checkpoint();
    host.multiply(1, factor, Transpose::yes, gram, Transpose::yes, 0, y);
    algebra_.checkpoint();
    // Descending order; a sketch that is not positive leaves the identity as preconditioner.
    eigenvalues_.assign(rank_, 0);
    std::fill(staging.begin(), staging.end(), Real(0));
    for (std::size_t j = 0; positive && j < rank_; ++j) {
      const std::size_t source = rank_ - 1 - j;
      if (values[source] <= 0) continue;
      eigenvalues_[j] = std::max(values[source] - shift, 0.0) * rows_ratio;
      const double norm = std::sqrt(values[source]);
      for (std::size_t i = 0; i < unknowns_; ++i) {
        staging[i * rank_ + j] = static_cast<Real>(y.row(i)[source] / norm);
      }
    }
    algebra_.upload(staging, vectors_);
  }

  Algebra<Real>& algebra_;
  const Program<Real>& program_;
  Communicator communicator_;
  std::size_t unknowns_, rank_;
  View<Real> u_, s_, gradient_, direction_, image_, preconditioned_, scaled_;
  View<Real> prediction_, columns_, coordinates_, vectors_, weighted_;
  View<Real> sketch_, sketch_image_, sketch_prediction_, root_, inverse_root_, weights_;
  ConstView<Real> a_;
  std::vector<double> eigenvalues_;
  double k_ = 0;
  std::size_t iterations_ = 0;
  bool started_ = false;
};

}  // namespace

template <class Real>
std::unique_ptr<UUpdate<Real>> make_conjugate_gradient(Algebra<Real>& algebra, Arena& arena,
                                                       const Program<Real>& program,
                                                       Communicator communicator) {
  return std::make_unique<ConjugateGradient<Real>>(algebra, arena, program, communicator);
}

template std::unique_ptr<UUpdate<float>> make_conjugate_gradient(Algebra<float>&, Arena&,
                                                                 const Program<float>&,
                                                                 Communicator);
template std::unique_ptr<UUpdate<double>> make_conjugate_gradient(Algebra<double>&, Arena&,
                                                                  const Program<double>&,
                                                                  Communicator);

}  // namespace secondorder::convex_relu
