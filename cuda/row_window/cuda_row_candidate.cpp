// The candidate row of a window on a GPU: rounded and multiplied with the window as it arrives.
#include <algorithm>

#include "algebra/row_window_messages.hpp"
#include "row_window/cuda_row_window.hpp"

namespace secondorder::cuda {

void CudaRowWindow::refuse(const HostVector& g, std::size_t offset, std::size_t column) const {
  const std::size_t position = host_.position(column);
  fail(ErrorCode::invalid_argument,
       refused_candidate(g, position - offset, shape_.first_position + position), "gradient");
}

void CudaRowWindow::multiply_candidate(unsigned chunk, const float* values, std::size_t used) {
  ProductsPass pass = products_pass(chunk, used);
  pass.x[0] = {values, false};
  pass.sums = candidate_sums_.as<double>();
  pass.sums_stride = shape_.rows + 1;
  launch_candidate_products(shape_.storage, candidate(), pass, lane(chunk).stream.get());
}

void CudaRowWindow::propose(const HostVector& g, std::size_t used) {
  settle();
  candidate_used_ = used;
  for (unsigned chunk = 0; chunk < cut_.chunks(); ++chunk) {
    checkpoint();
    Lane& lane = this->lane(chunk);
    const Columns range = columns(chunk);
    auto* values = lane.vectors.host_in.as<float>();
    lane.sent.wait();
    const std::size_t bad = host_.gather(g, 0, range.first, range.count, values);
    if (bad < range.count) refuse(g, 0, range.first + bad);
    lane.to_device(lane.vectors.in.address(), values, range.count * sizeof(float));
    lane.sent.record(lane.stream.get());
    multiply_candidate(chunk, lane.vectors.in.as<float>(), used);
  }
}

void CudaRowWindow::propose_part(std::size_t offset, const HostVector& part, std::size_t used) {
  if (!parts_begun_) {
    settle();
    if (parts_.bytes() == 0) parts_ = DeviceMemory(shape_.columns() * sizeof(float));
    missing_.resize(cut_.chunks());
    for (unsigned chunk = 0; chunk < cut_.chunks(); ++chunk) missing_[chunk] = columns(chunk).count;
    parts_begun_ = true;
  }
  use_device();
  const std::size_t first = shape_.columns_before(offset);
  const std::size_t last = shape_.columns_before(offset + size(part));
  const auto each_chunk = [&](const auto& body) {
    for (std::size_t j = first; j < last;) {
      const auto chunk = static_cast<unsigned>(j / cut_.chunk_columns());
      const std::size_t end = std::min(last, (chunk + 1) * cut_.chunk_columns());
      body(chunk, Columns{j, end - j});
      j = end;
    }
  };
  // What belongs to a chunk goes through its lane, so that it is multiplied after it has arrived.
  each_chunk([&](unsigned chunk, Columns range) {
    checkpoint();
    Lane& lane = this->lane(chunk);
    auto* values = lane.vectors.host_in.as<float>();
    lane.sent.wait();
    const std::size_t bad = host_.gather(part, offset, range.first, range.count, values);
    if (bad < range.count) refuse(part, offset, range.first + bad);
    lane.to_device(parts_.as<float>() + range.first, values, range.count * sizeof(float));
    lane.sent.record(lane.stream.get());
  });
  candidate_used_ = used;
  each_chunk([&](unsigned chunk, Columns range) {
    if (missing_[chunk] != range.count) return;
    multiply_candidate(chunk, parts_.as<float>() + columns(chunk).first, used);
  });
  each_chunk([&](unsigned chunk, Columns range) { missing_[chunk] -= range.count; });
}

double CudaRowWindow::candidate_products(std::span<double> products) {
  settle();
  const auto totals = total(candidate_sums_, shape_.rows + 1, candidate_used_ + 1);
  const std::size_t known = std::min(products.size(), candidate_used_);
  std::copy_n(totals.begin() + 1, known, products.begin());
  std::fill(products.begin() + static_cast<std::ptrdiff_t>(known), products.end(), 0.0);
  return totals[0];
}

}  // namespace secondorder::cuda
