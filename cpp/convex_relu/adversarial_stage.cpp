#include "convex_relu/adversarial_stage.hpp"

namespace secondorder::convex_relu {

namespace {

/// ρ and τ at first, over n: columns of norm 1 have entries of 1/√n, as the multipliers then have,
/// and weights of about √n.
constexpr double starting_rho = 2, starting_tau = 1;

template <class Real>
std::size_t workspace_bytes(Algebra<Real>& algebra, RobustOperations<Real>& operations,
                            std::size_t rows, std::size_t features, std::size_t gates,
                            bool weighted) {
  Arena arena;
  RobustProgram<Real> program(rows, features, gates, weighted, arena);
  const RobustAdmm<Real> admm(algebra, operations, arena, program, 1);
  return arena.bytes();
}

template <class Real>
Arena workspace(Algebra<Real>& algebra, RobustOperations<Real>& operations, const RobustData& data,
                std::size_t gates) {
  const std::size_t bytes = workspace_bytes(algebra, operations, data.rows, data.features, gates,
                                            !data.targets.weights.empty());
  return {algebra.allocate(bytes), bytes};
}

/// Patterns of the first gates alone.
std::vector<std::uint64_t> first_patterns(GateBits all, std::size_t gates) {
  const std::size_t stride = GateBits::words_per_row(gates);
  std::vector<std::uint64_t> words(all.rows * stride);
  for (std::size_t k = 0; k < all.rows; ++k) {
    for (std::size_t i = 0; i < gates; ++i) {
      if (all.test(k, i)) words[k * stride + i / 64] |= std::uint64_t{1} << (i % 64);
    }
  }
  return words;
}

}  // namespace

template <class Real>
RobustStage<Real>::RobustStage(Algebra<Real>& algebra, RobustOperations<Real>& operations,
                               const RobustData& data, GateBits patterns, std::size_t gates,
                               const Options& options, HostAlgebra& host)
    : arena(workspace(algebra, operations, data, gates)),
      program(data.rows, data.features, gates, !data.targets.weights.empty(), arena),
      admm(algebra, operations, arena, program, options.relaxation) {
  std::vector<std::uint64_t> words = first_patterns(patterns, gates);
  const GateBits bits{words.data(), data.rows, gates};
  program.load(data, bits, algebra);
  const double n = static_cast<double>(data.rows);
  admm.start(data, bits, host, options.rho.value_or(starting_rho / n),
             options.rho.value_or(starting_tau / n));
}

template <class Real>
std::size_t planned_robust_bytes(Algebra<Real>& algebra, RobustOperations<Real>& operations,
                                 std::size_t rows, std::size_t cols, std::size_t features,
                                 bool weighted, const Options& options) {
  const std::size_t gates = options.gates + 1, f = features;  // the open one beside given ones
  const std::size_t numbers = rows * (6 * cols + 8 * f + 6 * gates + 128) +
                              gates * (3 * cols + 12 * f + 3 * gates) + 6 * f * f;
  return workspace_bytes(algebra, operations, rows, f, gates, weighted) + numbers * sizeof(double) +
         rows * GateBits::words_per_row(gates) * sizeof(std::uint64_t);
}

template struct RobustStage<float>;
template struct RobustStage<double>;
template std::size_t planned_robust_bytes(Algebra<float>&, RobustOperations<float>&, std::size_t,
                                          std::size_t, std::size_t, bool, const Options&);
template std::size_t planned_robust_bytes(Algebra<double>&, RobustOperations<double>&, std::size_t,
                                          std::size_t, std::size_t, bool, const Options&);

}  // namespace secondorder::convex_relu
