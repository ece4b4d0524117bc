#include "base/thread_pool.hpp"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <fstream>
#include <string>
#include <utility>

#include "base/run_control.hpp"

namespace secondorder {

namespace {

/// CPUs granted by the cgroup's quota (v2, then v1), or 0 where there is none.
int quota_threads() {
  double quota = 0, period = 0;
  if (std::ifstream v2("/sys/fs/cgroup/cpu.max"); v2) {
    std::string first;
    if (v2 >> first >> period && first != "max") quota = std::strtod(first.c_str(), nullptr);
  } else {
    std::ifstream quota_file("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
    std::ifstream period_file("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
    if (!(quota_file >> quota) || !(period_file >> period)) return 0;
  }
  if (quota <= 0 || period <= 0) return 0;
  return std::max(1, static_cast<int>(std::ceil(quota / period)));
}

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Waits for a little while, awake: passes that follow one another closely would otherwise lose
/// more to falling asleep, and to waking up on a CPU that is taken, than they take themselves.
template <class Done>
void spin(const Done& done) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::microseconds patience{100};
  const auto end = Clock::now() + patience;
  do {
    for (int i = 0; i < 16; ++i) {
      if (done()) return;
      relax();
    }
  } while (Clock::now() < end);
}

}  // namespace

int available_threads() {
  static const int count = [] {
    cpu_set_t set;
    CPU_ZERO(&set);
    int cpus = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
    if (cpus < 1) cpus = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    const int quota = quota_threads();
    return quota > 0 ? std::min(cpus, quota) : cpus;
  }();
  return count;
}

struct ThreadPool::Shared {
  std::mutex mutex;
  std::condition_variable wake;
  std::condition_variable done;
  const FunctionRef<void(std::size_t, int)>* body = nullptr;
  std::size_t tasks = 0;
  std::atomic<std::size_t> next{0};
  // Written under the mutex, but read without it while spinning.
  std::atomic<unsigned> generation{0};
  std::atomic<int> busy{0};
  std::atomic<bool> closing{false};
  std::exception_ptr failure;
};

ThreadPool::ThreadPool(int threads) : shared_(std::make_unique<Shared>()) {
  const int count = threads > 0 ? threads : available_threads();
  spins_ = count <= available_threads();
  workers_.reserve(static_cast<std::size_t>(count - 1));
  for (int i = 1; i < count; ++i) {
    try {
      workers_.emplace_back([this, i] { work(i); });
    } catch (const std::system_error&) {
      break;  // the system grants no more threads: fewer do the same work
    }
  }
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->closing = true;
  }
  shared_->wake.notify_all();
  for (auto& worker : workers_) worker.join();
}

bool ThreadPool::stop_requested() const {
  return control_ != nullptr && control_->stop_requested(stop_on_);
}

void ThreadPool::drain(int thread) {
  Shared& s = *shared_;
  for (;;) {
    const std::size_t task = s.next.fetch_add(1, std::memory_order_relaxed);
    if (task >= s.tasks) return;
    try {
      checkpoint();
      (*s.body)(task, thread);
    } catch (...) {
      const std::lock_guard lock(s.mutex);
      if (!s.failure) s.failure = std::current_exception();
      s.next.store(s.tasks, std::memory_order_relaxed);
    }
  }
}

void ThreadPool::work(int thread) {
  Shared& s = *shared_;
  unsigned seen = 0;
  std::unique_lock lock(s.mutex);
  const auto called = [&] { return s.closing || s.generation != seen; };
  for (;;) {
    s.wake.wait(lock, called);
    if (s.closing) return;
    seen = s.generation;
    lock.unlock();
    drain(thread);
    lock.lock();
    if (--s.busy == 0) s.done.notify_one();
    lock.unlock();
    if (spins_) spin(called);
    lock.lock();
  }
}

void ThreadPool::run(std::size_t tasks, FunctionRef<void(std::size_t, int)> body) {
  if (workers_.empty() || tasks <= 1) {
    for (std::size_t task = 0; task < tasks; ++task) {
      checkpoint();
      body(task, 0);
    }
    return;
  }
  Shared& s = *shared_;
  {
    const std::lock_guard lock(s.mutex);
    s.body = &body;
    s.tasks = tasks;
    s.next.store(0, std::memory_order_relaxed);
    s.busy = static_cast<int>(workers_.size());
    s.failure = nullptr;
    ++s.generation;
  }
  s.wake.notify_all();
  drain(0);
  const auto done = [&] { return s.busy == 0; };
  if (spins_) spin(done);
  std::unique_lock lock(s.mutex);
  s.done.wait(lock, done);
  if (s.failure) std::rethrow_exception(std::exchange(s.failure, nullptr));
}

}  // namespace secondorder
