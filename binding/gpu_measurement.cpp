#include "gpu_measurement.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <string>

#include "base/thread_pool.hpp"
#include "device.hpp"
#include "device/choice.hpp"
#include "device/plugin.hpp"
#include "job.hpp"
#include "marshal.hpp"

namespace secondorder::binding {
namespace {

/// measureGpu({ device, size, bytes, seconds, products }, run) -> { gigaflops, gigabytesPerSecond
/// }: cuBLAS's square products of this size, of float64 matrices for products 'float64', and a copy
/// of so many bytes from the device's memory to the same, counted as read and written; each again
/// and again for the seconds.
class GpuMeasurement final : public Task {
 public:
  explicit GpuMeasurement(const Fields& spec)
      : device_(read_device(spec)),
        size_(static_cast<std::size_t>(spec.integer("size", 1, 1 << 16))),
        floats_(static_cast<std::size_t>(spec.integer("bytes", 4)) / sizeof(float)),
        seconds_(spec.number("seconds", non_negative)),
        float64_(spec.string("products") == "float64"),
        products_(float64_ ? Products::float32 : spec.choice<Products>("products")) {}

  void run(RunControl& control) override {
    require_gpus(device_.gpus);
    const auto algebra = backend().float_algebra(device_.gpus.at(0), products_, 1);
    algebra->watch(&control);
    run_stoppable(control, [&] {
      if (float64_) {
        const auto exact = backend().double_algebra(device_.gpus.at(0), 1);
        exact->watch(&control);
        measure_products(*exact, control);
      } else {
        measure_products(*algebra, control);
      }
      measure_copies(*algebra, control);
    });
  }

  Napi::Value deliver(Napi::Env env) override {
    Napi::Object result = Napi::Object::New(env);
    result.Set("gigaflops", gigaflops_);
    result.Set("gigabytesPerSecond", gigabytes_per_second_);
    return result;
  }

 private:
  /// Calls of `work` a second, in batches that the host waits for, the fastest of which counts.
  template <class Real, class Work>
  double rate(Algebra<Real>& algebra, View<Real> any, const RunControl& control, const Work& work) {
    double fastest = 0;
    std::size_t batch = 1;
    const double start = control.seconds();
    do {
      const double before = control.seconds();
      for (std::size_t k = 0; k < batch; ++k) work();
      Real one = 0;
      algebra.download(any.block(0, 1).columns(0, 1), std::span(&one, 1));
      const double taken = std::max(control.seconds() - before, 1e-9);
      fastest = std::max(fastest, static_cast<double>(batch) / taken);
      if (taken < seconds_ / 10) batch *= 2;  // the waiting counts for little then
    } while (!control.stop_requested() && control.seconds() - start < seconds_);
    return fastest;
  }

  template <class Real>
  void measure_products(Algebra<Real>& algebra, const RunControl& control) {
    Arena plan, arena;
    const auto lay_out = [&](Arena& from) {
      return std::array{from.matrix<Real>(size_, size_), from.matrix<Real>(size_, size_),
                        from.matrix<Real>(size_, size_)};
    };
    lay_out(plan);
    arena = Arena(algebra.allocate(plan.bytes()), plan.bytes());
    const auto [a, b, c] = lay_out(arena);
    algebra.fill(a, Real(0.5));
    algebra.fill(b, Real(0.25));
    const double products = rate(algebra, c, control, [&, a = a, b = b, c = c] {
      algebra.multiply(1, a, Transpose::no, b, Transpose::no, 0, c);
    });
    gigaflops_ = 2 * static_cast<double>(size_) * static_cast<double>(size_) *
                 static_cast<double>(size_) * products / 1e9;
  }

  void measure_copies(Algebra<float>& algebra, const RunControl& control) {
    const std::size_t columns = std::min<std::size_t>(floats_, 1 << 16);
    const std::size_t rows = floats_ / columns;
    Arena plan, arena;
    const auto lay_out = [&](Arena& to) {
      return std::array{to.matrix<float>(rows, columns), to.matrix<float>(rows, columns)};
    };
    lay_out(plan);
    arena = Arena(algebra.allocate(plan.bytes()), plan.bytes());
    const auto [from, to] = lay_out(arena);
    algebra.fill(from, 0.5F);
    const double copies =
        rate(algebra, to, control, [&, from = from, to = to] { algebra.copy(from, to); });
    gigabytes_per_second_ = 2 * static_cast<double>(from.size() * sizeof(float)) * copies / 1e9;
  }

  DeviceRequest device_;
  std::size_t size_, floats_;
  double seconds_;
  bool float64_;
  Products products_;
  double gigaflops_ = 0, gigabytes_per_second_ = 0;
};

}  // namespace

void register_gpu_measurement(Napi::Env, Napi::Object exports) {
  export_job<make<GpuMeasurement>>(exports, "measureGpu");
}

}  // namespace secondorder::binding
