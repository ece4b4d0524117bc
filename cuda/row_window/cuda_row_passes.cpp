// The two passes over a window on a GPU, chunk by chunk of its columns.
#include <algorithm>

#include "algebra/row_window_messages.hpp"
#include "row_window/cuda_row_window.hpp"

namespace secondorder::cuda {

ProductsPass CudaRowWindow::products_pass(unsigned chunk, std::size_t used) const {
  ProductsPass pass{};
  pass.tiles = tiles();
  pass.used = static_cast<unsigned>(used);
  pass.first_block = cut_.first_block(chunk);
  pass.end_block = cut_.end_block(chunk);
  pass.blocks_per_task = cut_.blocks_per_task;
  pass.rows_per_block = cut_.rows_per_block;
  return pass;
}

DeviceVector CudaRowWindow::send(Lane& lane, unsigned index, const HostVector& x, Columns range) {
  const bool wide = std::holds_alternative<std::span<const double>>(x);
  const std::size_t offset = LaneVectors::in_bytes(index, cut_.chunk_columns());
  std::byte* values = lane.vectors.host_in.as<std::byte>() + offset;
  if (wide) {
    host_.gather(x, 0, range.first, range.count, reinterpret_cast<double*>(values));
  } else {
    host_.gather(x, 0, range.first, range.count, reinterpret_cast<float*>(values));
  }
  std::byte* to = lane.vectors.in.as<std::byte>() + offset;
  lane.to_device(to, values, range.count * (wide ? sizeof(double) : sizeof(float)));
  return {to, wide};
}

std::span<const double> CudaRowWindow::total(const DeviceMemory& sums, std::size_t stride,
                                             std::size_t count) {
  const Lane& lane = lanes_[0];
  launch_sum_tasks(sums.as<double>(), cut_.tasks(), stride, count, totals_.as<double>(),
                   lane.stream.get());
  lane.to_host(host_totals_.as<double>(), totals_.as<double>(), count * sizeof(double));
  lane.stream.synchronize();
  return {host_totals_.as<double>(), count};
}

// --- pass one ------------------------------------------------------------------------------------

void CudaRowWindow::products(std::span<const HostVector> x, std::size_t used, std::span<double> y) {
  if (used == 0) return;
  for (std::size_t done = 0; done < x.size(); done += vectors_at_once) {
    const std::size_t count = std::min<std::size_t>(x.size() - done, vectors_at_once);
    multiply(x.subspan(done, count), used, y.data() + done * used);
  }
}

void CudaRowWindow::multiply(std::span<const HostVector> x, std::size_t used, double* y) {
  settle();
  const unsigned vectors = kernel_vectors(x.size());
  provide(vectors);
  const std::size_t sum_bytes = cut_.tasks() * vectors * shape_.rows * sizeof(double);
  if (product_sums_.bytes() < sum_bytes) product_sums_ = DeviceMemory(sum_bytes);
  for (unsigned chunk = 0; chunk < cut_.chunks(); ++chunk) {
    checkpoint();
    Lane& lane = this->lane(chunk);
    ProductsPass pass = products_pass(chunk, used);
    lane.sent.wait();
    for (unsigned v = 0; v < vectors; ++v) {
      // Where a kernel takes more vectors than there are, the first one again.
      pass.x[v] = v < x.size() ? send(lane, v, x[v], columns(chunk)) : pass.x[0];
    }
    lane.sent.record(lane.stream.get());
    pass.sums = product_sums_.as<double>();
    pass.sums_stride = used;
    launch_products(shape_.storage, vectors, pass, lane.stream.get());
  }
  settle();
  const auto totals = total(product_sums_, vectors * used, x.size() * used);
  std::copy(totals.begin(), totals.end(), y);
}

// --- pass two ------------------------------------------------------------------------------------

void CudaRowWindow::combine(std::span<const Combination> combinations) {
  for (std::size_t done = 0; done < combinations.size(); done += vectors_at_once) {
    combine_some(combinations.subspan(
        done, std::min<std::size_t>(combinations.size() - done, vectors_at_once)));
  }
}

void CudaRowWindow::combine_some(std::span<const Combination> combinations) {
  settle();
  provide(kernel_vectors(combinations.size()));
  std::size_t used = 0;
  for (const Combination& c : combinations) {
    used = std::max(used, c.coefficients.size());
    if (!shape_.active.empty()) std::fill(c.out.begin(), c.out.end(), 0.0F);
  }
  auto* coefficients = host_totals_.as<double>();
  std::fill_n(coefficients, combinations.size() * used, 0.0);
  for (std::size_t v = 0; v < combinations.size(); ++v) {
    const auto given = combinations[v].coefficients;
    std::copy(given.begin(), given.end(), coefficients + v * used);
  }
  bool finite = true;
  unsigned received = 0;
  for (unsigned chunk = 0; chunk < cut_.chunks(); ++chunk) {
    checkpoint();
    if (chunk >= lane_count) finite = receive(received++, combinations) && finite;
    launch_combination(chunk, combinations, used);
  }
  while (received < cut_.chunks()) finite = receive(received++, combinations) && finite;
  if (!finite) fail(ErrorCode::numerical, combination_beyond_float32);
}

void CudaRowWindow::launch_combination(unsigned chunk, std::span<const Combination> combinations,
                                       std::size_t used) {
  Lane& lane = this->lane(chunk);
  auto* coefficients = lane.vectors.coefficients.as<double>();
  if (chunk < lane_count && used > 0) {
    lane.to_device(coefficients, host_totals_.as<double>(),
                   combinations.size() * used * sizeof(double));
  }
  CombinePass pass{};
  pass.tiles = tiles();
  pass.candidate = candidate();
  pass.used = static_cast<unsigned>(used);
  pass.first_block = cut_.first_block(chunk);
  pass.end_block = cut_.end_block(chunk);
  pass.coefficients = coefficients;
  pass.teams = cut_.teams;
  const std::size_t stride = cut_.chunk_columns();
  const unsigned vectors = kernel_vectors(combinations.size());
  for (unsigned v = 0; v < vectors; ++v) {
    // Where a kernel takes more combinations than there are, the first one again, unwritten.
    const bool there = v < combinations.size();
    const Combination& c = combinations[there ? v : 0];
    pass.coefficients_of[v] = there ? v * used : 0;
    pass.out[v] = there ? lane.vectors.out.as<float>() + v * stride : nullptr;
    pass.candidate_factor[v] = there ? c.candidate_factor : 0;
    pass.x_factor[v] = there ? c.x_factor : 0;
    if (pass.x_factor[v] != 0) pass.x[v] = send(lane, v, c.x, columns(chunk));
  }
  launch_combine(shape_.storage, vectors, pass, lane.stream.get());
  for (std::size_t v = 0; v < combinations.size(); ++v) {
    lane.to_host(lane.vectors.host_out.as<float>() + v * stride,
                 lane.vectors.out.as<float>() + v * stride, columns(chunk).count * sizeof(float));
  }
}

bool CudaRowWindow::receive(unsigned chunk, std::span<const Combination> combinations) {
  const Lane& lane = this->lane(chunk);
  lane.stream.synchronize();
  const Columns range = columns(chunk);
  bool finite = true;
  for (std::size_t v = 0; v < combinations.size(); ++v) {
    const float* from = lane.vectors.host_out.as<float>() + v * cut_.chunk_columns();
    finite = host_.scatter(from, range.first, range.count, combinations[v].out) && finite;
  }
  return finite;
}

}  // namespace secondorder::cuda
