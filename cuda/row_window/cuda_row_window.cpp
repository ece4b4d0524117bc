#include "row_window/cuda_row_window.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "cuda_row_window.hpp"
#include "row_window/elements.hpp"
#include "row_window/row_moves.hpp"

namespace secondorder::cuda {

namespace {

/// Bytes of the device that a window takes besides the vectors on their way: as a float, for it may
/// not fit an integer.
double estimate_bytes(const RowWindowShape& shape) {
  const double columns = static_cast<double>(shape.columns());
  const double rows = static_cast<double>(shape.rows);
  const double blocks = std::ceil(columns / static_cast<double>(block_columns));
  const double element = static_cast<double>(element_bytes(shape.storage));
  const double line = static_cast<double>(line_bytes);
  const double row = std::ceil(columns * element / line) * line +
                     (has_scales(shape.storage) ? blocks * sizeof(float) : 0);
  // The cut has at most a task for each block.
  return (rows + 1) * row + blocks * (rows + 1) * sizeof(double);
}

/// The shape, if this device has room for its window.
RowWindowShape admitted(int device, RowWindowShape shape) {
  check(cudaSetDevice(device), "cudaSetDevice");
  std::size_t left = 0, all = 0;
  check(cudaMemGetInfo(&left, &all), "cudaMemGetInfo");
  const double need = estimate_bytes(shape), have = static_cast<double>(left);
  if (need <= have) return shape;
  fail(ErrorCode::out_of_memory,
       "A window of " + std::to_string(shape.rows) + " gradients of " +
           std::to_string(shape.columns()) + " " + std::string(name(shape.storage)) +
           " numbers needs " + std::to_string(need / 1e6) + " MB of the GPU; " +
           std::to_string(have / 1e6) + " MB are free",
       "capacity");
}

}  // namespace

CudaRowWindow::CudaRowWindow(int device, RowWindowShape shape)
    : device_(device),
      shape_(admitted(device, std::move(shape))),
      layout_{shape_.columns(), shape_.storage},
      tile_layout_(TileLayout::of(shape_.rows, layout_)),
      cut_(Cut::of(shape_.rows, layout_.blocks(), shape_.storage)),
      host_(shape_.active),
      data_(shape_.rows * layout_.element_row_bytes()),
      scales_(shape_.rows * layout_.scale_row_bytes()),
      candidate_data_(layout_.element_row_bytes()),
      candidate_scales_(layout_.scale_row_bytes()),
      candidate_sums_(cut_.tasks() * (shape_.rows + 1) * sizeof(double)),
      totals_((vectors_at_once * shape_.rows + 1) * sizeof(double)),
      host_totals_(totals_.bytes()) {
  provide(1);
  // Rows that were never written are zeros.
  for (const DeviceMemory* memory : {&data_, &scales_}) {
    if (memory->bytes() == 0) continue;
    check(cudaMemsetAsync(memory->address(), 0, memory->bytes(), lanes_[0].stream.get()),
          "cudaMemsetAsync");
  }
  settle();
}

CudaRowWindow::~CudaRowWindow() {
  // Whatever is under way uses memory that goes now.
  cudaSetDevice(device_);
  for (const Lane& lane : lanes_) cudaStreamSynchronize(lane.stream.get());
}

void CudaRowWindow::watch(const RunControl* control) {
  control_ = control;
  if (control != nullptr) host_.set_threads(control->threads);
}

CudaRowWindow::Columns CudaRowWindow::columns(unsigned chunk) const {
  const std::size_t first = std::size_t{cut_.first_block(chunk)} * block_columns;
  return {first, std::min(cut_.end_block(chunk) * block_columns, shape_.columns()) - first};
}

Tiles CudaRowWindow::tiles() const {
  return {tile_layout_, data_.as<std::byte>(), scales_.as<float>()};
}

SingleRow CudaRowWindow::candidate() const {
  return {candidate_data_.as<std::byte>(), candidate_scales_.as<float>()};
}

void CudaRowWindow::use_device() const { check(cudaSetDevice(device_), "cudaSetDevice"); }

void CudaRowWindow::checkpoint() const {
  if (control_ != nullptr && control_->stop_requested(StopOn::time_limit)) cancel();
}

void CudaRowWindow::settle() const {
  use_device();
  for (const Lane& lane : lanes_) lane.stream.synchronize();
  if (!slot_to_fill_) return;
  launch_store_row({tiles(), *slot_to_fill_, 0, cut_.blocks, candidate()}, lanes_[0].stream.get());
  lanes_[0].stream.synchronize();
  slot_to_fill_.reset();
}

void CudaRowWindow::provide(unsigned vectors) {
  if (vectors <= vectors_) return;
  std::array<LaneVectors, lane_count> wider;
  for (LaneVectors& one : wider) one = {vectors, cut_.chunk_columns(), shape_.rows};
  for (unsigned l = 0; l < lane_count; ++l) lanes_[l].vectors = std::move(wider[l]);
  vectors_ = vectors;
}

// --- rows as values and as bytes -----------------------------------------------------------------

void CudaRowWindow::export_row(std::size_t slot, std::span<std::byte> bytes) const {
  settle();
  for (unsigned chunk = 0; chunk < cut_.chunks(); ++chunk) {
    const Lane& lane = this->lane(chunk);
    const unsigned first = cut_.first_block(chunk), end = cut_.end_block(chunk);
    const SingleRow row{lane.vectors.out.as<std::byte>(), lane.vectors.in.as<float>()};
    launch_fetch_row({tiles(), slot, first, end, row}, lane.stream.get());
    const RowLayout piece{columns(chunk).count, shape_.storage};
    const std::size_t scale_bytes = piece.scale_row_bytes();
    lane.to_host(lane.vectors.host_out.as<std::byte>(), row.data, piece.element_row_bytes());
    lane.to_host(lane.vectors.host_in.as<std::byte>(), row.scales, scale_bytes);
    lane.stream.synchronize();
    std::memcpy(bytes.data() + layout_.scale_row_bytes() + tile_layout_.offset_in_row(first),
                lane.vectors.host_out.as<std::byte>(), piece.element_row_bytes());
    if (scale_bytes == 0) continue;
    std::memcpy(bytes.data() + first * sizeof(float), lane.vectors.host_in.as<std::byte>(),
                scale_bytes);
  }
}

void CudaRowWindow::import_row(std::size_t slot, std::span<const std::byte> bytes) {
  settle();
  for (unsigned chunk = 0; chunk < cut_.chunks(); ++chunk) {
    const Lane& lane = this->lane(chunk);
    const unsigned first = cut_.first_block(chunk), end = cut_.end_block(chunk);
    const SingleRow row{lane.vectors.in.as<std::byte>(), lane.vectors.out.as<float>()};
    const RowLayout piece{columns(chunk).count, shape_.storage};
    const std::size_t scale_bytes = piece.scale_row_bytes();
    std::memcpy(lane.vectors.host_in.as<std::byte>(),
                bytes.data() + layout_.scale_row_bytes() + tile_layout_.offset_in_row(first),
                piece.element_row_bytes());
    lane.to_device(row.data, lane.vectors.host_in.as<std::byte>(), piece.element_row_bytes());
    if (scale_bytes > 0) {
      std::memcpy(lane.vectors.host_out.as<std::byte>(), bytes.data() + first * sizeof(float),
                  scale_bytes);
      lane.to_device(row.scales, lane.vectors.host_out.as<std::byte>(), scale_bytes);
    }
    launch_store_row({tiles(), slot, first, end, row}, lane.stream.get());
    lane.stream.synchronize();
  }
}

namespace {

template <class Element>
void decode_row(std::span<const std::byte> bytes, const RowLayout& layout,
                std::span<double> values) {
  using Bits = typename Element::Bits;
  const std::byte* elements = bytes.data() + layout.scale_row_bytes();
  for (std::size_t j = 0; j < values.size(); ++j) {
    float scale = 1;
    const std::size_t block = j / block_columns, first = block * block_columns;
    if (Element::scaled) std::memcpy(&scale, bytes.data() + block * sizeof scale, sizeof scale);
    Bits bits;
    const std::size_t at = first + Element::place(static_cast<unsigned>(j - first));
    std::memcpy(&bits, elements + at * sizeof bits, sizeof bits);
    values[j] = static_cast<double>(scale) * static_cast<double>(Element::decode(bits));
  }
}

}  // namespace

void CudaRowWindow::read_row(std::size_t slot, std::span<double> values) const {
  std::vector<std::byte> bytes(row_bytes());
  export_row(slot, bytes);
  const auto columns = values.first(shape_.columns());
  switch (shape_.storage) {
    case Storage::float32:
      return decode_row<Float32>(bytes, layout_, columns);
    case Storage::bfloat16:
      return decode_row<Bfloat16>(bytes, layout_, columns);
    case Storage::float16:
      return decode_row<Float16>(bytes, layout_, columns);
    case Storage::int8:
      return decode_row<Int8>(bytes, layout_, columns);
  }
}

std::size_t CudaRowWindow::bytes() const {
  std::size_t lanes = 0;
  for (const Lane& lane : lanes_) lanes += lane.vectors.bytes();
  return window_bytes() + lanes + candidate_data_.bytes() + candidate_scales_.bytes() +
         candidate_sums_.bytes() + product_sums_.bytes() + totals_.bytes() + host_totals_.bytes() +
         parts_.bytes() + shape_.active.size() * sizeof(std::uint32_t) +
         missing_.size() * sizeof(std::size_t);
}

std::unique_ptr<RowWindow> make_cuda_row_window(int device, const RowWindowShape& shape) {
  return std::make_unique<CudaRowWindow>(device, shape);
}

}  // namespace secondorder::cuda
