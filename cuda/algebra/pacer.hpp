// Keeps the host from running far ahead of the device: what is asked to stop has to wait for what
// is queued already.
#pragma once

#include <array>
#include <utility>

#include "memory.hpp"

namespace secondorder::cuda {

/// Work for a device, by the rates of a fast one.
struct QueuedWork {
  double launches = 0;
  double seconds = 0;  ///< of what is launched

  static QueuedWork launch(double operations, double bytes) {
    return {1, operations / operations_per_second + bytes / bytes_per_second};
  }
  double total_seconds() const { return seconds + launches * launch_seconds; }
  /// Whether the device would wait for launches: its work takes less than twice the time that the
  /// host takes to launch it. Above that the host is ahead however it launches.
  bool bound_by_launches() const { return seconds < 2 * launches * launch_seconds; }
  void operator+=(const QueuedWork& other) {
    launches += other.launches;
    seconds += other.seconds;
  }

 private:
  static constexpr double launch_seconds = 3e-6;
  static constexpr double operations_per_second = 4e13;
  static constexpr double bytes_per_second = 2e12;
};

class Pacer {
 public:
  /// Called before work is queued: waits while more than two portions of some 5 ms lie ahead. The
  /// device never runs dry by it.
  void pace(cudaStream_t stream, const QueuedWork& work) {
    if (count_ != nullptr) *count_ += work;
    if (capturing_) return;
    queued_seconds_ += work.total_seconds();
    if (queued_seconds_ < portion_seconds) return;
    queued_seconds_ = 0;
    std::swap(events_[0], events_[1]);
    events_[1]->wait();
    events_[1]->record(stream);
  }

  /// Counts the work while it lives. In a capture, where nothing is queued, nothing is waited for.
  class Count {
   public:
    Count(Pacer& pacer, bool capturing) : pacer_(pacer) {
      pacer_.count_ = &work_;
      pacer_.capturing_ = capturing;
    }
    ~Count() {
      pacer_.count_ = nullptr;
      pacer_.capturing_ = false;
    }
    Count(const Count&) = delete;
    Count& operator=(const Count&) = delete;
    const QueuedWork& work() const { return work_; }

   private:
    Pacer& pacer_;
    QueuedWork work_;
  };

 private:
  static constexpr double portion_seconds = 5e-3;
  Event first_, second_;
  std::array<Event*, 2> events_{&first_, &second_};
  double queued_seconds_ = 0;
  QueuedWork* count_ = nullptr;
  bool capturing_ = false;
};

}  // namespace secondorder::cuda
