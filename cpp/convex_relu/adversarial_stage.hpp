// A stage of adversarial training: the robust program over some gates with its solver, and what a
// run with such stages holds of memory.
#pragma once

#include "convex_relu/adversarial_admm.hpp"

namespace secondorder::convex_relu {

template <class Real>
struct RobustStage {
  Arena arena;
  RobustProgram<Real> program;
  RobustAdmm<Real> admm;

  /// Starts at 0, over the first `gates` gates that `patterns` has.
  RobustStage(Algebra<Real>& algebra, RobustOperations<Real>& operations, const RobustData& data,
              GateBits patterns, std::size_t gates, const Options& options, HostAlgebra& host);
};

/// The workspace, and around it on the host in float64: samples in s- and z-space, their patterns,
/// eigenvectors, the certificate with its multipliers and a copy of them for the caller, and the
/// descent's rows of samples, shifts and hidden values.
template <class Real>
std::size_t planned_robust_bytes(Algebra<Real>& algebra, RobustOperations<Real>& operations,
                                 std::size_t rows, std::size_t cols, std::size_t features,
                                 bool weighted, const Options& options);

}  // namespace secondorder::convex_relu
