// What a GPU backend is: a shared library that is opened when a GPU is asked for, and hands out the
// interfaces the solvers are written against. cuda/ implements it for NVIDIA GPUs;
// device/plugin.hpp opens it.
//
// Opener and backend may each carry a C++ standard library of their own. What passes between them
// is therefore interfaces and plain values, and an exception is always thrown and caught by the
// opener's: a backend throws and catches through HostServices, and lets nothing of its own escape.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "algebra/algebra.hpp"
#include "algebra/row_window.hpp"
#include "base/error.hpp"
#include "base/function_ref.hpp"
#include "base/run_control.hpp"
#include "device/request.hpp"
#include "newton/linear/dense_kkt_form.hpp"

namespace secondorder {

/// What a backend asks of whoever opened it. The functions leave by exceptions of the opener's,
/// which the backend must let through.
struct HostServices {
  /// Throws Error{code, message, argument}; doesn't return.
  void (*raise)(ErrorCode code, const char* message, const char* argument) = nullptr;
  /// Throws Cancelled; doesn't return.
  void (*cancel)() = nullptr;
  /// Calls `body`, and catches an Error that it throws; false where it did. Others pass.
  bool (*attempt)(FunctionRef<void()> body) = nullptr;
};

struct DeviceFacts {
  std::string name;  ///< as the driver says it, such as "NVIDIA H100 80GB HBM3"
  int compute_major = 0, compute_minor = 0;
  int multiprocessors = 0;
  std::size_t total_bytes = 0, free_bytes = 0;
  std::string driver, runtime;  ///< versions of CUDA, such as "13.0"
};

/// One per process; its functions may be called from any thread. Every one throws:
/// ERR_CUDA_NO_DEVICE where there is no such device, ERR_CUDA_LIBRARY where cuBLAS or cuSOLVER is
/// missing, ERR_OUT_OF_MEMORY, or ERR_CUDA with what CUDA says.
class Backend {
 public:
  virtual ~Backend() = default;

  /// Devices that the process may use, 0 where there are none.
  virtual int device_count() = 0;
  virtual DeviceFacts facts(int device) = 0;

  /// Where cuBLAS and cuSOLVER are, one in a line; opens them.
  virtual std::string libraries() = 0;

  /// Each on a stream of its own, to be used by one thread at a time. They obey what they are told
  /// to watch (Algebra::watch), nobody at first. `host_threads` is what parallelism() then says,
  /// for the work that solvers do on the host between operations.
  virtual std::unique_ptr<Algebra<float>> float_algebra(int device, Products products,
                                                        int host_threads) = 0;
  virtual std::unique_ptr<Algebra<double>> double_algebra(int device, int host_threads) = 0;
  virtual std::unique_ptr<RowWindow> row_window(int device, const RowWindowShape& shape) = 0;
  /// For KKT systems with the patterns of this one, whose Hessian has entries.
  virtual std::unique_ptr<newton::DenseFactors> dense_factors(int device,
                                                              const newton::KktSystem& pattern) = 0;
  virtual std::unique_ptr<newton::DenseProducts> dense_products(
      int device, const newton::KktSystem& pattern, const newton::RowBlockPlan& plan) = 0;
};

/// The functions a backend library exports, by these names.
inline constexpr const char* backend_version_symbol = "secondorder_cuda_version";
inline constexpr const char* backend_open_symbol = "secondorder_cuda_open";
/// The package's version that it was built for: it must be the opener's, before anything else of
/// the library is called.
using BackendVersion = const char* (*)();
/// The backend, which lives as long as the process. Throws as its functions do.
using BackendOpen = Backend* (*)(const HostServices& services);

}  // namespace secondorder
