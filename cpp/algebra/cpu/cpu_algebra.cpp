#include "algebra/cpu/cpu_algebra.hpp"

#include <cstring>
#include <numeric>

namespace secondorder {

namespace {

/// Below this many operations waking the team costs more than it saves.
constexpr double worth_waking = 100'000;

/// Rows whose partial sums make up a dot product.
Split dot_split(std::size_t rows, std::size_t cols) {
  return Split::of(rows, std::max<std::size_t>(1, 32768 / std::max<std::size_t>(cols, 1)));
}

}  // namespace

template <class Real>
CpuAlgebra<Real>::CpuAlgebra(int threads, const Kernels<Real>& inner_loops)
    : pool_(threads),
      kernels_(inner_loops),
      thread_scratch_(static_cast<std::size_t>(pool_.threads())) {}

template <class Real>
void CpuAlgebra<Real>::parallel(std::size_t parts, double operations,
                                FunctionRef<void(std::size_t, int)> body) {
  if (operations < worth_waking) {
    for (std::size_t part = 0; part < parts; ++part) body(part, 0);
  } else {
    pool_.run(parts, body);
  }
}

template <class Real>
void CpuAlgebra<Real>::for_rows(std::size_t rows, std::size_t row_operations,
                                FunctionRef<void(std::size_t first, std::size_t last)> body) {
  const std::size_t longest =
      std::clamp<std::size_t>(32768 / std::max<std::size_t>(row_operations, 1), 1, 4096);
  const Split split = Split::of(rows, longest);
  parallel(split.parts, static_cast<double>(rows) * static_cast<double>(row_operations),
           [&](std::size_t part, int) { body(split.begin(part), split.end(part)); });
}

template <class Real>
void CpuAlgebra<Real>::for_blocks(std::size_t rows, std::size_t longest,
                                  FunctionRef<void(std::size_t first, std::size_t last)> body) {
  const Split split = Split::of(rows, longest);
  pool_.run(split.parts, [&](std::size_t part, int) { body(split.begin(part), split.end(part)); });
}

template <class Real>
ScratchBytes CpuAlgebra<Real>::dot_scratch(const GatedShape& s) {
  const std::size_t parts =
      std::max(dot_split(s.parameter_rows(), s.features).parts, dot_split(s.rows, s.outputs).parts);
  return {0, parts * sizeof(double)};
}

template <class Real>
ScratchBytes CpuAlgebra<Real>::iteration_scratch(const GatedShape& shape) {
  const ScratchBytes both = gated_scratch(shape).with(dot_scratch(shape)).with(loss_scratch(shape));
  return shape.sets == 2 ? both.with(cone_scratch(shape)) : both;
}

template <class Real>
std::size_t CpuAlgebra<Real>::scratch_bytes(const GatedShape& shape) const {
  const ScratchBytes bytes = iteration_scratch(shape);
  return bytes.thread * thread_scratch_.size() + bytes.shared;
}

template <class Real>
void CpuAlgebra<Real>::reserve_scratch(const GatedShape& shape) {
  const ScratchBytes bytes = iteration_scratch(shape);
  for (Scratch& scratch : thread_scratch_) scratch.reserve(bytes.thread);
  shared_scratch_.reserve(bytes.shared);
}

template <class Real>
std::unique_ptr<Memory> CpuAlgebra<Real>::allocate(std::size_t bytes) {
  return host_memory(bytes);
}

template <class Real>
void CpuAlgebra<Real>::upload(std::span<const Real> host, View<Real> device) {
  copy({host.data(), device.rows, device.cols}, device);
}

template <class Real>
void CpuAlgebra<Real>::upload(std::span<const std::uint64_t> host, GateBits device) {
  if (!host.empty()) std::memcpy(device.words, host.data(), host.size_bytes());
}

template <class Real>
void CpuAlgebra<Real>::download(ConstView<Real> device, std::span<Real> host) {
  copy(device, {host.data(), device.rows, device.cols});
}

template <class Real>
void CpuAlgebra<Real>::download(GateBits device, std::span<std::uint64_t> host) {
  if (!host.empty()) std::memcpy(host.data(), device.words, host.size_bytes());
}

template <class Real>
void CpuAlgebra<Real>::fill(View<Real> a, Real value) {
  for_rows(a.rows, a.cols, [&](std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) std::fill_n(a.row(i), a.cols, value);
  });
}

template <class Real>
void CpuAlgebra<Real>::copy(ConstView<Real> from, View<Real> to) {
  if (from.cols == 0) return;
  for_rows(from.rows, from.cols, [&](std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) {
      std::memcpy(to.row(i), from.row(i), from.cols * sizeof(Real));
    }
  });
}

template <class Real>
void CpuAlgebra<Real>::axpby(Real alpha, ConstView<Real> x, Real beta, View<Real> y) {
  for_rows(y.rows, y.cols, [&](std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) {
      const Real* from = x.row(i);
      Real* to = y.row(i);
      if (beta == 0) {
        kernels_.scaled_copy(alpha, from, y.cols, to);
      } else {
        for (std::size_t j = 0; j < y.cols; ++j) to[j] = alpha * from[j] + beta * to[j];
      }
    }
  });
}

template <class Real>
void CpuAlgebra<Real>::scale_columns(ConstView<Real> scale, View<Real> a) {
  for_rows(a.rows, a.cols, [&](std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) {
      Real* row = a.row(i);
      for (std::size_t j = 0; j < a.cols; ++j) row[j] *= scale.data[j];
    }
  });
}

template <class Real>
double CpuAlgebra<Real>::dot(ConstView<Real> a, ConstView<Real> b) {
  const Split split = dot_split(a.rows, a.cols);
  double* sums = shared_scratch<double>(split.parts);
  parallel(split.parts, static_cast<double>(a.size()), [&](std::size_t part, int) {
    double sum = 0;
    for (std::size_t i = split.begin(part); i < split.end(part); ++i) {
      sum += kernels_.dot_double(a.row(i), b.row(i), a.cols);
    }
    sums[part] = sum;
  });
  return std::accumulate(sums, sums + split.parts, 0.0);
}

template class CpuAlgebra<float>;
template class CpuAlgebra<double>;

}  // namespace secondorder
