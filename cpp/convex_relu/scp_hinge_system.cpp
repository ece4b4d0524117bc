#include "convex_relu/scp_hinge_system.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"

namespace secondorder::convex_relu {

namespace {

/// Of a solution: digits are lost as E tends to 0.
constexpr std::size_t refinements = 2;

/// Added to the unit diagonal of a system, more of it where that is not enough.
constexpr double ridges[] = {1e-14, 1e-12, 1e-10, 1e-8, 1e-6};

}  // namespace

template <class Real>
ScpHingeSystem<Real>::ScpHingeSystem(const ScpColumns<Real>& columns, std::span<const double> y,
                                     HostAlgebra& host)
    : columns_(columns),
      y_(y),
      host_(host),
      gram_(columns),
      signed_(y.size()),
      all_(columns.count()),
      residual_(y.size()),
      scaled_(y.size()),
      bu_(y.size()) {}

template <class Real>
void ScpHingeSystem<Real>::choose(std::span<const std::size_t> working) {
  working_.assign(working.begin(), working.end());
  u_.resize(working.size());
}

template <class Real>
void ScpHingeSystem<Real>::times(std::span<const double> x, std::span<double> product) const {
  columns_.combine(working_, {x.data(), x.size(), 1}, host_, {product.data(), 1, y_.size()});
  for (std::size_t k = 0; k < product.size(); ++k) product[k] *= y_[k];
}

template <class Real>
void ScpHingeSystem<Real>::transposed_times(std::span<const double> t, std::span<double> product) {
  for (std::size_t k = 0; k < t.size(); ++k) signed_[k] = y_[k] * t[k];
  columns_.correlate(working_, {signed_.data(), 1, t.size()}, host_, {all_.data(), all_.size(), 1});
  for (std::size_t j = 0; j < product.size(); ++j) product[j] = all_[working_[j]];
}

template <class Real>
void ScpHingeSystem<Real>::factor(std::span<const double> d_inverse,
                                  std::span<const double> e_inverse) {
  d_inverse_ = d_inverse;
  e_inverse_ = e_inverse;
  const std::size_t count = columns();
  gram_.form(working_, 0, e_inverse, host_);
  scale_.resize(count);
  for (std::size_t j = 0; j < count; ++j) {
    scale_[j] = 1 / std::sqrt(gram_.row(j)[j] + d_inverse[j]);
  }
  factor_.resize(count * count);
  const View<double> matrix(factor_.data(), count, count);
  for (const double ridge : ridges) {
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t j = 0; j < count; ++j) {
        matrix.row(i)[j] = scale_[i] * scale_[j] * gram_.row(i)[j];
      }
      matrix.row(i)[i] = 1 + ridge;
    }
    if (host_.cholesky(matrix)) return;
  }
  throw Error(ErrorCode::numerical,
              "the hinge program left the range of double; scale the data, or take a larger beta");
}

template <class Real>
void ScpHingeSystem<Real>::solve(std::span<const double> h, std::span<double> dt,
                                 std::span<double> bdt) {
  const std::size_t count = columns(), n = rows();
  std::copy(h.begin(), h.end(), residual_.begin());
  std::fill(dt.begin(), dt.end(), 0.0);
  for (std::size_t refinement = 0; refinement <= refinements; ++refinement) {
    for (std::size_t k = 0; k < n; ++k) scaled_[k] = e_inverse_[k] * residual_[k];
    transposed_times(scaled_, u_);
    for (std::size_t j = 0; j < count; ++j) u_[j] *= scale_[j];
    host_.cholesky_solve({factor_.data(), count, count}, {u_.data(), count, 1});
    for (std::size_t j = 0; j < count; ++j) u_[j] *= scale_[j];
    times(u_, bu_);
    for (std::size_t k = 0; k < n; ++k) dt[k] += e_inverse_[k] * (residual_[k] - bu_[k]);
    transposed_times(dt, bdt);
    for (std::size_t j = 0; j < count; ++j) u_[j] = bdt[j] / d_inverse_[j];
    times(u_, bu_);
    for (std::size_t k = 0; k < n; ++k) residual_[k] = h[k] - bu_[k] - dt[k] / e_inverse_[k];
  }
}

template class ScpHingeSystem<float>;
template class ScpHingeSystem<double>;

}  // namespace secondorder::convex_relu
