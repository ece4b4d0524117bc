// Memory, transfers, and what is done element by element.
#include "algebra/device_algebra.hpp"
#include "algebra/for_elements.hpp"

namespace secondorder::cuda {

namespace {

template <class Real>
struct Fill {
  View<Real> a;
  Real value;
  template <int width>
  __device__ void apply(std::size_t i, std::size_t j) const {
    Pack<Real, width> pack;
#pragma unroll
    for (int k = 0; k < width; ++k) pack.at[k] = value;
    store(a.row(i) + j, pack);
  }
};

template <class Real>
struct Axpby {
  Real alpha;
  ConstView<Real> x;
  Real beta;
  View<Real> y;
  template <int width>
  __device__ void apply(std::size_t i, std::size_t j) const {
    Pack<Real, width> from = load<width>(x.row(i) + j);
    if (beta == 0) {  // y may hold anything
#pragma unroll
      for (int k = 0; k < width; ++k) from.at[k] *= alpha;
    } else {
      const Pack<Real, width> to = load<width>(y.row(i) + j);
#pragma unroll
      for (int k = 0; k < width; ++k) from.at[k] = alpha * from.at[k] + beta * to.at[k];
    }
    store(y.row(i) + j, from);
  }
};

template <class Real>
struct ScaleColumns {
  const Real* scale;
  View<Real> a;
  template <int width>
  __device__ void apply(std::size_t i, std::size_t j) const {
    Pack<Real, width> pack = load<width>(a.row(i) + j);
#pragma unroll
    for (int k = 0; k < width; ++k) pack.at[k] *= scale[j + k];
    store(a.row(i) + j, pack);
  }
};

template <class Real>
struct AddToDiagonal {
  const Real* diagonal;
  View<Real> a;
  template <int width>
  __device__ void apply(std::size_t, std::size_t j) const {
    a.row(j)[j] += diagonal[j];
  }
};

template <class Real>
struct Product {
  ConstView<Real> a, b;
  __device__ void operator()(std::size_t i, std::size_t j, double* sums) const {
    sums[0] += static_cast<double>(a.row(i)[j]) * static_cast<double>(b.row(i)[j]);
  }
};

constexpr unsigned square = 32;  ///< side of the tiles that symmetrize() turns

/// Tile (x, y) of the upper triangle from tile (y, x) of the lower one.
template <class Real>
__global__ void mirror(View<Real> a) {
  if (blockIdx.x < blockIdx.y) return;
  __shared__ Real tile[square][square + 1];
  const std::size_t n = a.rows;
  for (unsigned k = threadIdx.y; k < square; k += blockDim.y) {
    const std::size_t row = std::size_t{blockIdx.x} * square + k;
    const std::size_t col = std::size_t{blockIdx.y} * square + threadIdx.x;
    if (row < n && col <= row) tile[k][threadIdx.x] = a.row(row)[col];
  }
  __syncthreads();
  for (unsigned k = threadIdx.y; k < square; k += blockDim.y) {
    const std::size_t row = std::size_t{blockIdx.y} * square + k;
    const std::size_t col = std::size_t{blockIdx.x} * square + threadIdx.x;
    if (col < n && row < col) a.row(row)[col] = tile[threadIdx.x][k];
  }
}

class DeviceBlock final : public Memory {
 public:
  explicit DeviceBlock(std::size_t bytes) : memory_(bytes) {}
  std::byte* data() override { return memory_.as<std::byte>(); }

 private:
  DeviceMemory memory_;
};

/// What cuBLAS's documentation recommends as its workspace.
std::size_t blas_workspace_bytes(int device) {
  int major = 0;
  check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device),
        "cudaDeviceGetAttribute");
  return std::size_t{major >= 9 ? 32U : 4U} << 20;
}

template <class T>
ByteRows bytes_of(View<T> view) {
  return {reinterpret_cast<std::byte*>(const_cast<std::remove_const_t<T>*>(view.data)), view.rows,
          view.cols * sizeof(T), view.stride * sizeof(T)};
}

}  // namespace

template <class Real>
CudaAlgebra<Real>::CudaAlgebra(const CudaSettings& settings)
    : settings_(settings),
      current_(settings.device),
      blas_workspace_(blas_workspace_bytes(settings.device)),
      blas_(*settings.cublas, *settings.cusolver, stream_.get()),
      sums_(sum_memory * sizeof(double)) {
  blas_.use_workspace(blas_workspace_);
}

template <class Real>
void CudaAlgebra<Real>::watch(const RunControl* control, StopOn stop_on) {
  control_ = control;
  stop_on_ = stop_on;
}

template <class Real>
void CudaAlgebra<Real>::checkpoint() const {
  if (control_ != nullptr && control_->stop_requested(stop_on_)) cancel();
}

template <class Real>
void CudaAlgebra<Real>::begin(const QueuedWork& work) {
  checkpoint();
  check(cudaSetDevice(settings_.device), "cudaSetDevice");
  pacer_.pace(stream_.get(), work);
}

template <class Real>
std::byte* CudaAlgebra<Real>::scratch(std::size_t bytes) {
  begin(0, 0);
  if (bytes > scratch_.bytes()) {
    stream_.synchronize();
    scratch_ = {};  // before more is taken: both may not fit
    scratch_ = DeviceMemory(bytes);
  }
  return scratch_.as<std::byte>();
}

template <class Real>
std::unique_ptr<Memory> CudaAlgebra<Real>::allocate(std::size_t bytes) {
  begin(0, 0);
  return std::make_unique<DeviceBlock>(bytes);
}

template <class Real>
std::size_t CudaAlgebra<Real>::scratch_bytes(const GatedShape& shape) const {
  return scratch_need(shape);
}

template <class Real>
void CudaAlgebra<Real>::reserve_scratch(const GatedShape& shape) {
  scratch(scratch_need(shape));
}

template <class Real>
void CudaAlgebra<Real>::upload(std::span<const Real> host, View<Real> device) {
  begin_pass(device.size());
  staging_.upload(reinterpret_cast<const std::byte*>(host.data()), bytes_of(device), stream_.get());
}

template <class Real>
void CudaAlgebra<Real>::upload(std::span<const std::uint64_t> host, GateBits device) {
  begin(0, static_cast<double>(host.size_bytes()));
  staging_.upload(reinterpret_cast<const std::byte*>(host.data()),
                  {reinterpret_cast<std::byte*>(device.words), 1, host.size_bytes(), 0},
                  stream_.get());
}

template <class Real>
void CudaAlgebra<Real>::download(ConstView<Real> device, std::span<Real> host) {
  begin_pass(device.size());
  staging_.download(bytes_of(device), reinterpret_cast<std::byte*>(host.data()), stream_.get());
}

template <class Real>
void CudaAlgebra<Real>::download(GateBits device, std::span<std::uint64_t> host) {
  begin(0, static_cast<double>(host.size_bytes()));
  staging_.download({reinterpret_cast<std::byte*>(device.words), 1, host.size_bytes(), 0},
                    reinterpret_cast<std::byte*>(host.data()), stream_.get());
}

template <class Real>
void CudaAlgebra<Real>::fill(View<Real> a, Real value) {
  begin_pass(a.size());
  for_elements<Real>(stream_.get(), Extent::flat(a), Fill<Real>{a, value});
}

template <class Real>
void CudaAlgebra<Real>::copy(ConstView<Real> from, View<Real> to) {
  begin_pass(2 * from.size());
  if (from.size() == 0) return;
  const std::size_t width = from.cols * sizeof(Real);
  if (from.stride == from.cols && to.stride == to.cols) {
    check(cudaMemcpyAsync(to.data, from.data, from.rows * width, cudaMemcpyDeviceToDevice,
                          stream_.get()),
          "cudaMemcpyAsync");
    return;
  }
  check(cudaMemcpy2DAsync(to.data, to.stride * sizeof(Real), from.data, from.stride * sizeof(Real),
                          width, from.rows, cudaMemcpyDeviceToDevice, stream_.get()),
        "cudaMemcpy2DAsync");
}

template <class Real>
void CudaAlgebra<Real>::axpby(Real alpha, ConstView<Real> x, Real beta, View<Real> y) {
  begin_pass(3 * y.size());
  for_elements<Real>(stream_.get(), Extent::flat(x, y), Axpby<Real>{alpha, x, beta, y});
}

template <class Real>
void CudaAlgebra<Real>::scale_columns(ConstView<Real> scale, View<Real> a) {
  begin_pass(2 * a.size());
  for_elements<Real>(stream_.get(), Extent::of(a), ScaleColumns<Real>{scale.data, a});
}

template <class Real>
void CudaAlgebra<Real>::add_to_diagonal(ConstView<Real> diagonal, View<Real> a) {
  begin_pass(a.rows);
  for_elements<Real>(stream_.get(), {1, a.rows, false}, AddToDiagonal<Real>{diagonal.data, a});
}

template <class Real>
void CudaAlgebra<Real>::symmetrize(View<Real> a) {
  begin_pass(a.size());
  const unsigned tiles = blocks_for(a.rows, square);
  launch(mirror<Real>, dim3(tiles, tiles), dim3(square, 8), 0, stream_.get(), a);
}

template <class Real>
double CudaAlgebra<Real>::dot(ConstView<Real> a, ConstView<Real> b) {
  begin_pass(2 * a.size());
  const Extent e = Extent::flat(a, b);
  return sum<1>(e.rows, e.cols, Product<Real>{a, b})[0];
}

template class CudaAlgebra<float>;
template class CudaAlgebra<double>;

template <class Real>
std::unique_ptr<Algebra<Real>> make_cuda_algebra(const CudaSettings& settings) {
  return std::make_unique<CudaAlgebra<Real>>(settings);
}

template std::unique_ptr<Algebra<float>> make_cuda_algebra(const CudaSettings&);
template std::unique_ptr<Algebra<double>> make_cuda_algebra(const CudaSettings&);

}  // namespace secondorder::cuda
