// The diagonal of the inverse Fisher matrix by blocks, beside the row-by-row recursion that the
// authors of M-FAC compute it by (arXiv 2107.03356, section 3.1), in one process:
//   fisher_recursion d m B threads rounds  ->  a line of JSON, the shortest time of each
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <span>
#include <vector>

#include "algebra/cpu/blas.hpp"
#include "algebra/cpu/tiling.hpp"
#include "algebra/philox.hpp"
#include "base/thread_pool.hpp"
#include "mfac/fisher_blocks.hpp"

namespace {

using namespace secondorder;

constexpr double damping = 1e-3;

/// v_i = H_{i−1}⁻¹g_i from the v_j before, block by block on all threads, products by BLAS:
///   v_i = g_i/λ − Σ_{j<i} (v_jᵀg_i)/(m + g_jᵀv_j)·v_j,  diag −= v_i²/(m + g_iᵀv_i).
template <class Real>
std::vector<Real> recursive_diagonal(std::span<const float> gradients, std::size_t dimension,
                                     std::size_t block_size, ThreadPool& pool) {
  const std::size_t m = gradients.size() / dimension;
  const Real lambda = static_cast<Real>(damping);
  std::vector<Real> diagonal(dimension, 1 / lambda);
  pool.run(divide_up(dimension, block_size), [&](std::size_t block, int) {
    const std::size_t first = block * block_size, size = std::min(block_size, dimension - first);
    std::vector<Real> v(m * size), g(size), coefficients(m), denominators(m);
    for (std::size_t i = 0; i < m; ++i) {
      const float* row = gradients.data() + i * dimension + first;
      std::copy_n(row, size, g.begin());
      Real* own = v.data() + i * size;
      for (std::size_t j = 0; j < size; ++j) own[j] = g[j] / lambda;
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

/// The least of several times in seconds.
class Shortest {
 public:
  template <class Body>
  void time(const Body& body) {
    const auto start = std::chrono::steady_clock::now();
    body();
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    seconds_ = std::min(seconds_, taken.count());
  }
  double seconds() const { return seconds_; }

 private:
  double seconds_ = std::numeric_limits<double>::infinity();
};

template <class A, class B>
double relative_difference(std::span<const A> values, std::span<const B> truth) {
  double worst = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    worst = std::max(worst, std::abs(values[i] / truth[i] - 1));
  }
  return worst;
}

}  // namespace

int main(int count, char** words) {
  if (count != 6) {
    std::fputs("usage: fisher_recursion d m B threads rounds\n", stderr);
    return 2;
  }
  const auto whole = [&](int i) { return std::strtoull(words[i], nullptr, 10); };
  const std::size_t d = whole(1), m = whole(2), block_size = whole(3), rounds = whole(5);
  const int threads = static_cast<int>(whole(4));
  std::vector<float> gradients(m * d);
  const Philox random(1, 0);
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    gradients[i] = static_cast<float>(random.normal(i));
  }

  ThreadPool pool(threads);
  RunControl control;
  control.threads = threads;
  Shortest blocks, twofold, single;
  double double_difference = 0, single_difference = 0;
  for (std::size_t round = 0; round < rounds; ++round) {
    mfac::FisherBlocksOptions options;
    options.dimension = d;
    options.block_size = block_size;
    options.damping = damping;
    mfac::FisherBlocks fisher(options);
    blocks.time([&] {
      fisher.add(gradients, m);
      fisher.factor(control);
    });
    std::vector<double> exact;
    twofold.time([&] { exact = recursive_diagonal<double>(gradients, d, block_size, pool); });
    std::vector<float> rough;
    single.time([&] { rough = recursive_diagonal<float>(gradients, d, block_size, pool); });
    const std::span<const double> truth(exact);
    double_difference = relative_difference(fisher.diagonal(), truth);
    single_difference = relative_difference(std::span<const float>(rough), truth);
  }
  std::printf(
      "{\"blocks\":%.6g,\"float64\":%.6g,\"float32\":%.6g,"
      "\"difference\":%.3g,\"float32Difference\":%.3g}\n",
      blocks.seconds(), twofold.seconds(), single.seconds(), double_difference, single_difference);
  return 0;
}
