// What the outside may ask of a running solver: stop, hurry, tell.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <initializer_list>
#include <limits>
#include <span>

namespace secondorder {

/// One figure of a progress report; names are string literals.
struct NamedNumber {
  const char* name;
  double value;
};

/// What of a control is obeyed: its cancellation alone, or its time limit too. Solvers look at the
/// limit themselves between iterations, and leave it to what they call where there are none.
enum class StopOn { cancellation, time_limit };

class RunControl {
 public:
  using Clock = std::chrono::steady_clock;

  /// Threads the solver may use, its own included; 0 means all that the process may use.
  int threads = 0;
  /// Seconds from construction after which the solver returns its best iterate.
  double time_limit = std::numeric_limits<double>::infinity();
  /// Called on the solver's thread.
  std::function<void(std::span<const NamedNumber>)> on_progress;

  void cancel() noexcept { cancelled_.store(true, std::memory_order_relaxed); }
  bool cancelled() const noexcept { return cancelled_.load(std::memory_order_relaxed); }
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }
  bool out_of_time() const { return seconds() >= time_limit; }
  /// True when the solver is to return what it has.
  bool stop_requested() const { return cancelled() || out_of_time(); }
  bool stop_requested(StopOn stop_on) const {
    return stop_on == StopOn::time_limit ? stop_requested() : cancelled();
  }

  void report(std::span<const NamedNumber> figures) const {
    if (on_progress) on_progress(figures);
  }
  void report(std::initializer_list<NamedNumber> figures) const {
    report(std::span<const NamedNumber>(figures.begin(), figures.size()));
  }

 private:
  std::atomic<bool> cancelled_{false};
  Clock::time_point start_ = Clock::now();
};

}  // namespace secondorder
