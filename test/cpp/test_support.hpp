// What the tests share: random matrices with poisoned padding, gate bits, errors against naive
// sums.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "algebra/arena.hpp"
#include "algebra/cpu/cpu_algebra.hpp"
#include "algebra/view.hpp"

namespace secondorder::test {

using Wide = long double;

class Random {
 public:
  explicit Random(std::uint64_t seed) : generator_(seed) {}
  double normal() { return normal_(generator_); }
  double uniform() { return uniform_(generator_); }
  std::size_t below(std::size_t bound) { return generator_() % bound; }
  double label() { return below(2) == 0 ? -1 : 1; }
  std::uint64_t bits() { return generator_(); }

 private:
  std::mt19937_64 generator_;
  std::normal_distribution<double> normal_;
  std::uniform_real_distribution<double> uniform_;
};

/// A row-major matrix whose rows end in `padding` NaNs, which no operation may read into a result
/// or overwrite.
template <class Real>
class Matrix {
 public:
  Matrix(std::size_t rows, std::size_t cols, std::size_t padding = 0)
      : rows_(rows),
        cols_(cols),
        stride_(cols + padding),
        values_(rows * stride_, std::numeric_limits<Real>::quiet_NaN()) {}
  static Matrix normal(std::size_t rows, std::size_t cols, Random& random,
                       std::size_t padding = 0) {
    Matrix m(rows, cols, padding);
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::size_t j = 0; j < cols; ++j) m(i, j) = static_cast<Real>(random.normal());
    }
    return m;
  }

  std::size_t rows() const { return rows_; }
  std::size_t cols() const { return cols_; }
  std::size_t stride() const { return stride_; }
  Real& operator()(std::size_t i, std::size_t j) { return values_[i * stride_ + j]; }
  Real operator()(std::size_t i, std::size_t j) const { return values_[i * stride_ + j]; }
  operator View<Real>() { return view(); }
  operator ConstView<Real>() const { return {values_.data(), rows_, cols_, stride_}; }
  View<Real> view() { return {values_.data(), rows_, cols_, stride_}; }
  /// All elements, row after row.
  std::vector<Real> flat() const {
    std::vector<Real> out;
    for (std::size_t i = 0; i < rows_; ++i) {
      out.insert(out.end(), values_.begin() + static_cast<std::ptrdiff_t>(i * stride_),
                 values_.begin() + static_cast<std::ptrdiff_t>(i * stride_ + cols_));
    }
    return out;
  }
  bool padding_untouched() const {
    for (std::size_t i = 0; i < rows_; ++i) {
      for (std::size_t j = cols_; j < stride_; ++j) {
        if (!std::isnan(values_[i * stride_ + j])) return false;
      }
    }
    return true;
  }

 private:
  std::size_t rows_, cols_, stride_;
  std::vector<Real> values_;
};

/// Random bits, about half of them open.
class Bits {
 public:
  Bits(std::size_t rows, std::size_t gates, Random& random) : rows_(rows), gates_(gates) {
    words_.resize(rows * GateBits::words_per_row(gates));
    for (std::size_t k = 0; k < rows; ++k) {
      for (std::size_t i = 0; i < gates; ++i) set(k, i, random.below(2) == 1);
    }
  }
  void set(std::size_t k, std::size_t gate, bool open) {
    std::uint64_t& word = words_[k * GateBits::words_per_row(gates_) + gate / 64];
    const std::uint64_t bit = std::uint64_t{1} << (gate % 64);
    word = open ? word | bit : word & ~bit;
  }
  GateBits view() { return {words_.data(), rows_, gates_}; }
  operator GateBits() { return view(); }
  /// 1 where open, else 0.
  Wide d(std::size_t k, std::size_t gate) { return view().test(k, gate) ? 1 : 0; }
  /// 1 where open, else −1.
  Wide e(std::size_t k, std::size_t gate) { return 2 * d(k, gate) - 1; }

 private:
  std::size_t rows_, gates_;
  std::vector<std::uint64_t> words_;
};

/// max|got − want| over max(1, max|want|); infinite where a value isn't finite or sizes differ.
template <class Got, class Want>
double error(const std::vector<Got>& got, const std::vector<Want>& want) {
  if (got.size() != want.size()) return std::numeric_limits<double>::infinity();
  Wide worst = 0, largest = 1;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const Wide difference = std::abs(static_cast<Wide>(got[i]) - static_cast<Wide>(want[i]));
    if (!(difference < std::numeric_limits<Wide>::infinity())) {
      return std::numeric_limits<double>::infinity();
    }
    worst = std::max(worst, difference);
    largest = std::max(largest, std::abs(static_cast<Wide>(want[i])));
  }
  return static_cast<double>(worst / largest);
}

template <class Got>
double error(const Matrix<Got>& got, const std::vector<Wide>& want) {
  return error(got.flat(), want);
}

/// What rounding may cost in sums of some thousand terms.
template <class Real>
inline constexpr double rounding = 0;
template <>
inline constexpr double rounding<float> = 2e-5;
template <>
inline constexpr double rounding<double> = 4e-14;

/// Same bits (NaNs included).
template <class Real>
bool identical(const std::vector<Real>& a, const std::vector<Real>& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(Real)) == 0);
}

/// The names of the kernel tables this CPU runs.
inline std::vector<std::string> kernel_names() {
  std::vector<std::string> names;
  for (const char* name : {"portable", "avx2", "avx512"}) {
    if (kernels_named<float>(name) != nullptr) names.emplace_back(name);
  }
  return names;
}

/// An arena whose memory starts as NaNs: nothing may be read before it is written.
template <class Real>
Arena poisoned_arena(Algebra<Real>& algebra, std::size_t bytes) {
  std::unique_ptr<Memory> memory = algebra.allocate(bytes);
  std::memset(memory->data(), 0xFF, bytes);
  return {std::move(memory), bytes};
}

}  // namespace secondorder::test
