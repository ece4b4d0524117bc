#include "system.hpp"

#include <cblas.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "algebra/cpu/kernels.hpp"
#include "base/memory_facts.hpp"
#include "base/thread_pool.hpp"
#include "job.hpp"
#include "marshal.hpp"

namespace secondorder::binding {
namespace {

Napi::Value blas_info(const Napi::CallbackInfo& info) {
  Napi::Object facts = Napi::Object::New(info.Env());
  facts.Set("core", std::string(openblas_get_corename()));
  facts.Set("config", std::string(openblas_get_config()));
  facts.Set("threads", openblas_get_num_threads());
  return facts;
}

Napi::Value cpu_info(const Napi::CallbackInfo& info) {
  Napi::Object facts = Napi::Object::New(info.Env());
  facts.Set("kernels", kernels<float>().name);
  facts.Set("threads", available_threads());
  return facts;
}

void multiply(int size, const float* a, const float* b, float* c) {
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, size, size, size, 1, a, size, b, size, 0,
              c, size);
}

void multiply(int size, const double* a, const double* b, double* c) {
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, size, size, size, 1, a, size, b, size, 0,
              c, size);
}

/// measureGemm({ size, seconds, precision }, run) -> { gigaflops }: square products on every
/// thread, until the seconds are over.
template <typename T>
class GemmMeasurement final : public Task {
 public:
  GemmMeasurement(int size, double seconds) : size_(size), seconds_(seconds) {}

  void run(RunControl& control) override {
    const int threads = control.threads > 0 ? control.threads : available_threads();
    check_memory(threads);
    ThreadPool pool(threads);
    std::atomic<std::int64_t> products = 0;
    const double start = control.seconds();
    const auto rate = [&] {
      const double flops = 2.0 * size_ * size_ * size_ * static_cast<double>(products);
      return flops / 1e9 / std::max(control.seconds() - start, 1e-9);
    };
    std::vector<Factors> factors(static_cast<std::size_t>(threads), Factors(size_));
    const auto more = [&] {
      return !control.stop_requested() && control.seconds() - start < seconds_;
    };
    // In rounds, because progress is reported while no other thread computes (see Task::run).
    while (more()) {
      const double round = control.seconds();
      pool.run(factors.size(), [&](std::size_t task, int) {
        Factors& f = factors[task];
        do {
          multiply(size_, f.a.data(), f.b.data(), f.c.data());
          ++products;
        } while (more() && control.seconds() - round < round_seconds);
      });
      control.report({{"iteration", static_cast<double>(products)}, {"gigaflops", rate()}});
    }
    gigaflops_ = rate();
  }

  Napi::Value deliver(Napi::Env env) override {
    Napi::Object result = Napi::Object::New(env);
    result.Set("gigaflops", gigaflops_);
    return result;
  }

 private:
  static constexpr double round_seconds = 0.02;

  struct Factors {
    explicit Factors(int size)
        : a(static_cast<std::size_t>(size) * static_cast<std::size_t>(size), T(0.5)),
          b(a.size(), T(0.25)),
          c(a.size()) {}
    std::vector<T> a, b, c;
  };

  void check_memory(int threads) const {
    const double need = 3.0 * sizeof(T) * threads * size_ * size_;
    const double have = static_cast<double>(available_memory());
    if (need <= have) return;
    throw Error(ErrorCode::out_of_memory,
                "Products of size " + std::to_string(size_) + " on " + std::to_string(threads) +
                    " threads need " + std::to_string(static_cast<std::int64_t>(need / 1e6)) +
                    " MB; " + std::to_string(static_cast<std::int64_t>(have / 1e6)) +
                    " MB are available",
                "size");
  }

  int size_;
  double seconds_;
  double gigaflops_ = 0;
};

std::unique_ptr<Task> make_gemm(const Fields& spec) {
  enum class Precision { single, twofold };
  const int size = static_cast<int>(spec.integer("size", 1, std::numeric_limits<int>::max()));
  const double seconds = spec.number("seconds", non_negative);
  const auto precision = spec.choice<Precision>(
      "precision", {{"float32", Precision::single}, {"float64", Precision::twofold}});
  if (precision == Precision::single)
    return std::make_unique<GemmMeasurement<float>>(size, seconds);
  return std::make_unique<GemmMeasurement<double>>(size, seconds);
}

}  // namespace

void register_system(Napi::Env, Napi::Object exports) {
  openblas_set_num_threads(1);  // the core brings its own threads, and calls OpenBLAS from each
  export_function<blas_info>(exports, "blasInfo");
  export_function<cpu_info>(exports, "cpuInfo");
  export_job<make_gemm>(exports, "measureGemm");
}

}  // namespace secondorder::binding
