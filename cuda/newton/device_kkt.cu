#include "launch.hpp"
#include "newton/device_kkt.hpp"

namespace secondorder::cuda {

namespace {

constexpr unsigned threads = 128;

/// The diagonals of δ_w I and −δ_c I.
__global__ void place_regularization(std::size_t variables, std::size_t order, double delta_w,
                                     double delta_c, double* k) {
  const std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i < order) k[i * order + i] = i < variables ? delta_w : -delta_c;
}

/// H + δ_w I, a column of its lower triangle for each block, on both sides of the diagonal.
__global__ void place_hessian(const std::int32_t* offsets, const std::int32_t* rows,
                              const double* values, double delta_w, std::size_t order, double* k) {
  const std::size_t j = blockIdx.x;
  for (std::int64_t p = offsets[j] + std::int64_t{threadIdx.x}; p < offsets[j + 1];
       p += blockDim.x) {
    const auto i = static_cast<std::size_t>(rows[p]);
    const double value = i == j ? values[p] + delta_w : values[p];
    k[j * order + i] = value;
    k[i * order + j] = value;
  }
}

/// J and Jᵀ, a row of J for each block.
__global__ void place_jacobian(const std::int32_t* offsets, const std::int32_t* columns,
                               const double* values, std::size_t variables, std::size_t order,
                               double* k) {
  const std::size_t row = variables + blockIdx.x;
  for (std::int64_t p = offsets[blockIdx.x] + std::int64_t{threadIdx.x};
       p < offsets[blockIdx.x + 1]; p += blockDim.x) {
    const auto j = static_cast<std::size_t>(columns[p]);
    k[row * order + j] = values[p];
    k[j * order + row] = values[p];
  }
}

}  // namespace

DeviceKkt::DeviceKkt(const newton::KktSystem& pattern)
    : variables_(pattern.variables), constraints_(pattern.constraints) {
  Places plan;
  lay_out(plan, pattern);
  memory_ = DeviceMemory(plan.bytes());
  Places places(memory_.address());
  lay_out(places, pattern);
}

void DeviceKkt::lay_out(Places& places, const newton::KktSystem& pattern) {
  const auto take = [&places](std::size_t lines, std::size_t entries) {
    Lines taken;
    taken.offsets = places.take<std::int32_t>(lines + 1);
    taken.indices = places.take<std::int32_t>(entries);
    taken.values = places.take<double>(entries);
    return taken;
  };
  hessian_ = take(variables_, pattern.hessian->entries());
  jacobian_ = take(constraints_, pattern.jacobian->entries());
}

void DeviceKkt::place(DenseDevice& device, const newton::KktSystem& system, double* k) {
  const newton::SparseSymmetric& hessian = *system.hessian;
  const newton::SparseMatrix& jacobian = *system.jacobian;
  if (!has_pattern_) {
    device.upload(hessian.offsets(), hessian_.offsets);
    device.upload(hessian.rows(), hessian_.indices);
    device.upload(jacobian.offsets(), jacobian_.offsets);
    device.upload(jacobian.columns(), jacobian_.indices);
    has_pattern_ = true;
  }
  if (system.revision == 0 || system.revision != revision_) {
    revision_ = 0;  // until both are there
    device.upload(hessian.values(), hessian_.values);
    device.upload(jacobian.values(), jacobian_.values);
    revision_ = system.revision;
  }
  const std::size_t order = this->order();
  check(cudaMemsetAsync(k, 0, order * order * sizeof(double), device.stream()), "cudaMemsetAsync");
  launch(place_regularization, blocks_for(order, threads), threads, 0, device.stream(), variables_,
         order, system.delta_w, system.delta_c, k);
  launch(place_hessian, static_cast<unsigned>(variables_), threads, 0, device.stream(),
         hessian_.offsets, hessian_.indices, hessian_.values, system.delta_w, order, k);
  launch(place_jacobian, static_cast<unsigned>(constraints_), threads, 0, device.stream(),
         jacobian_.offsets, jacobian_.indices, jacobian_.values, variables_, order, k);
}

}  // namespace secondorder::cuda
