// The backend that the plugin hands out.

#include <cuda_runtime.h>

#include <cstdlib>
#include <string>
#include <string_view>

#include "algebra/cuda_algebra.hpp"
#include "cuda_row_window.hpp"
#include "failure.hpp"
#include "library.hpp"
#include "newton/cuda_dense_kkt.hpp"

namespace secondorder::cuda {

namespace {

/// Older GPUs have no code in this plugin.
constexpr int least_compute_major = 8;

/// 13000 → "13.0"
std::string version_text(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

void use_device(int device) {
  check(cudaSetDevice(device), "cudaSetDevice");
  int major = 0;
  check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device),
        "cudaDeviceGetAttribute");
  if (major >= least_compute_major) return;
  fail(ErrorCode::cuda_no_device, "cuda:" + std::to_string(device) + " has compute capability " +
                                      std::to_string(major) + ".x, and " +
                                      std::to_string(least_compute_major) + ".0 is needed");
}

/// Unless the environment says not to.
bool graphs_wanted() {
  const char* const wanted = std::getenv("SECONDORDER_CUDA_GRAPHS");
  return wanted == nullptr || std::string_view(wanted) != "0";
}

[[noreturn]] void fail_old_driver() {
  cudaGetLastError();
  int driver = 0, runtime = 0;
  cudaDriverGetVersion(&driver);
  cudaRuntimeGetVersion(&runtime);
  fail(ErrorCode::cuda_no_driver, "The NVIDIA driver is for CUDA up to " + version_text(driver) +
                                      ", and CUDA " + version_text(runtime) +
                                      " is needed: install a newer driver");
}

class CudaBackend final : public Backend {
 public:
  int device_count() override {
    int count = 0;
    const cudaError_t status = cudaGetDeviceCount(&count);
    if (status == cudaErrorNoDevice) {
      cudaGetLastError();
      return 0;
    }
    if (status == cudaErrorInsufficientDriver) fail_old_driver();
    check(status, "cudaGetDeviceCount");
    return count;
  }

  DeviceFacts facts(int device) override {
    DeviceFacts facts;
    cudaDeviceProp properties{};
    check(cudaGetDeviceProperties(&properties, device), "cudaGetDeviceProperties");
    facts.name = properties.name;
    facts.compute_major = properties.major;
    facts.compute_minor = properties.minor;
    facts.multiprocessors = properties.multiProcessorCount;
    check(cudaSetDevice(device), "cudaSetDevice");
    check(cudaMemGetInfo(&facts.free_bytes, &facts.total_bytes), "cudaMemGetInfo");
    int version = 0;
    check(cudaDriverGetVersion(&version), "cudaDriverGetVersion");
    facts.driver = version_text(version);
    check(cudaRuntimeGetVersion(&version), "cudaRuntimeGetVersion");
    facts.runtime = version_text(version);
    return facts;
  }

  std::string libraries() override { return library_files(); }

  std::unique_ptr<Algebra<float>> float_algebra(int device, Products products,
                                                int host_threads) override {
    return algebra<float>(device, products, host_threads);
  }
  std::unique_ptr<Algebra<double>> double_algebra(int device, int host_threads) override {
    return algebra<double>(device, Products::float32, host_threads);
  }

  std::unique_ptr<RowWindow> row_window(int device, const RowWindowShape& shape) override {
    use_device(device);
    return make_cuda_row_window(device, shape);
  }

  std::unique_ptr<newton::DenseFactors> dense_factors(int device,
                                                      const newton::KktSystem& pattern) override {
    use_device(device);
    return make_cuda_dense_factors(dense_settings(device), pattern);
  }
  std::unique_ptr<newton::DenseProducts> dense_products(int device,
                                                        const newton::KktSystem& pattern,
                                                        const newton::RowBlockPlan& plan) override {
    use_device(device);
    return make_cuda_dense_products(dense_settings(device), pattern, plan);
  }

 private:
  static DenseSettings dense_settings(int device) {
    return {.device = device, .cublas = &cublas(), .cusolver = &cusolver()};
  }

  template <class Real>
  static std::unique_ptr<Algebra<Real>> algebra(int device, Products products, int host_threads) {
    use_device(device);
    CudaSettings settings;
    settings.device = device;
    settings.products = products;
    settings.host_threads = host_threads;
    settings.cublas = &cublas();
    settings.cusolver = &cusolver();
    settings.graphs = graphs_wanted();
    return make_cuda_algebra<Real>(settings);
  }
};

}  // namespace

}  // namespace secondorder::cuda

extern "C" {

__attribute__((visibility("default"))) const char* secondorder_cuda_version() {
  return SECONDORDER_VERSION;
}

__attribute__((visibility("default"))) secondorder::Backend* secondorder_cuda_open(
    const secondorder::HostServices& services) {
  secondorder::cuda::set_services(services);
  static secondorder::cuda::CudaBackend backend;
  return &backend;
}
}
