// K = L·D·Lᵀ by cuSOLVER's sytrf, whose pivots are LAPACK's, and solves with it.
#include <vector>

#include "launch.hpp"
#include "newton/cuda_dense_kkt.hpp"
#include "newton/device_kkt.hpp"
#include "newton/linear/pivots.hpp"

namespace secondorder::cuda {

namespace {

/// The diagonal of D, and the interchanges as the 64-bit numbers that Xsytrs reads.
__global__ void read_pivots(std::size_t order, const double* factor, const int* rows,
                            double* diagonal, std::int64_t* long_rows) {
  const std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i >= order) return;
  diagonal[i] = factor[i * order + i];
  long_rows[i] = rows[i];
}

class CudaDenseFactors final : public newton::DenseFactors {
 public:
  CudaDenseFactors(const DenseSettings& settings, const newton::KktSystem& pattern)
      : device_(settings), kkt_(pattern), order_(kkt_.order()) {
    if (order_ == 0) return;
    Places plan;
    lay_out(plan);
    memory_ = DeviceMemory(plan.bytes());
    Places places(memory_.address());
    lay_out(places);
    size_work();
    host_rows_.resize(order_);
    host_diagonal_.resize(order_);
  }

  newton::Inertia factor(const newton::KktSystem& system) override {
    if (order_ == 0) return {};
    device_.use();
    kkt_.place(device_, system, k_);
    check(cudaMemcpyAsync(factor_, k_, order_ * order_ * sizeof(double), cudaMemcpyDeviceToDevice,
                          device_.stream()),
          "cudaMemcpyAsync");
    const int n = static_cast<int>(order_);
    check(cusolver().cusolverDnDsytrf(solver(), CUBLAS_FILL_MODE_LOWER, n, factor_, n, rows_,
                                      static_cast<double*>(work_.address()), factor_work_, info_),
          "cusolverDnDsytrf");
    constexpr unsigned threads = 256;
    launch(read_pivots, blocks_for(order_, threads), threads, 0, device_.stream(), order_, factor_,
           rows_, diagonal_, long_rows_);
    device_.download(rows_, std::span(host_rows_));
    device_.download(diagonal_, std::span(host_diagonal_));
    return newton::inertia_of_pivots(host_rows_, host_diagonal_.data(), 1);
  }

  void solve(std::span<double> x) override {
    if (order_ == 0) return;
    device_.use();
    device_.upload(std::span<const double>(x), right_);
    const auto n = static_cast<std::int64_t>(order_);
    check(
        cusolver().cusolverDnXsytrs(solver(), CUBLAS_FILL_MODE_LOWER, n, 1, CUSOLVER_R_64F, factor_,
                                    n, long_rows_, CUSOLVER_R_64F, right_, n, work_.address(),
                                    solve_bytes_, host_work_.data(), host_work_.size(), info_),
        "cusolverDnXsytrs");
    device_.download(right_, x);
  }

  void multiply(std::span<const double> v, std::span<double> out) override {
    if (order_ == 0) return;
    device_.use();
    device_.upload(v, right_);
    device_.blas().multiply(1, {k_, order_, order_}, Transpose::no, {right_, order_, 1},
                            Transpose::no, 0, {image_, order_, 1});
    device_.download(image_, out);
  }

 private:
  const Cusolver& cusolver() const { return *device_.settings().cusolver; }
  cusolverDnHandle_t solver() const { return device_.blas().solver(); }

  void lay_out(Places& places) {
    k_ = places.take<double>(order_ * order_);
    factor_ = places.take<double>(order_ * order_);
    right_ = places.take<double>(order_);
    image_ = places.take<double>(order_);
    diagonal_ = places.take<double>(order_);
    long_rows_ = places.take<std::int64_t>(order_);
    rows_ = places.take<int>(order_);
    info_ = places.take<int>(1);
  }

  /// Work space that both calls share.
  void size_work() {
    const int n = static_cast<int>(order_);
    check(cusolver().cusolverDnDsytrf_bufferSize(solver(), n, factor_, n, &factor_work_),
          "cusolverDnDsytrf_bufferSize");
    std::size_t host_bytes = 0;
    check(cusolver().cusolverDnXsytrs_bufferSize(
              solver(), CUBLAS_FILL_MODE_LOWER, n, 1, CUSOLVER_R_64F, factor_, n, long_rows_,
              CUSOLVER_R_64F, right_, n, &solve_bytes_, &host_bytes),
          "cusolverDnXsytrs_bufferSize");
    const std::size_t factor_bytes = static_cast<std::size_t>(factor_work_) * sizeof(double);
    work_ = DeviceMemory(std::max(factor_bytes, solve_bytes_));
    host_work_.resize(host_bytes);
  }

  DenseDevice device_;
  DeviceKkt kkt_;
  std::size_t order_;
  DeviceMemory memory_, work_;
  double *k_ = nullptr, *factor_ = nullptr;  // K, and L with D in its place
  double *right_ = nullptr, *image_ = nullptr, *diagonal_ = nullptr;
  std::int64_t* long_rows_ = nullptr;
  int *rows_ = nullptr, *info_ = nullptr;
  int factor_work_ = 0;  // doubles
  std::size_t solve_bytes_ = 0;
  std::vector<std::byte> host_work_;
  std::vector<int> host_rows_;
  std::vector<double> host_diagonal_;
};

}  // namespace

std::unique_ptr<newton::DenseFactors> make_cuda_dense_factors(const DenseSettings& settings,
                                                              const newton::KktSystem& pattern) {
  return std::make_unique<CudaDenseFactors>(settings, pattern);
}

}  // namespace secondorder::cuda
