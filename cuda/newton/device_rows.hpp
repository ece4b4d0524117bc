// Blocks of rows on the device, for deflations.
#pragma once

#include <vector>

#include "newton/dense_device.hpp"
#include "newton/linear/dense_kkt_form.hpp"

namespace secondorder::cuda {

class DeviceRows final : public newton::RowBlocks {
 public:
  /// Memory for all that `plan` has.
  DeviceRows(DenseDevice& device, const newton::RowBlockPlan& plan, std::size_t length);

  View<double> reserve(std::size_t rows, std::size_t length) override;
  void upload(std::span<const double> host, View<double> to) override;
  void copy(ConstView<double> from, View<double> to) override;
  void products(ConstView<double> a, ConstView<double> b, View<double> c) override;
  void gram(ConstView<double> a, View<double> c) override { products(a, a, c); }
  void project_out(View<double> y, ConstView<double> q, View<double> c) override;
  bool orthonormalize(View<double> y, View<double> r) override;
  void set_core(ConstView<double> core) override;
  void correct(ConstView<double> q, std::span<const double> r, std::span<double> out) override;

 private:
  const Cusolver& cusolver() const { return *device_.settings().cusolver; }
  cusolverDnHandle_t solver() const { return device_.blas().solver(); }
  void lay_out(Places& places);
  /// c ← the small matrix in scratch
  void fetch(View<double> c);

  DenseDevice& device_;
  newton::RowBlockPlan plan_;
  std::size_t length_;
  DeviceMemory memory_, work_;
  double* rows_ = nullptr;
  double* small_ = nullptr;  // widest × (core or widest)
  double* core_ = nullptr;
  double *vector_ = nullptr, *coordinates_ = nullptr, *corrected_ = nullptr, *scales_ = nullptr;
  int* info_ = nullptr;
  int work_size_ = 0;
  std::vector<double> host_;
};

}  // namespace secondorder::cuda
