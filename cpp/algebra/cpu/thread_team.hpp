// The threads of an object that lives longer than a run.
#pragma once

#include <cstddef>
#include <memory>

#include "base/run_control.hpp"
#include "base/thread_pool.hpp"

namespace secondorder {

/// A thread pool that is made when first needed, and again when another number of threads is asked
/// for.
class ThreadTeam {
 public:
  /// Takes the number of threads from `control` and stops when it asks for it. Null keeps the
  /// threads, and nobody stops them.
  void watch(const RunControl* control) {
    if (control != nullptr) {
      const int wanted = control->threads > 0 ? control->threads : available_threads();
      if (wanted != threads_) pool_.reset();
      threads_ = wanted;
    }
    control_ = control;
    if (pool_) pool_->watch(control_, StopOn::time_limit);
  }

  int threads() const { return threads_; }

  void checkpoint() const {
    if (control_ != nullptr && control_->stop_requested()) throw Cancelled{};
  }

  /// Runs body(task, thread) for every task, on the team where `bytes` of memory to go through are
  /// worth waking it.
  void run(std::size_t tasks, std::size_t bytes, FunctionRef<void(std::size_t, int)> body) {
    constexpr std::size_t worth_waking = 256 * 1024;
    if (threads_ == 1 || tasks < 2 || bytes < worth_waking) {
      for (std::size_t task = 0; task < tasks; ++task) {
        checkpoint();
        body(task, 0);
      }
      return;
    }
    if (!pool_) {
      pool_ = std::make_unique<ThreadPool>(threads_);
      pool_->watch(control_, StopOn::time_limit);
    }
    pool_->run(tasks, body);
  }

 private:
  int threads_ = available_threads();
  std::unique_ptr<ThreadPool> pool_;
  const RunControl* control_ = nullptr;
};

}  // namespace secondorder
