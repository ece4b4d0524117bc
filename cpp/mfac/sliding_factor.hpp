// The Cholesky factor of A = shift·I + K for a window of gradients that slides: the oldest row and
// column leave, a new one comes last. O(m²) a step, float64.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/function_ref.hpp"

namespace secondorder::mfac {

/// Rows and columns are in the order of their age, the oldest first. What is proposed shows nowhere
/// until it is accepted, so that a step that fails leaves the factor as it was.
class SlidingFactor {
 public:
  explicit SlidingFactor(std::size_t capacity);

  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }
  /// 8 · 2 · (capacity + a little)²
  static double estimate_bytes(double capacity);
  std::size_t bytes() const;

  /// Proposes the factor with a new last row: `row` holds K(new, i), oldest i first, then
  /// K(new, new). The oldest leaves first where the factor is full.
  ///
  /// Dropping is an *update* of the trailing block, L₂₂L₂₂ᵀ + l₂₁l₂₁ᵀ, so that nothing cancels; the
  /// new pivot² is at least `shift`, since the Schur complement of a positive semidefinite K is.
  void propose_next(std::span<const double> row, double shift);
  /// Proposes the factor of shift·I + K, K(i, j) = element(i, j) for j ≤ i < size.
  void propose(std::size_t size, double shift,
               FunctionRef<double(std::size_t i, std::size_t j)> element);

  /// b ← A⁻¹·b with the proposed factor.
  void solve_proposed(std::span<double> b) const { solve(proposed_, proposed_size_, b); }
  /// x = A⁻¹·e, e the last unit vector, with the proposed factor: one triangular solve, for L⁻¹·e
  /// is e / L(last, last).
  void solve_last_proposed(std::span<double> x) const;
  void accept() noexcept;

  /// b ← A⁻¹·b
  void solve(std::span<double> b) const { solve(factor_, size_, b); }
  /// B ← A⁻¹·B for vectors one after another.
  void solve_many(std::span<double> b, std::size_t vectors) const;
  void clear() noexcept { size_ = 0; }

  /// The factor's lower triangle row by row, as it is saved; `load` takes it back.
  std::vector<double> triangle() const;
  void load(std::size_t size, std::span<const double> triangle);

 private:
  using Columns = std::vector<double>;

  double& at(Columns& l, std::size_t i, std::size_t j) const { return l[j * stride_ + i]; }
  double at(const Columns& l, std::size_t i, std::size_t j) const { return l[j * stride_ + i]; }
  void solve(const Columns& l, std::size_t size, std::span<double> b) const;
  /// Writes row `size` of l: K(new, ·) in `row`.
  void append(Columns& l, std::size_t size, std::span<const double> row, double shift);

  std::size_t capacity_;
  std::size_t stride_;
  std::size_t size_ = 0, proposed_size_ = 0;
  Columns factor_, proposed_;  ///< by columns
  std::vector<double> work_;
};

}  // namespace secondorder::mfac
