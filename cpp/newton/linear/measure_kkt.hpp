// Times solvers of KKT systems on random dense ones of known spectra: what the choice of a solver
// rests on, for benchmarks to repeat.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/enum_names.hpp"
#include "base/thread_pool.hpp"
#include "device/request.hpp"
#include "newton/linear_solver.hpp"

namespace secondorder::newton {

/// Eigenvalues of H, of order n.
enum class KktSpectrum {
  clustered,  ///< from 1 to 10
  outlying,   ///< n/20 from 10⁶ down to 10⁴, the others from 2 to 1
  decaying,   ///< 10⁴·i⁻² + 10⁻²
  spread      ///< from 10⁶ down to 1, geometrically
};

struct KktExperiment {
  std::size_t order = 1000;  ///< of K; a fifth of it are constraints, with a Gaussian J
  KktSpectrum spectrum = KktSpectrum::outlying;
  /// 0: H and J are dense. Else they have about so many entries a row, at random places, so that
  /// factors fill up; H is diagonally dominant, whatever the spectrum asked for.
  std::size_t row_entries = 0;
  double accuracy = 1e-2;       ///< ‖b − Kx‖ / ‖b‖ to be reached, for a Gaussian b
  std::size_t right_sides = 1;  ///< solved one after another with one preparation
  KktSolverOptions options;
  std::uint64_t seed = 0;
  std::vector<LinearSolver> solvers;  ///< 'auto' and 'ldl' choose one
  DeviceRequest device{DeviceRequest::Kind::cpu};
};

struct KktTiming {
  std::string solver;          ///< the one that ran
  double prepare_seconds = 0;  ///< a later iteration's: what is done once is left out
  double solve_seconds = 0;
  bool reached = false;  ///< for every right-hand side, by a residual computed here
  double residual = 0;   ///< the largest one
  std::size_t steps = 0;
};

/// Throws Cancelled where the pool's control asks for it.
std::vector<KktTiming> measure_kkt(const KktExperiment& experiment, ThreadPool& pool);

/// H = Q·diag(λ)·Qᵀ of this spectrum, all n² entries, for a Q of random signs, permutations and
/// Hadamard transforms.
std::vector<double> random_hessian(std::size_t n, KktSpectrum spectrum, std::uint64_t seed,
                                   ThreadPool& pool);

}  // namespace secondorder::newton

template <>
struct secondorder::EnumNames<secondorder::newton::KktSpectrum> {
  using Spectrum = newton::KktSpectrum;
  static constexpr Named<Spectrum> table[] = {{"clustered", Spectrum::clustered},
                                              {"outlying", Spectrum::outlying},
                                              {"decaying", Spectrum::decaying},
                                              {"spread", Spectrum::spread}};
};
