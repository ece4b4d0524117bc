#include "self_test.hpp"

#include <chrono>
#include <memory>
#include <new>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <thread>

#include "job.hpp"
#include "marshal.hpp"

namespace secondorder::binding {
namespace {

enum class Failure { none, error, memory, exception, unknown };

/// selfTest({ seconds, pause, fail?, values? }, run) -> { sum, report: { status, iterations } }:
/// works in steps of `pause` seconds until `seconds` are over, then fails as asked or adds up the
/// values.
class SelfTest final : public Task {
 public:
  explicit SelfTest(const Fields& spec)
      : seconds_(spec.number("seconds", non_negative)),
        pause_(spec.number("pause", non_negative)),
        values_(spec.optional_real_array("values")) {
    if (!spec.has("fail")) return;
    failure_ = spec.choice<Failure>("fail", {{"error", Failure::error},
                                             {"memory", Failure::memory},
                                             {"exception", Failure::exception},
                                             {"unknown", Failure::unknown}});
  }

  void run(RunControl& control) override {
    const double start = control.seconds();  // the thread may have waited for a CPU
    while (control.seconds() - start < seconds_ && !control.stop_requested()) {
      if (pause_.count() > 0) std::this_thread::sleep_for(pause_);
      ++iterations_;
      control.report({{"iteration", iterations_}, {"seconds", control.seconds()}});
    }
    fail();
    if (values_) std::visit([this](const auto& array) { add_up(array.view()); }, *values_);
    status_ = control.cancelled() ? "aborted" : control.out_of_time() ? "time_limit" : "converged";
  }

  Napi::Value deliver(Napi::Env env) override {
    Napi::Object report = Napi::Object::New(env);
    report.Set("status", status_);
    report.Set("iterations", iterations_);
    Napi::Object result = Napi::Object::New(env);
    result.Set("sum", sum_);
    result.Set("report", report);
    return result;
  }

  std::size_t bytes() const override { return values_ ? binding::bytes(*values_) : 0; }

 private:
  void fail() const {
    switch (failure_) {
      case Failure::none:
        return;
      case Failure::error:
        throw Error(ErrorCode::numerical, "The self-test fails as asked", "fail");
      case Failure::memory:
        throw std::bad_alloc();
      case Failure::exception:
        throw std::runtime_error("The self-test throws as asked");
      case Failure::unknown:
        throw 0;
    }
  }

  template <typename T>
  void add_up(std::span<const T> values) {
    sum_ = std::accumulate(values.begin(), values.end(), 0.0);
  }

  double seconds_;
  std::chrono::duration<double> pause_;
  std::optional<RealArray> values_;
  Failure failure_ = Failure::none;
  double iterations_ = 0;
  double sum_ = 0;
  const char* status_ = "";
};

}  // namespace

void register_self_test(Napi::Env, Napi::Object exports) {
  export_job<make<SelfTest>>(exports, "selfTest");
}

}  // namespace secondorder::binding
