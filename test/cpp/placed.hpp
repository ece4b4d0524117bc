// Matrices and bits in an algebra's memory, so that one check runs on every device.
#pragma once

#include <doctest/doctest.h>

#include <memory>

#include "algebra/algebra.hpp"
#include "test_support.hpp"

namespace secondorder::test {

/// A matrix in an algebra's memory with the padding of its rows.
template <class Real>
class Placed {
 public:
  Placed(Algebra<Real>& algebra, const Matrix<Real>& matrix)
      : algebra_(algebra),
        like_(matrix),
        memory_(algebra.allocate(std::max<std::size_t>(bytes(), 1))) {
    ConstView<Real> from = matrix;
    algebra.upload(std::span(from.data, from.rows * from.stride), all());
  }
  Placed(Algebra<Real>& algebra, std::size_t rows, std::size_t cols, std::size_t padding = 0)
      : Placed(algebra, Matrix<Real>(rows, cols, padding)) {}

  operator View<Real>() const { return view(); }
  operator ConstView<Real>() const { return view(); }
  View<Real> view() const {
    return {reinterpret_cast<Real*>(memory_->data()), like_.rows(), like_.cols(), like_.stride()};
  }
  /// What is there now.
  Matrix<Real> back() const {
    Matrix<Real> matrix = like_;
    const View<Real> to = matrix.view();
    algebra_.download(all(), std::span(to.data, to.rows * to.stride));
    return matrix;
  }
  std::vector<Real> flat() const { return back().flat(); }

 private:
  std::size_t bytes() const { return like_.rows() * like_.stride() * sizeof(Real); }
  View<Real> all() const {
    return {reinterpret_cast<Real*>(memory_->data()), 1, like_.rows() * like_.stride()};
  }

  Algebra<Real>& algebra_;
  Matrix<Real> like_;
  std::unique_ptr<Memory> memory_;
};

template <class Real>
class PlacedBits {
 public:
  PlacedBits(Algebra<Real>& algebra, Bits& bits) : shape_(bits.view()) {
    const std::size_t words = shape_.rows * shape_.stride();
    memory_ = algebra.allocate(std::max<std::size_t>(words * sizeof(std::uint64_t), 1));
    algebra.upload(std::span<const std::uint64_t>(shape_.words, words), view());
  }
  operator GateBits() const { return view(); }
  GateBits view() const {
    return {reinterpret_cast<std::uint64_t*>(memory_->data()), shape_.rows, shape_.gates};
  }

 private:
  GateBits shape_;
  std::unique_ptr<Memory> memory_;
};

/// What is there is close to what is wanted, and the padding is as it was.
template <class Real, class Want>
void check_close(const Placed<Real>& got, const std::vector<Want>& want, double allowed) {
  const Matrix<Real> values = got.back();
  CHECK(error(values.flat(), want) <= allowed);
  CHECK(values.padding_untouched());
}

}  // namespace secondorder::test
