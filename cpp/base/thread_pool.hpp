// A fixed team of threads for one solver run.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/function_ref.hpp"
#include "base/run_control.hpp"

namespace secondorder {

/// Thrown out of ThreadPool::run() when the run's control asks it to stop.
struct Cancelled {};

/// Threads this process may use: the CPUs its affinity mask and its cgroup quota allow.
int available_threads();

/// Runs numbered tasks on a team of threads; the caller works along as thread 0.
/// Tasks are handed out in order to whoever is free, so their results must not depend on who runs
/// them: solvers cut their work into the same tasks for any number of threads, and give the same
/// bits for any number of threads.
class ThreadPool {
 public:
  /// `threads` counts the caller; 0 means available_threads().
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  /// From now on run() stops between tasks, and throws Cancelled, once `control` asks for it.
  void watch(const RunControl* control, StopOn stop_on = StopOn::cancellation) {
    control_ = control;
    stop_on_ = stop_on;
  }
  /// Throws Cancelled where run() would stop; for long loops outside of run(), and long tasks.
  void checkpoint() const {
    if (stop_requested()) throw Cancelled{};
  }

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  /// Calls body(task, thread) for every task in [0, tasks), and returns when all are done.
  /// The first exception of a task is thrown again here. Not reentrant. Allocates nothing.
  void run(std::size_t tasks, FunctionRef<void(std::size_t task, int thread)> body);

 private:
  struct Shared;
  void work(int thread);
  void drain(int thread);
  bool stop_requested() const;

  std::unique_ptr<Shared> shared_;
  std::vector<std::thread> workers_;
  bool spins_ = false;  ///< there is a CPU for each thread
  const RunControl* control_ = nullptr;
  StopOn stop_on_ = StopOn::cancellation;
};

}  // namespace secondorder
