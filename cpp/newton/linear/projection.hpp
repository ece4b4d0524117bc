// One step of sketch-and-project (Gower, Richtárik 2015) on Kx = b, for an S of k columns:
//
//   x ← x − Kᵀ·S·(Sᵀ·K·Kᵀ·S)⁺·(Sᵀ·K·x − Sᵀ·b),
//
// the nearest point that solves the sketched system. Every S here has E SSᵀ = γI, so that
// ‖Sᵀ(Kx − b)‖²/γ tells ‖Kx − b‖² on average, at no cost.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "base/thread_pool.hpp"
#include "newton/kkt_system.hpp"

namespace secondorder::newton {

/// One kind of S, and how its steps are made.
class Projection {
 public:
  Projection() = default;
  Projection(const Projection&) = delete;
  Projection& operator=(const Projection&) = delete;
  virtual ~Projection() = default;

  virtual void prepare(const KktSystem& system) = 0;
  virtual void start(std::span<const double> b) = 0;
  /// Takes one step; returns the estimate of ‖Kx − b‖² where it began.
  virtual double step(std::span<double> x) = 0;
  /// Steps that see as many rows as K has.
  virtual std::size_t sweep() const = 0;
  /// Floating-point operations of a step, in those of a matrix-vector product's speed.
  virtual double step_cost() const = 0;
};

/// Rows of K, uniformly: the paper's RK (randomized Kaczmarz). Always one row.
std::unique_ptr<Projection> make_row_projection(ThreadPool& pool, std::uint64_t seed);

/// Blocks of k rows of a random paving of K, uniformly (Needell, Tropp 2014). Factors are kept.
std::unique_ptr<Projection> make_paved_projection(std::size_t sketch_size, ThreadPool& pool,
                                                  std::uint64_t seed);

/// k rows of H·D·K, uniformly without replacement, with a Hadamard matrix H and signs D drawn for
/// each K: a subsampled randomized Hadamard transform (SRHT). K is padded to 2^p rows by zeros.
std::unique_ptr<Projection> make_srht_projection(std::size_t sketch_size, ThreadPool& pool,
                                                 std::uint64_t seed);

/// k vectors of independent normals: the paper's GV for k = 1.
std::unique_ptr<Projection> make_gaussian_projection(std::size_t sketch_size, ThreadPool& pool,
                                                     std::uint64_t seed);

/// Each row of K, with a random sign, added to one of k sums (CountSketch).
std::unique_ptr<Projection> make_countsketch_projection(std::size_t sketch_size, ThreadPool& pool,
                                                        std::uint64_t seed);

/// Kaczmarz++ (arXiv 2501.11673): see kaczmarz_plus_plus.cpp.
std::unique_ptr<Projection> make_kaczmarz_plus_plus(std::size_t sketch_size, ThreadPool& pool,
                                                    std::uint64_t seed);

}  // namespace secondorder::newton
