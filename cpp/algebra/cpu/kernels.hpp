// The CPU's inner loops, compiled once for each instruction set and chosen when the program starts.
#pragma once

#include <cstddef>
#include <cstdint>

#include "algebra/view.hpp"

namespace secondorder {

/// Columns that the gate-table kernels work on at a time; their matrices are padded to whole
/// panels.
template <class Real>
inline constexpr std::size_t panel_width = 256 / sizeof(Real);

template <class Real>
struct Kernels {
  const char* name;  ///< "portable", "avx2", "avx512"

  /// mask[j] = 1 or 0 for `gates` gates, each `repeat` times.
  void (*expand_mask)(const std::uint64_t* words, std::size_t gates, std::size_t repeat,
                      Real* mask);
  /// y = (2·mask − 1)·|q|
  void (*signed_magnitude)(const Real* mask, const Real* q, std::size_t count, Real* y);
  /// y = (2·mask − 1)·relu(−q)
  void (*signed_multiplier)(const Real* mask, const Real* q, std::size_t count, Real* y);
  /// q += relaxation·((2·mask − 1)·w − relu(q))
  void (*cone_relax)(const Real* mask, const Real* w, Real relaxation, std::size_t count, Real* q);
  /// Σ relu(w), and adds relu(−(2·mask − 1)·w)² and w² to violation and total
  double (*network_row)(const Real* mask, const Real* w, std::size_t count, double* violation,
                        double* total);

  /// t (rows × padded columns) = D·w, or += where `accumulate`, D being rows × gates bits; w has
  /// `columns` valid columns. Writes whole panels of t.
  void (*gate_product)(GateBits gates, const Real* w, std::size_t w_stride, std::size_t columns,
                       bool accumulate, Real* t, std::size_t t_stride);
  /// m[l] = scale·m[l]·(bits set in both `row` and row l of `gates`), l < count
  void (*gate_overlap)(const std::uint64_t* row, GateBits gates, std::size_t count, Real scale,
                       Real* m);

  Real (*dot)(const Real* a, const Real* b, std::size_t count);
  double (*dot_double)(const Real* a, const Real* b, std::size_t count);
  /// y = a·x
  void (*scaled_copy)(Real a, const Real* x, std::size_t count, Real* y);
  /// v = shrink·p, b = scale∘(2v − p + weight·g); g may be null
  void (*reflect)(const Real* p, Real shrink, const Real* g, Real weight, const Real* scale,
                  std::size_t count, Real* v, Real* b);
  /// b += sign·t; p += relaxation·(b − v)
  void (*relax)(const Real* t, Real sign, const Real* v, Real relaxation, std::size_t count,
                Real* b, Real* p);
  /// a = max(a, 0)
  void (*rectify)(std::size_t count, Real* a);
  /// z = z > 0 ? scale·w : 0
  void (*pass_open)(const Real* w, Real scale, std::size_t count, Real* z);
};

/// The best kernels this CPU runs.
template <class Real>
const Kernels<Real>& kernels();

/// The table of one instruction set ("portable", "avx2", "avx512"), or null where this CPU or this
/// build hasn't it; for tests.
template <class Real>
const Kernels<Real>* kernels_named(const char* name);

}  // namespace secondorder
