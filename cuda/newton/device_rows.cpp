#include "newton/device_rows.hpp"

#include <algorithm>

namespace secondorder::cuda {

DeviceRows::DeviceRows(DenseDevice& device, const newton::RowBlockPlan& plan, std::size_t length)
    : device_(device), plan_(plan), length_(length) {
  if (plan_.rows == 0 || length_ == 0) return;
  Places counted;
  lay_out(counted);
  memory_ = DeviceMemory(counted.bytes());
  Places places(memory_.address());
  lay_out(places);
  const int m = static_cast<int>(length_);
  const int n = static_cast<int>(std::min(plan_.widest, length_));
  int factor_size = 0, basis_size = 0;
  check(cusolver().cusolverDnDgeqrf_bufferSize(solver(), m, n, rows_, m, &factor_size),
        "cusolverDnDgeqrf_bufferSize");
  check(cusolver().cusolverDnDorgqr_bufferSize(solver(), m, n, n, rows_, m, scales_, &basis_size),
        "cusolverDnDorgqr_bufferSize");
  work_size_ = std::max(factor_size, basis_size);
  work_ = DeviceMemory(static_cast<std::size_t>(work_size_) * sizeof(double));
}

void DeviceRows::lay_out(Places& places) {
  rows_ = places.take<double>(plan_.rows * length_);
  small_ = places.take<double>(plan_.widest * std::max(plan_.core, plan_.widest));
  core_ = places.take<double>(plan_.core * plan_.core);
  vector_ = places.take<double>(length_);
  coordinates_ = places.take<double>(plan_.core);
  corrected_ = places.take<double>(plan_.core);
  scales_ = places.take<double>(plan_.widest);
  info_ = places.take<int>(1);
}

View<double> DeviceRows::reserve(std::size_t rows, std::size_t length) {
  if (rows > plan_.rows || length != length_) {
    fail(ErrorCode::cuda, std::to_string(rows) + " rows of a GPU were asked for, and " +
                              std::to_string(plan_.rows) + " are planned");
  }
  return {rows_, rows, length};
}

void DeviceRows::upload(std::span<const double> host, View<double> to) {
  device_.use();
  device_.upload(host.first(to.size()), to.data);
}

void DeviceRows::copy(ConstView<double> from, View<double> to) {
  device_.use();
  check(cudaMemcpyAsync(to.data, from.data, from.size() * sizeof(double), cudaMemcpyDeviceToDevice,
                        device_.stream()),
        "cudaMemcpyAsync");
}

void DeviceRows::fetch(View<double> c) {
  host_.resize(c.size());
  device_.download(small_, std::span(host_));
  for (std::size_t i = 0; i < c.rows; ++i) {
    std::copy_n(host_.data() + i * c.cols, c.cols, c.row(i));
  }
}

void DeviceRows::products(ConstView<double> a, ConstView<double> b, View<double> c) {
  device_.use();
  device_.blas().multiply(1, a, Transpose::no, b, Transpose::yes, 0, {small_, a.rows, b.rows});
  fetch(c);
}

void DeviceRows::project_out(View<double> y, ConstView<double> q, View<double> c) {
  device_.use();
  const View<double> coefficients(small_, y.rows, q.rows);
  device_.blas().multiply(1, y, Transpose::no, q, Transpose::yes, 0, coefficients);
  device_.blas().multiply(-1, coefficients, Transpose::no, q, Transpose::no, 1, y);
  fetch(c);
}

/// Our rows are LAPACK's columns.
bool DeviceRows::orthonormalize(View<double> y, View<double> r) {
  device_.use();
  const int m = static_cast<int>(y.cols), n = static_cast<int>(y.rows);
  auto* const work = static_cast<double*>(work_.address());
  check(cusolver().cusolverDnDgeqrf(solver(), m, n, y.data, m, scales_, work, work_size_, info_),
        "cusolverDnDgeqrf");
  host_.resize(y.rows * y.rows);
  device_.download(y.columns(0, y.rows), std::span(host_));
  for (std::size_t i = 0; i < y.rows; ++i) {
    for (std::size_t j = 0; j < y.rows; ++j) {
      r.row(i)[j] = j <= i ? host_[i * y.rows + j] : 0;
    }
  }
  check(cusolver().cusolverDnDorgqr(solver(), m, n, n, y.data, m, scales_, work, work_size_, info_),
        "cusolverDnDorgqr");
  int info = 0;
  device_.download(info_, std::span(&info, 1));
  return info == 0;
}

void DeviceRows::set_core(ConstView<double> core) {
  device_.use();
  device_.upload(std::span(core.data, core.size()), core_);
}

void DeviceRows::correct(ConstView<double> q, std::span<const double> r, std::span<double> out) {
  device_.use();
  const View<double> vector(vector_, length_, 1);
  const View<double> coordinates(coordinates_, q.rows, 1), corrected(corrected_, q.rows, 1);
  device_.upload(r, vector_);
  device_.blas().multiply(1, q, Transpose::no, vector, Transpose::no, 0, coordinates);
  device_.blas().multiply(1, {core_, q.rows, q.rows}, Transpose::no, coordinates, Transpose::no, 0,
                          corrected);
  device_.blas().multiply(1, q, Transpose::yes, corrected, Transpose::no, 1, vector);
  device_.download(vector_, out);
}

}  // namespace secondorder::cuda
