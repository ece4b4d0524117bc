// A thread that works under a RunControl and that the end of the process stops in time.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "base/run_control.hpp"

namespace secondorder::binding {

/// process.exit() on the main thread runs no environment clean-up: it goes straight to exit(),
/// whose destructors (OpenBLAS's among them) must not meet a thread that still computes. So every
/// running thread is known to the process, and an atexit handler, which runs before the destructors
/// of the objects loaded earlier, cancels and joins them.
class JobThread {
 public:
  JobThread() = default;
  JobThread(const JobThread&) = delete;
  JobThread& operator=(const JobThread&) = delete;

  /// Runs `body` on a new thread; throws std::system_error when the system has none left.
  static std::shared_ptr<JobThread> start(std::shared_ptr<RunControl> control,
                                          std::function<void()> body);

  void cancel() noexcept { control_->cancel(); }
  /// Waits for the end of `body`. Any thread may call it, any number of times.
  void join();

  /// Makes the end of the process stop all threads; called as each environment loads the addon.
  static void stop_all_at_exit();

 private:
  std::shared_ptr<RunControl> control_;
  std::mutex joining_;
  std::thread thread_;
};

}  // namespace secondorder::binding
