// Products with K by cuBLAS, with single vectors and with blocks of rows.
#include <optional>

#include "launch.hpp"
#include "newton/cuda_dense_kkt.hpp"
#include "newton/device_kkt.hpp"
#include "newton/device_rows.hpp"

namespace secondorder::cuda {

namespace {

template <class From, class To>
__global__ void convert(std::size_t size, const From* from, To* to) {
  const std::size_t step = std::size_t{gridDim.x} * blockDim.x;
  for (std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x; i < size; i += step) {
    to[i] = static_cast<To>(from[i]);
  }
}

template <class From, class To>
void convert_all(std::size_t size, const From* from, To* to, cudaStream_t stream) {
  constexpr unsigned threads = 256, most_blocks = 4096;
  launch(convert<From, To>, std::min(blocks_for(size, threads), most_blocks), threads, 0, stream,
         size, from, to);
}

class CudaDenseProducts final : public newton::DenseProducts {
 public:
  CudaDenseProducts(const DenseSettings& settings, const newton::KktSystem& pattern,
                    const newton::RowBlockPlan& plan)
      : device_(settings),
        kkt_(pattern),
        order_(kkt_.order()),
        widest_(plan.widest),
        rows_(device_, plan, order_) {
    if (order_ == 0) return;
    if (widest_ > 0) {
      single_blas_.emplace(*settings.cublas, *settings.cusolver, device_.stream());
    }
    Places counted;
    lay_out(counted);
    memory_ = DeviceMemory(counted.bytes());
    Places places(memory_.address());
    lay_out(places);
  }

  void assemble(const newton::KktSystem& system) override {
    if (order_ == 0) return;
    device_.use();
    kkt_.place(device_, system, k_);
    rounded_ = false;
  }

  void multiply(std::span<const double> v, std::span<double> out) override {
    if (order_ == 0) return;
    device_.use();
    device_.upload(v, vector_);
    device_.blas().multiply(1, k(), Transpose::no, {vector_, order_, 1}, Transpose::no, 0,
                            {image_, order_, 1});
    device_.download(image_, out);
  }

  newton::RowBlocks& rows() override { return rows_; }

  void multiply_rows(ConstView<double> v, View<double> out) override {
    if (out.size() == 0) return;
    device_.use();
    device_.blas().multiply(1, v, Transpose::no, k(), Transpose::no, 0, out);
  }

  void multiply_rows_rounded(ConstView<double> v, View<double> out) override {
    if (out.size() == 0) return;
    device_.use();
    if (!rounded_) convert_all(order_ * order_, k_, single_k_, device_.stream());
    rounded_ = true;
    convert_all(v.size(), v.data, single_v_, device_.stream());
    single_blas_->multiply(1, {single_v_, v.rows, order_}, Transpose::no,
                           {single_k_, order_, order_}, Transpose::no, 0,
                           {single_image_, v.rows, order_});
    convert_all(out.size(), single_image_, out.data, device_.stream());
  }

 private:
  ConstView<double> k() const { return {k_, order_, order_}; }

  void lay_out(Places& places) {
    k_ = places.take<double>(order_ * order_);
    vector_ = places.take<double>(order_);
    image_ = places.take<double>(order_);
    if (widest_ == 0) return;
    single_k_ = places.take<float>(order_ * order_);
    single_v_ = places.take<float>(widest_ * order_);
    single_image_ = places.take<float>(widest_ * order_);
  }

  DenseDevice device_;
  DeviceKkt kkt_;
  std::size_t order_, widest_;
  DeviceRows rows_;
  std::optional<RowMajorBlas<float>> single_blas_;
  DeviceMemory memory_;
  double *k_ = nullptr, *vector_ = nullptr, *image_ = nullptr;
  float *single_k_ = nullptr, *single_v_ = nullptr, *single_image_ = nullptr;
  bool rounded_ = false;  // single_k_ is this K
};

}  // namespace

std::unique_ptr<newton::DenseProducts> make_cuda_dense_products(const DenseSettings& settings,
                                                                const newton::KktSystem& pattern,
                                                                const newton::RowBlockPlan& plan) {
  return std::make_unique<CudaDenseProducts>(settings, pattern, plan);
}

}  // namespace secondorder::cuda
