// What the static set-up is timed against: the row-by-row recursions of earlier codes, block by
// block on all threads, their products by BLAS.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "algebra/cpu/blas.hpp"
#include "algebra/cpu/tiling.hpp"
#include "base/thread_pool.hpp"

namespace secondorder::test {

/// The diagonal of H⁻¹ as the authors of M-FAC compute it: v_i = H_{i−1}⁻¹g_i from the v_j before,
///   v_i = g_i/λ − Σ_{j<i} (v_jᵀg_i)/(m + g_jᵀv_j)·v_j,  diag −= v_i²/(m + g_iᵀv_i).
template <class Real>
std::vector<Real> recursive_diagonal(std::span<const float> gradients, std::size_t dimension,
                                     std::size_t block_size, Real damping, ThreadPool& pool) {
  const std::size_t m = gradients.size() / dimension;
  std::vector<Real> diagonal(dimension, 1 / damping);
  pool.run(divide_up(dimension, block_size), [&](std::size_t block, int) {
    const std::size_t first = block * block_size, size = std::min(block_size, dimension - first);
    std::vector<Real> v(m * size), g(size), coefficients(m), denominators(m);
    for (std::size_t i = 0; i < m; ++i) {
      const float* row = gradients.data() + i * dimension + first;
      std::copy_n(row, size, g.begin());
      Real* own = v.data() + i * size;
      for (std::size_t j = 0; j < size; ++j) own[j] = g[j] / damping;
      if (i > 0) {
        blas::gemv(CblasNoTrans, i, size, Real(1), v.data(), size, g.data(), 1, Real(0),
                   coefficients.data(), 1);
        for (std::size_t j = 0; j < i; ++j) coefficients[j] /= denominators[j];
        blas::gemv(CblasTrans, i, size, Real(-1), v.data(), size, coefficients.data(), 1, Real(1),
                   own, 1);
      }
      Real sum = static_cast<Real>(m);
      for (std::size_t j = 0; j < size; ++j) sum += g[j] * own[j];
      denominators[i] = sum;
      for (std::size_t j = 0; j < size; ++j) diagonal[first + j] -= own[j] * own[j] / sum;
    }
  });
  return diagonal;
}

/// The same by rank-one changes of the whole inverse of each block, as pruners for language models
/// do it: H⁻¹ −= (H⁻¹g)(H⁻¹g)ᵀ/(m + gᵀH⁻¹g).
inline std::vector<double> recursive_inverse_diagonal(std::span<const float> gradients,
                                                      std::size_t dimension, std::size_t block_size,
                                                      double damping, ThreadPool& pool) {
  const std::size_t m = gradients.size() / dimension;
  std::vector<double> diagonal(dimension);
  pool.run(divide_up(dimension, block_size), [&](std::size_t block, int) {
    const std::size_t first = block * block_size, size = std::min(block_size, dimension - first);
    std::vector<double> inverse(size * size, 0.0), g(size), hg(size);
    for (std::size_t i = 0; i < size; ++i) inverse[i * size + i] = 1 / damping;
    for (std::size_t i = 0; i < m; ++i) {
      std::copy_n(gradients.data() + i * dimension + first, size, g.begin());
      blas::gemv(CblasNoTrans, size, size, 1.0, inverse.data(), size, g.data(), 1, 0.0, hg.data(),
                 1);
      double sum = static_cast<double>(m);
      for (std::size_t j = 0; j < size; ++j) sum += g[j] * hg[j];
      cblas_dger(CblasRowMajor, blas::size(size), blas::size(size), -1 / sum, hg.data(), 1,
                 hg.data(), 1, inverse.data(), blas::size(size));
    }
    for (std::size_t j = 0; j < size; ++j) diagonal[first + j] = inverse[j * size + j];
  });
  return diagonal;
}

}  // namespace secondorder::test
