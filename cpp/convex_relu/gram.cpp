// u-update by the Gram matrix of the gated features: (B + kS·G)·t = k·Fᵀ(a − Fδ), G = FᵀF.
// With the squared loss the target never changes, and an iteration never touches the samples.
#include "base/error.hpp"
#include "convex_relu/u_update.hpp"

namespace secondorder::convex_relu {

namespace {

template <class Real>
class Gram final : public UUpdate<Real> {
 public:
  Gram(Algebra<Real>& algebra, Arena& arena, const Program<Real>& program)
      : algebra_(algebra),
        program_(program),
        unknowns_(program.shape.gates * program.shape.features),
        gram_(arena.matrix<Real>(unknowns_, unknowns_)),
        factor_(arena.matrix<Real>(unknowns_, unknowns_)),
        target_(arena.matrix<Real>(unknowns_, program.shape.outputs)),
        delta_(arena.matrix<Real>(unknowns_, program.shape.outputs)),
        solved_(arena.matrix<Real>(unknowns_, program.shape.outputs)),
        u_(arena.matrix<Real>(program.shape.set_rows(), program.shape.features)),
        residual_(arena.matrix<Real>(program.shape.rows, program.shape.outputs)),
        diagonal_(arena.matrix<Real>(1, unknowns_)) {}

  void factor(double k) override {
    if (!filled_) {
      algebra_.gated_gram(program_.x, program_.gates, gram_);
      algebra_.symmetrize(gram_);
      const std::vector<Real> b = metric(program_);
      std::vector<Real> repeated;
      for (std::size_t i = 0; i < program_.shape.gates; ++i) {
        repeated.insert(repeated.end(), b.begin(), b.end());
      }
      algebra_.upload(repeated, diagonal_);
      filled_ = true;
    }
    k_ = k;
    algebra_.axpby(static_cast<Real>(k * static_cast<double>(program_.shape.sets)), gram_, 0,
                   factor_);
    algebra_.add_to_diagonal(diagonal_, factor_);
    if (!algebra_.cholesky(factor_)) {
      throw Error(ErrorCode::numerical,
                  "the u-update's matrix isn't positive definite in this precision; use float64 or "
                  "a larger beta");
    }
    target_known_ = false;
  }

  void correct(ConstView<Real> delta, ConstView<Real> a, double, View<Real> t) override {
    if (!target_known_ || program_.loss != Loss::squared) {
      algebra_.gated_adjoint(program_.x, program_.gates, a, u_);
      algebra_.gates_to_columns(u_, target_);
      target_known_ = true;
    }
    algebra_.gates_to_columns(delta, delta_);
    algebra_.multiply(static_cast<Real>(-k_), gram_, Transpose::no, delta_, Transpose::no, 0,
                      solved_);
    algebra_.axpby(static_cast<Real>(k_), target_, 1, solved_);
    algebra_.cholesky_solve(factor_, solved_);
    algebra_.columns_to_gates(solved_, t);
    algebra_.copy(delta, u_);
    algebra_.axpby(static_cast<Real>(program_.shape.sets), t, 1, u_);
    a_ = a;
  }

  ConstView<Real> residual() override {
    algebra_.gated_forward(program_.x, program_.gates, u_, residual_);
    algebra_.axpby(1, a_, -1, residual_);
    return residual_;
  }

 private:
  Algebra<Real>& algebra_;
  const Program<Real>& program_;
  std::size_t unknowns_;
  View<Real> gram_, factor_, target_, delta_, solved_, u_, residual_, diagonal_;
  ConstView<Real> a_;
  double k_ = 0;
  bool filled_ = false, target_known_ = false;
};

}  // namespace

template <class Real>
std::unique_ptr<UUpdate<Real>> make_gram(Algebra<Real>& algebra, Arena& arena,
                                         const Program<Real>& program) {
  return std::make_unique<Gram<Real>>(algebra, arena, program);
}

template std::unique_ptr<UUpdate<float>> make_gram(Algebra<float>&, Arena&, const Program<float>&);
template std::unique_ptr<UUpdate<double>> make_gram(Algebra<double>&, Arena&,
                                                    const Program<double>&);

}  // namespace secondorder::convex_relu
