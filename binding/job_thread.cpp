#include "job_thread.hpp"

#include <cstdlib>
#include <utility>
#include <vector>

namespace secondorder::binding {
namespace {

struct RunningThreads {
  std::mutex mutex;
  std::vector<std::shared_ptr<JobThread>> threads;
};

RunningThreads& running() {
  static RunningThreads list;
  return list;
}

void stop_all() {
  std::vector<std::shared_ptr<JobThread>> threads;
  {
    const std::lock_guard lock(running().mutex);
    threads = running().threads;
  }
  for (const auto& thread : threads) thread->cancel();
  for (const auto& thread : threads) thread->join();
}

}  // namespace

std::shared_ptr<JobThread> JobThread::start(std::shared_ptr<RunControl> control,
                                            std::function<void()> body) {
  auto thread = std::make_shared<JobThread>();
  thread->control_ = std::move(control);
  const std::lock_guard lock(running().mutex);
  running().threads.push_back(thread);
  try {
    thread->thread_ = std::thread(std::move(body));
  } catch (...) {
    running().threads.pop_back();
    throw;
  }
  return thread;
}

void JobThread::join() {
  {
    const std::lock_guard lock(joining_);
    if (!thread_.joinable()) return;
    thread_.join();
  }
  const std::lock_guard lock(running().mutex);
  std::erase_if(running().threads, [this](const auto& thread) { return thread.get() == this; });
}

void JobThread::stop_all_at_exit() {
  // The list is made first, so that it is destroyed after the handler has run.
  running();
  static const int registered = std::atexit(stop_all);
  static_cast<void>(registered);
}

}  // namespace secondorder::binding
