#include "newton/problems/poisson_preconditioner.hpp"

#include <cmath>
#include <numbers>

#include "newton/linear/team_products.hpp"

namespace secondorder::newton {

PoissonPreconditioner::PoissonPreconditioner(std::size_t grid, ThreadPool& pool)
    : grid_(grid),
      pool_(pool),
      sines_(grid * grid),
      eigenvalues_(grid),
      schur_(grid * grid),
      half_(grid * grid),
      image_(grid * grid) {
  const std::size_t intervals = grid + 1;
  const double angle = std::numbers::pi / static_cast<double>(intervals);
  const double scale = std::sqrt(2 / static_cast<double>(intervals));
  for (std::size_t k = 0; k < grid; ++k) {
    const double half_sine = std::sin(0.5 * angle * static_cast<double>(k + 1));
    eigenvalues_[k] = 4 * half_sine * half_sine;
    for (std::size_t i = 0; i < grid; ++i) {
      // by the period of the sine, for accuracy
      const std::size_t turn = (i + 1) * (k + 1) % (2 * intervals);
      sines_[k * grid + i] = scale * std::sin(angle * static_cast<double>(turn));
    }
  }
}

std::optional<Inertia> PoissonPreconditioner::prepare(const KktSystem& system) {
  const std::size_t points = grid_ * grid_;
  const std::vector<double> ones(system.variables, 1.0);
  std::vector<double> product(system.variables);
  system.hessian_product(ones, product);
  state_weight_ = product.front() + system.delta_w;
  control_weight_ = product.back() + system.delta_w;
  // the first row of J: the point itself comes first, its control last
  const auto row =
      system.jacobian->values().first(static_cast<std::size_t>(system.jacobian->offsets()[1]));
  const double a = row.front() / 4, b = row.back();
  // Without positive weights the preconditioner is that of weights 1, and says so.
  const bool convex = state_weight_ > 0 && control_weight_ > 0;
  if (!convex) state_weight_ = control_weight_ = 1;
  for (std::size_t k = 0; k < grid_; ++k) {
    for (std::size_t l = 0; l < grid_; ++l) {
      const double stencil = a * (eigenvalues_[k] + eigenvalues_[l]);
      schur_[k * grid_ + l] =
          stencil * stencil / state_weight_ + b * b / control_weight_ + system.delta_c;
    }
  }
  if (!convex) return std::nullopt;
  return Inertia{.positive = 2 * points, .negative = points};
}

void PoissonPreconditioner::transform(std::span<const double> x, std::span<double> out) {
  const ConstView<double> v(sines_.data(), grid_, grid_);
  const View<double> half(half_.data(), grid_, grid_);
  multiply(pool_, 1, v, Transpose::no, {x.data(), grid_, grid_}, Transpose::no, 0, half);
  multiply(pool_, 1, half, Transpose::no, v, Transpose::no, 0, {out.data(), grid_, grid_});
}

void PoissonPreconditioner::apply(std::span<const double> r, std::span<double> out) {
  const std::size_t points = grid_ * grid_;
  for (std::size_t p = 0; p < points; ++p) {
    out[p] = r[p] / state_weight_;
    out[points + p] = r[points + p] / control_weight_;
  }
  transform(r.last(points), image_);
  for (std::size_t p = 0; p < points; ++p) image_[p] /= schur_[p];
  transform(image_, out.last(points));
}

}  // namespace secondorder::newton
