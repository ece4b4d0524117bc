#include "newton/kkt_system.hpp"

#include <cstddef>

namespace secondorder::newton {

void KktSystem::multiply(std::span<const double> v, std::span<double> out) const {
  const auto v_x = v.first(variables), v_lambda = v.last(constraints);
  const auto out_x = out.first(variables), out_lambda = out.last(constraints);
  hessian_product(v_x, out_x);
  for (std::size_t i = 0; i < variables; ++i) out_x[i] += delta_w * v_x[i];
  jacobian->add_transposed(1, v_lambda, out_x);
  jacobian->multiply(v_x, out_lambda);
  for (std::size_t i = 0; i < constraints; ++i) out_lambda[i] -= delta_c * v_lambda[i];
}

}  // namespace secondorder::newton
