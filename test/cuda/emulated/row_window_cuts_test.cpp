// The kernels of both passes for every way to cut a window, also those that only large ones get.
#include <doctest/doctest.h>

#include "device_under_test.hpp"
#include "memory.hpp"
#include "row_window/combine.hpp"
#include "row_window/products.hpp"
#include "row_window_checks.hpp"

using namespace secondorder;
using namespace secondorder::test;

namespace {

template <class T>
cuda::DeviceMemory on_device(const std::vector<T>& values) {
  cuda::DeviceMemory memory(values.size() * sizeof(T));
  cuda::check(cudaMemcpy(memory.address(), values.data(), memory.bytes(), cudaMemcpyHostToDevice),
              "cudaMemcpy");
  return memory;
}

template <class T>
std::vector<T> on_host(const cuda::DeviceMemory& memory, std::size_t count) {
  std::vector<T> values(count);
  cuda::check(
      cudaMemcpy(values.data(), memory.address(), count * sizeof(T), cudaMemcpyDeviceToHost),
      "cudaMemcpy");
  return values;
}

/// Rows of a window on the CPU, as tiles of the emulated device.
struct DeviceTiles {
  std::vector<std::byte> bytes;
  std::vector<float> scale_values;
  cuda::DeviceMemory data, scales;
  cuda::Tiles tiles{};

  explicit DeviceTiles(const Filled& filled) {
    const RowWindowShape& shape = filled.window.shape();
    const RowLayout layout{shape.columns(), shape.storage};
    const auto tile_layout = cuda::TileLayout::of(shape.rows, layout);
    bytes.resize(shape.rows * layout.element_row_bytes());
    scale_values.resize(layout.scale_row_bytes() / sizeof(float) * shape.rows);
    for (std::size_t i = 0; i < shape.rows; ++i) {
      const auto row = filled.bytes(i);
      for (std::size_t b = 0; b < layout.blocks(); ++b) {
        const std::byte* from =
            row.data() + layout.scale_row_bytes() + tile_layout.offset_in_row(b);
        const std::size_t count = tile_layout.row_bytes(b);
        std::copy_n(from, count, bytes.data() + tile_layout.offset(b) + i * count);
        if (scale_values.empty()) continue;
        std::memcpy(&scale_values[b * shape.rows + i], row.data() + b * sizeof(float),
                    sizeof(float));
      }
    }
    data = on_device(bytes);
    scales = on_device(scale_values);
    tiles = {tile_layout, data.as<std::byte>(), scales.as<float>()};
  }
};

constexpr std::size_t m = 70, d = 5000, vectors = 4;

/// x[0 … 4) one after another.
struct Vectors {
  std::vector<float> values;
  cuda::DeviceMemory memory;
  Vectors() {
    Random random(31);
    values = normal_floats(vectors * d, random);
    memory = on_device(values);
  }
  cuda::DeviceVector operator[](std::size_t v) const { return {memory.as<float>() + v * d, false}; }
  WideVector wide(std::size_t v) const {
    return widened(std::span<const float>(values).subspan(v * d, d));
  }
};

}  // namespace

TEST_SUITE("CUDA row window") {
  TEST_CASE("pass one: whatever blocks a task and rows a block of threads, one vector and four") {
    backend_under_test();
    const Vectors x;
    for (const Storage storage : storages) {
      const Filled filled(cpu_rows(), {m, d, storage, {}}, m);
      const DeviceTiles device(filled);
      std::vector<Wide> want, bound;
      for (std::size_t v = 0; v < vectors; ++v) {
        for (std::size_t i = 0; i < m; ++i) {
          const WideVector row = filled.row(i), wide = x.wide(v);
          want.push_back(dot(row, wide));
          bound.push_back(3e-12 * norm(row) * norm(wide));
        }
      }
      const std::pair<unsigned, unsigned> cuts[] = {{1, 256}, {2, 64}, {4, 128}};
      for (const unsigned count : {1U, 4U}) {
        for (const auto& [blocks_per_task, rows_per_block] : cuts) {
          CAPTURE(std::string(name(storage)));
          CAPTURE(count);
          CAPTURE(blocks_per_task);
          const std::size_t tasks = (5 + blocks_per_task - 1) / blocks_per_task;
          const cuda::DeviceMemory sums(tasks * count * m * sizeof(double));
          const cuda::DeviceMemory totals(count * m * sizeof(double));
          cuda::ProductsPass pass{};
          pass.tiles = device.tiles;
          pass.used = m;
          pass.end_block = 5;
          pass.blocks_per_task = blocks_per_task;
          pass.rows_per_block = rows_per_block;
          for (std::size_t v = 0; v < vectors; ++v) pass.x[v] = x[v];
          pass.sums = sums.as<double>();
          pass.sums_stride = m;
          cuda::launch_products(storage, count, pass, nullptr);
          cuda::launch_sum_tasks(pass.sums, tasks, count * m, count * m, totals.as<double>(),
                                 nullptr);
          const auto got = on_host<double>(totals, count * m);
          for (std::size_t i = 0; i < count * m; ++i) CHECK(std::abs(got[i] - want[i]) <= bound[i]);
        }
      }
    }
  }

  TEST_CASE("pass two: whatever number of teams and blocks of the window") {
    backend_under_test();
    const Vectors x;
    Random random(32);
    std::vector<double> coefficients;
    for (std::size_t i = 0; i < vectors * m; ++i) coefficients.push_back(random.normal());
    const auto on_both = on_device(coefficients);
    for (const Storage storage : storages) {
      const Filled filled(cpu_rows(), {m, d, storage, {}}, m);
      const DeviceTiles device(filled);
      std::vector<WideVector> want(vectors, WideVector(d));
      for (std::size_t v = 0; v < vectors; ++v) {
        const WideVector wide = x.wide(v);
        for (std::size_t j = 0; j < d; ++j) want[v][j] = Wide(v) * wide[j];
        for (std::size_t i = 0; i + 1 < m; ++i) {
          const WideVector row = filled.row(i);
          for (std::size_t j = 0; j < d; ++j) want[v][j] += coefficients[v * m + i] * row[j];
        }
      }
      for (const unsigned count : {1U, 4U}) {
        for (const unsigned teams : {1U, 2U, 4U}) {
          for (const unsigned first : {0U, 3U}) {
            CAPTURE(std::string(name(storage)));
            CAPTURE(count);
            CAPTURE(teams);
            const std::size_t skipped = first * block_columns, columns = d - skipped;
            const cuda::DeviceMemory out(count * columns * sizeof(float));
            cuda::CombinePass pass{};
            pass.tiles = device.tiles;
            pass.used = m - 1;
            pass.first_block = first;
            pass.end_block = 5;
            pass.coefficients = on_both.as<double>();
            pass.teams = teams;
            for (std::size_t v = 0; v < count; ++v) {
              pass.coefficients_of[v] = v * m;
              pass.x[v] = {x.memory.as<float>() + v * d + skipped, false};
              pass.x_factor[v] = static_cast<double>(v);
              pass.out[v] = out.as<float>() + v * columns;
            }
            cuda::launch_combine(storage, count, pass, nullptr);
            const auto got = on_host<float>(out, count * columns);
            for (std::size_t v = 0; v < count; ++v) {
              const WideVector tail(want[v].begin() + static_cast<std::ptrdiff_t>(skipped),
                                    want[v].end());
              CHECK(distance(std::span<const float>(got).subspan(v * columns, columns), tail) <
                    1e-7);
            }
          }
        }
      }
    }
  }
}
