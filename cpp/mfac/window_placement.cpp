#include "mfac/window_placement.hpp"

#include <utility>

#include "algebra/sharded_row_window.hpp"

namespace secondorder::mfac {

namespace {

/// Of a window's life, taken to be a thousand steps: each reads all rows twice, takes a gradient in
/// and gives a solution out.
Work work_of(const RowWindowShape& shape) {
  constexpr double steps = 1000, launches_a_step = 20;
  const double rows = static_cast<double>(shape.rows) * static_cast<double>(shape.columns()) *
                      static_cast<double>(element_bytes(shape.storage));
  return {.bytes = steps * 2 * rows,
          .transfer_bytes = steps * 2 * sizeof(float) * static_cast<double>(shape.dimension),
          .launches = steps * launches_a_step};
}

std::unique_ptr<RowWindow> make(Backend& backend, std::span<const int> gpus, RowWindowShape shape) {
  if (gpus.size() == 1) return backend.row_window(gpus[0], shape);
  const auto shard = [&](std::size_t index, const RowWindowShape& part) {
    return backend.row_window(gpus[index], part);
  };
  return std::make_unique<ShardedRowWindow>(std::move(shape), gpus.size(), shard);
}

}  // namespace

MakeRowWindow rows_on(DeviceRequest request, DeviceChoice& chosen) {
  return [request = std::move(request), &chosen](const RowWindowShape& shape) {
    std::unique_ptr<RowWindow> rows;
    const auto use = [&](Backend& backend, std::span<const int> gpus) {
      rows = make(backend, gpus, shape);
    };
    chosen = choose_device(request, work_of(shape), 0, use);
    return rows;
  };
}

}  // namespace secondorder::mfac
