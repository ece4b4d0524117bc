// Keeps the host from running far ahead of the device: what is asked to stop has to wait for what
// is queued already.
#pragma once

#include <array>
#include <utility>

#include "memory.hpp"

namespace secondorder::cuda {

class Pacer {
 public:
  /// Called before work of about this size is queued: waits while more than two portions of some
  /// 5 ms, by the rates of a fast device, lie ahead. The device never runs dry by it.
  void pace(cudaStream_t stream, double operations, double bytes) {
    queued_ += launch_seconds + operations / operations_per_second + bytes / bytes_per_second;
    if (queued_ < portion_seconds) return;
    queued_ = 0;
    std::swap(events_[0], events_[1]);
    events_[1]->wait();
    events_[1]->record(stream);
  }

 private:
  static constexpr double portion_seconds = 5e-3;
  static constexpr double launch_seconds = 3e-6;
  static constexpr double operations_per_second = 4e13;
  static constexpr double bytes_per_second = 2e12;
  Event first_, second_;
  std::array<Event*, 2> events_{&first_, &second_};
  double queued_ = 0;
};

}  // namespace secondorder::cuda
