// The window of rows on a GPU: what is where, and which chunk goes through which lane when.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "algebra/row_layout.hpp"
#include "memory.hpp"
#include "row_window/cut.hpp"
#include "row_window/host_vectors.hpp"
#include "row_window/tile_layout.hpp"
#include "row_window/transfer_lane.hpp"

namespace secondorder::cuda {

/// Used by one thread at a time.
class CudaRowWindow final : public RowWindow {
 public:
  CudaRowWindow(int device, RowWindowShape shape);
  ~CudaRowWindow() override;

  const RowWindowShape& shape() const override { return shape_; }
  void watch(const RunControl* control) override;

  void propose(const HostVector& g, std::size_t used) override;
  void propose_part(std::size_t offset, const HostVector& part, std::size_t used) override;
  double candidate_products(std::span<double> products) override;
  void accept(std::size_t slot) noexcept override {
    slot_to_fill_ = slot;
    parts_begun_ = false;
  }
  void discard() noexcept override { parts_begun_ = false; }

  void products(std::span<const HostVector> x, std::size_t used, std::span<double> y) override;
  void combine(std::span<const Combination> combinations) override;

  void read_row(std::size_t slot, std::span<double> values) const override;
  std::size_t row_bytes() const override { return layout_.row_bytes(); }
  void export_row(std::size_t slot, std::span<std::byte> bytes) const override;
  void import_row(std::size_t slot, std::span<const std::byte> bytes) override;

  std::size_t window_bytes() const override { return data_.bytes() + scales_.bytes(); }
  std::size_t bytes() const override;

 private:
  /// Columns [first, first + count) of a chunk.
  struct Columns {
    std::size_t first, count;
  };
  Columns columns(unsigned chunk) const;
  Tiles tiles() const;
  SingleRow candidate() const;
  Lane& lane(unsigned chunk) const { return lanes_[chunk % lane_count]; }
  void use_device() const;
  /// Throws where the run is to stop.
  void checkpoint() const;
  /// Makes this device the current one, and the window what it was last told to be: nothing is
  /// under way when it returns, and an accepted row is in its place.
  void settle() const;
  /// Room for so many vectors at once, 1 or vectors_at_once.
  void provide(unsigned vectors);

  void multiply_candidate(unsigned chunk, const float* values, std::size_t used);
  [[noreturn]] void refuse(const HostVector& g, std::size_t offset, std::size_t column) const;
  ProductsPass products_pass(unsigned chunk, std::size_t used) const;
  /// Sends a part of x into a lane, as its vector `index`.
  DeviceVector send(Lane& lane, unsigned index, const HostVector& x, Columns range);
  /// totals[i] = the sums of all tasks, i < count, on the host.
  std::span<const double> total(const DeviceMemory& sums, std::size_t stride, std::size_t count);

  void multiply(std::span<const HostVector> x, std::size_t used, double* y);
  void combine_some(std::span<const Combination> combinations);
  void launch_combination(unsigned chunk, std::span<const Combination> combinations,
                          std::size_t used);
  /// Waits for a chunk's combinations, and hands them over; whether all of them are finite.
  bool receive(unsigned chunk, std::span<const Combination> combinations);

  int device_;
  RowWindowShape shape_;
  RowLayout layout_;
  TileLayout tile_layout_;
  Cut cut_;
  HostVectors host_;
  const RunControl* control_ = nullptr;

  DeviceMemory data_, scales_;
  DeviceMemory candidate_data_, candidate_scales_;
  DeviceMemory candidate_sums_;  ///< [task][1 + row]: candidate · candidate, row · candidate
  DeviceMemory product_sums_;    ///< [task][vector][row], once there were products
  DeviceMemory totals_;
  PinnedMemory host_totals_;  ///< of tasks, from the device; coefficients, to it
  unsigned vectors_ = 0;      ///< there is room for
  mutable std::array<Lane, lane_count> lanes_;
  std::size_t candidate_used_ = 0;  ///< rows the candidate was multiplied with
  /// Accepting can't fail, so that the copy is left to the next operation.
  mutable std::optional<std::size_t> slot_to_fill_;

  DeviceMemory parts_;  ///< float32 values that arrived in parts, by column
  bool parts_begun_ = false;
  std::vector<std::size_t> missing_;  ///< columns that a chunk still waits for
};

}  // namespace secondorder::cuda
