// Row-major matrices in an algebra's memory: shapes and addresses, no ownership.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "base/host_device.hpp"

namespace secondorder {

/// rows × cols, element (i, j) at data[i * stride + j]. On a GPU `data` is a device address: only
/// an Algebra may follow it.
template <class T>
struct View {
  T* data = nullptr;
  std::size_t rows = 0;
  std::size_t cols = 0;
  std::size_t stride = 0;

  View() = default;
  SECONDORDER_HOST_DEVICE View(T* address, std::size_t row_count, std::size_t column_count)
      : View(address, row_count, column_count, column_count) {}
  SECONDORDER_HOST_DEVICE View(T* address, std::size_t row_count, std::size_t column_count,
                               std::size_t row_stride)
      : data(address), rows(row_count), cols(column_count), stride(row_stride) {}
  /// A matrix may be read through a view of const elements.
  template <class U>
  requires(std::is_same_v<const U, T> && !std::is_same_v<U, T>) SECONDORDER_HOST_DEVICE
      View(const View<U>& other)  // NOLINT(google-explicit-constructor): as T* converts to const T*
      : data(other.data), rows(other.rows), cols(other.cols), stride(other.stride) {}

  SECONDORDER_HOST_DEVICE std::size_t size() const { return rows * cols; }
  SECONDORDER_HOST_DEVICE T* row(std::size_t i) const { return data + i * stride; }
  SECONDORDER_HOST_DEVICE View block(std::size_t first_row, std::size_t row_count) const {
    return {data + first_row * stride, row_count, cols, stride};
  }
  SECONDORDER_HOST_DEVICE View columns(std::size_t first, std::size_t count) const {
    return {data + first, rows, count, stride};
  }
};

template <class T>
using ConstView = View<const T>;

/// The 0/1 masks Dᵢ of P gates over n rows, a bit each: bit i of row k is 1 where xₖᵀaᵢ ≥ 0.
/// Rows are whole 64-bit words; bits past the last gate are 0.
struct GateBits {
  std::uint64_t* words = nullptr;
  std::size_t rows = 0;
  std::size_t gates = 0;

  SECONDORDER_HOST_DEVICE static std::size_t words_per_row(std::size_t gate_count) {
    return (gate_count + 63) / 64;
  }
  SECONDORDER_HOST_DEVICE std::size_t stride() const { return words_per_row(gates); }
  SECONDORDER_HOST_DEVICE std::uint64_t* row(std::size_t k) const { return words + k * stride(); }
  SECONDORDER_HOST_DEVICE bool test(std::size_t k, std::size_t gate) const {
    return (row(k)[gate / 64] >> (gate % 64)) & 1U;
  }
  SECONDORDER_HOST_DEVICE GateBits block(std::size_t first_row, std::size_t row_count) const {
    return {words + first_row * stride(), row_count, gates};
  }
};

}  // namespace secondorder
