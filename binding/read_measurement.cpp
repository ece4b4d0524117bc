#include "read_measurement.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <string>

#include "algebra/cpu/page_memory.hpp"
#include "algebra/cpu/row_window_kernels.hpp"
#include "algebra/cpu/tiling.hpp"
#include "base/memory_facts.hpp"
#include "base/thread_pool.hpp"
#include "job.hpp"
#include "marshal.hpp"

namespace secondorder::binding {
namespace {

/// measureRead({ bytes, seconds }, run) -> { gigabytesPerSecond }: all threads read one block of
/// memory from end to end, again and again until the seconds are over; the fastest time counts.
class ReadMeasurement final : public Task {
 public:
  explicit ReadMeasurement(const Fields& spec)
      : bytes_(round_up(static_cast<std::size_t>(spec.integer("bytes", 1)), part_bytes)),
        seconds_(spec.number("seconds", non_negative)) {}

  void run(RunControl& control) override {
    check_memory();
    const int threads = control.threads > 0 ? control.threads : available_threads();
    ThreadPool pool(threads);
    const PageMemory memory(bytes_);
    const std::size_t parts = bytes_ / part_bytes;
    // Pages that were never written all are the same page of zeros.
    pool.run(parts, [&](std::size_t part, int) {
      std::memset(memory.data() + part * part_bytes, static_cast<int>(part % 251) + 1, part_bytes);
    });
    std::atomic<std::uint64_t> sum = 0;
    const double start = control.seconds();
    double iteration = 0;
    do {
      const double before = control.seconds();
      pool.run(parts, [&](std::size_t part, int) {
        sum += row_window_kernels().read(memory.data() + part * part_bytes, part_bytes);
      });
      const double taken = std::max(control.seconds() - before, 1e-9);
      fastest_ = std::max(fastest_, static_cast<double>(bytes_) / taken / 1e9);
      control.report({{"iteration", ++iteration}, {"gigabytesPerSecond", fastest_}});
    } while (!control.stop_requested() && control.seconds() - start < seconds_);
  }

  Napi::Value deliver(Napi::Env env) override {
    Napi::Object result = Napi::Object::New(env);
    result.Set("gigabytesPerSecond", fastest_);
    return result;
  }

 private:
  static constexpr std::size_t part_bytes = std::size_t{4} << 20;

  void check_memory() const {
    const std::size_t have = available_memory();
    if (bytes_ <= have) return;
    throw Error(ErrorCode::out_of_memory,
                "Reading " + std::to_string(bytes_) + " bytes needs as much memory; " +
                    std::to_string(have) + " bytes are available",
                "bytes");
  }

  std::size_t bytes_;
  double seconds_;
  double fastest_ = 0;
};

}  // namespace

void register_read_measurement(Napi::Env, Napi::Object exports) {
  export_job<make<ReadMeasurement>>(exports, "measureRead");
}

}  // namespace secondorder::binding
