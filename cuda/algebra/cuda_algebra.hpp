// The Algebra on an NVIDIA GPU: cuBLAS and cuSOLVER for dense tiles, our own kernels for what is
// done to them with gates, on one stream.
#pragma once

#include <cstddef>
#include <memory>

#include "algebra/algebra.hpp"
#include "cublas.hpp"
#include "cusolver.hpp"
#include "device/backend.hpp"

namespace secondorder::cuda {

struct CudaSettings {
  int device = 0;
  /// How float32 products with gated features are done; everything else is in full precision.
  Products products = Products::float32;
  /// What parallelism() says.
  int host_threads = 1;
  const Cublas* cublas = nullptr;
  const Cusolver* cusolver = nullptr;

  /// Memory for tiles of activations, samples × neurons. Products are cut to fit.
  std::size_t tile_bytes = std::size_t{512} << 20;
  /// Whether operations that are repeated may be recorded as CUDA graphs.
  bool graphs = true;
  /// Order of the diagonal blocks of a Cholesky factor.
  std::size_t factor_block = 1024;
};

template <class Real>
std::unique_ptr<Algebra<Real>> make_cuda_algebra(const CudaSettings& settings);

extern template std::unique_ptr<Algebra<float>> make_cuda_algebra(const CudaSettings&);
extern template std::unique_ptr<Algebra<double>> make_cuda_algebra(const CudaSettings&);

}  // namespace secondorder::cuda
