// Losses over samples, a thread for each: the mathematics is algebra/loss.hpp's, as on the CPU.
#include "algebra/device_algebra.hpp"
#include "algebra/loss.hpp"

namespace secondorder::cuda {

namespace {

constexpr unsigned threads = 128;

template <class Real>
__device__ double weight_of(ConstView<Real> weights, std::size_t row) {
  return weights.data == nullptr ? 1 : static_cast<double>(weights.row(row)[0]);
}

/// z = prox of each row, a = 2z − q. `work` holds 2c numbers a row for the softmax.
template <class Real>
__global__ void proximal_rows(Loss loss, ConstView<Real> q, ConstView<Real> y,
                              ConstView<Real> weights, Real penalty, View<Real> z, View<Real> a,
                              double* work) {
  const std::size_t k = std::size_t{blockIdx.x} * threads + threadIdx.x;
  if (k >= q.rows) return;
  losses::prox(loss, q.row(k), y.row(k), penalty / weight_of(weights, k), q.cols, z.row(k),
               work + 2 * k * q.cols);
  for (std::size_t o = 0; o < q.cols; ++o) a.row(k)[o] = 2 * z.row(k)[o] - q.row(k)[o];
}

template <class Real>
struct RowLoss {
  Loss loss;
  ConstView<Real> z, y, weights;
  __device__ void operator()(std::size_t k, std::size_t, double* sums) const {
    sums[0] += weight_of(weights, k) * losses::value(loss, z.row(k), y.row(k), z.cols);
  }
};

/// The same, and g = weight·∇ℓ; `work` holds c numbers a row.
template <class Real>
struct RowGradient {
  Loss loss;
  double smoothing;
  ConstView<Real> z, y, weights;
  View<Real> g;
  double* work;
  __device__ void operator()(std::size_t k, std::size_t, double* sums) const {
    const double weight = weight_of(weights, k);
    double* const slope = work + k * z.cols;
    sums[0] +=
        weight * losses::value_and_gradient(loss, smoothing, z.row(k), y.row(k), z.cols, slope);
    for (std::size_t o = 0; o < z.cols; ++o) g.row(k)[o] = static_cast<Real>(weight * slope[o]);
  }
};

}  // namespace

template <class Real>
void CudaAlgebra<Real>::loss_prox(Loss loss, ConstView<Real> q, ConstView<Real> y,
                                  ConstView<Real> weights, Real penalty, View<Real> z,
                                  View<Real> a) {
  begin(200.0 * static_cast<double>(q.size()), 0);
  auto* const work = reinterpret_cast<double*>(scratch(2 * q.size() * sizeof(double)));
  launch(proximal_rows<Real>, blocks_for(q.rows, threads), threads, 0, stream_.get(), loss, q, y,
         weights, penalty, z, a, work);
}

template <class Real>
double CudaAlgebra<Real>::loss_value(Loss loss, ConstView<Real> z, ConstView<Real> y,
                                     ConstView<Real> weights) {
  begin(50.0 * static_cast<double>(z.size()), 0);
  return sum<1>(z.rows, 1, RowLoss<Real>{loss, z, y, weights})[0];
}

template <class Real>
double CudaAlgebra<Real>::loss_gradient(Loss loss, double smoothing, ConstView<Real> z,
                                        ConstView<Real> y, ConstView<Real> weights, View<Real> g) {
  begin(50.0 * static_cast<double>(z.size()), 0);
  auto* const work = reinterpret_cast<double*>(scratch(z.size() * sizeof(double)));
  return sum<1>(z.rows, 1, RowGradient<Real>{loss, smoothing, z, y, weights, g, work})[0];
}

template class CudaAlgebra<float>;
template class CudaAlgebra<double>;

}  // namespace secondorder::cuda
