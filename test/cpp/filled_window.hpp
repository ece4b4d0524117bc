// Windows of rows to test: on the CPU with every instruction set that it has, or wherever a maker
// puts them.
#pragma once

#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "algebra/cpu/cpu_row_window.hpp"
#include "dense_window.hpp"

namespace secondorder::test {

inline constexpr Storage storages[] = {Storage::float32, Storage::bfloat16, Storage::float16,
                                       Storage::int8};

inline std::vector<const RowWindowKernels*> window_kernels() {
  std::vector<const RowWindowKernels*> found;
  for (const char* name : {"portable", "avx2", "avx512"}) {
    if (const auto* table = row_window_kernels_named(name)) found.push_back(table);
  }
  return found;
}

/// Makes windows on the CPU.
inline MakeRowWindow cpu_rows(const RowWindowKernels& kernels = row_window_kernels()) {
  return [&kernels](RowWindowShape shape) -> std::unique_ptr<RowWindow> {
    return std::make_unique<CpuRowWindow>(std::move(shape), kernels);
  };
}

/// A window with `used` random rows, of very different sizes.
struct Filled {
  std::vector<std::vector<float>> gradients;
  std::unique_ptr<RowWindow> rows;
  RowWindow& window;

  Filled(const MakeRowWindow& make, RowWindowShape shape, std::size_t used)
      : rows(make(std::move(shape))), window(*rows) {
    Random random(7);
    for (std::size_t i = 0; i < used; ++i) {
      gradients.push_back(normal_floats(window.shape().dimension, random,
                                        std::pow(10.0, static_cast<double>(i % 5) - 2)));
      window.propose(host(gradients[i]), i);
      window.accept(i);
    }
  }
  WideVector row(std::size_t slot) const {
    std::vector<double> values(window.shape().columns());
    window.read_row(slot, values);
    return {values.begin(), values.end()};
  }
  std::vector<std::byte> bytes(std::size_t slot) const {
    std::vector<std::byte> out(window.row_bytes());
    window.export_row(slot, out);
    return out;
  }
};

}  // namespace secondorder::test
