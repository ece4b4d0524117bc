// u-update by the n × n Woodbury matrix: (I + kS·H)·r = a − Fδ, then t = k·B⁻¹·Fᵀr.
// Of several shards each makes the same factor, from the patterns of all gates; Fδ is their sum.
#include "base/error.hpp"
#include "convex_relu/u_update.hpp"

namespace secondorder::convex_relu {

namespace {

template <class Real>
class Woodbury final : public UUpdate<Real> {
 public:
  Woodbury(Algebra<Real>& algebra, Arena& arena, const Program<Real>& program,
           Communicator communicator)
      : algebra_(algebra),
        program_(program),
        communicator_(communicator),
        factor_(arena.matrix<Real>(program.shape.rows, program.shape.rows)),
        scaled_(arena.matrix<Real>(program.shape.rows, program.shape.features)),
        residual_(arena.matrix<Real>(program.shape.rows, program.shape.outputs)),
        weight_(arena.matrix<Real>(1, program.shape.features)) {}

  void factor(double k) override {
    std::vector<Real> inverse = metric(program_);
    for (Real& value : inverse) value = 1 / value;
    algebra_.upload(inverse, weight_);
    algebra_.copy(program_.x, scaled_);
    algebra_.scale_columns(weight_, scaled_);
    algebra_.multiply(1, program_.x, Transpose::no, scaled_, Transpose::yes, 0, factor_);
    const double sets = static_cast<double>(program_.shape.sets);
    algebra_.gate_kernel(program_.all_patterns(), static_cast<Real>(k * sets), 1, factor_);
    if (!algebra_.cholesky(factor_)) {
      throw Error(ErrorCode::numerical,
                  "the u-update's matrix isn't positive definite in this precision; use float64 or "
                  "a larger beta");
    }
    for (Real& value : inverse) value = static_cast<Real>(k * value);
    algebra_.upload(inverse, weight_);
  }

  void correct(ConstView<Real> delta, ConstView<Real> a, double, View<Real> t) override {
    algebra_.gated_forward(program_.x, program_.gates, delta, residual_);
    communicator_.sum(algebra_, residual_);
    algebra_.axpby(1, a, -1, residual_);
    algebra_.cholesky_solve(factor_, residual_);
    algebra_.gated_adjoint(program_.x, program_.gates, residual_, t);
    algebra_.scale_columns(weight_, t);
  }

  ConstView<Real> residual() override { return residual_; }

 private:
  Algebra<Real>& algebra_;
  const Program<Real>& program_;
  Communicator communicator_;
  View<Real> factor_, scaled_, residual_, weight_;
};

}  // namespace

template <class Real>
std::unique_ptr<UUpdate<Real>> make_woodbury(Algebra<Real>& algebra, Arena& arena,
                                             const Program<Real>& program,
                                             Communicator communicator) {
  return std::make_unique<Woodbury<Real>>(algebra, arena, program, communicator);
}

template std::unique_ptr<UUpdate<float>> make_woodbury(Algebra<float>&, Arena&,
                                                       const Program<float>&, Communicator);
template std::unique_ptr<UUpdate<double>> make_woodbury(Algebra<double>&, Arena&,
                                                        const Program<double>&, Communicator);

}  // namespace secondorder::convex_relu
