// K of a Newton step as a full matrix on the device, from the compressed entries that the host has.
#pragma once

#include <cstdint>

#include "newton/dense_device.hpp"
#include "newton/kkt_system.hpp"

namespace secondorder::cuda {

class DeviceKkt {
 public:
  /// Memory for the entries of systems with this pattern, whose Hessian has entries.
  explicit DeviceKkt(const newton::KktSystem& pattern);

  std::size_t order() const { return variables_ + constraints_; }
  /// k ← K, order × order. Entries that the device has already, by the system's revision, are not
  /// copied again.
  void place(DenseDevice& device, const newton::KktSystem& system, double* k);

 private:
  /// Compressed lines: columns of H, rows of J.
  struct Lines {
    std::int32_t* offsets = nullptr;
    std::int32_t* indices = nullptr;
    double* values = nullptr;
  };
  void lay_out(Places& places, const newton::KktSystem& pattern);

  std::size_t variables_, constraints_;
  DeviceMemory memory_;
  Lines hessian_, jacobian_;
  bool has_pattern_ = false;
  std::uint64_t revision_ = 0;
};

}  // namespace secondorder::cuda
