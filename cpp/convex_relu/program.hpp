// The sampled convex program in the units that the solver works in:
//
//   min Σₖ ℓ(zₖ, yₖ) + β Σ‖group‖₂,   z = F(u₁ − u₂) = Σᵢ Dᵢ·X·(u₁ᵢ − u₂ᵢ)
//   subject to Eᵢ·X·u₁ᵢ ≥ 0, Eᵢ·X·u₂ᵢ ≥ 0 for the ReLU model (two sets); a gated model has one set
//   of parameters and no cones. With signed gates there is one set too, with cones and a sign for
//   each of its rows, z = F(σ∘u): the neurons that refinement keeps at a gate have one sign.
//
// X is Z rotated by the eigenvectors of its Gram matrix and scaled to columns of mean norm 1, so
// that XᵀX = Λ is diagonal and features beyond the rank are gone; ‖·‖₂ does not notice. Sample
// weights multiply the loss, or, for the squared loss, are folded into the rows of X and y.
#pragma once

#include <span>
#include <vector>

#include "algebra/algebra.hpp"
#include "convex_relu/gate_shards.hpp"
#include "convex_relu/gates.hpp"
#include "convex_relu/options.hpp"
#include "convex_relu/preprocessing.hpp"

namespace secondorder::convex_relu {

/// z = basis-coordinates: X = diag(√w)·Z·basis/scale, parameters of Z = basis·u/scale.
struct Rotation {
  std::vector<double> basis;        ///< f × r
  std::vector<double> eigenvalues;  ///< r, of XᵀX
  double scale = 1;
  std::size_t features = 0;  ///< f
  std::size_t rank() const { return eigenvalues.size(); }
};

/// `row_scale` may be empty.
Rotation fit_rotation(const DataView& data, const Preprocessing& preprocessing,
                      const std::vector<double>& row_scale, HostAlgebra& host);

/// Targets and weights on the host.
struct Targets {
  std::vector<double> y;        ///< n × c
  std::vector<double> weights;  ///< n, or empty for all 1
  std::size_t outputs = 1;
  double total_weight = 0;        ///< Σ weights: F = (1/total)·Σ wℓ + beta·Σ‖·‖
  std::vector<double> row_scale;  ///< √weights once folded into the rows, else empty

  /// Those of the rows that `data` selects of all.
  static Targets of(const DataView& data, const std::vector<double>& y, std::size_t outputs,
                    const std::vector<double>& weights);
  /// For the squared loss: the same with the weights folded into the rows of X and y.
  Targets folded(Loss loss) const;
};

template <class Real>
struct Program {
  GatedShape shape;
  Loss loss = Loss::squared;
  double beta = 0;        ///< in the program's units
  std::size_t group = 1;  ///< consecutive parameter rows of one penalty group
  std::vector<double> eigenvalues;
  // Where the gates are a shard's (gate_shards.hpp): which they are, and of how many.
  std::size_t first_gate = 0;
  std::size_t all_gates = shape.gates;
  GateBits all_bits;  ///< n × all gates, in shards whose u-update needs them

  View<Real> x;        ///< n × r
  GateBits gates;      ///< n × P
  View<Real> y;        ///< n × c
  View<Real> weights;  ///< n × 1, empty where all are 1 or folded in

  View<Real> signs;  ///< P·c × 1, ±1; only read where `signed_gates`
  bool signed_gates = false;

  bool cones() const { return shape.sets == 2 || signed_gates; }
  GateBits all_patterns() const { return all_gates == shape.gates ? gates : all_bits; }

  /// Over memory that others own: the caller sets the views.
  explicit Program(const GatedShape& program_shape) : shape(program_shape) {}

  /// Takes the memory of x, gates, y, weights.
  Program(const GatedShape& program_shape, bool weighted, Arena& arena)
      : shape(program_shape),
        x(arena.matrix<Real>(shape.rows, shape.features)),
        gates(arena.gate_bits(shape.rows, shape.gates)),
        y(arena.matrix<Real>(shape.rows, shape.outputs)) {
    if (weighted) weights = arena.matrix<Real>(shape.rows, 1);
  }
};

/// The program of a range of `all`'s gates, for a route of the u-update, with the memory of its
/// matrices.
template <class Real>
Program<Real> program_of_shard(const Program<Real>& all, const GateRange& range, bool weighted,
                               Route route, Arena& arena);

/// A program in an algebra's memory, of some of the gates.
template <class Real>
struct ProgramPart {
  Algebra<Real>& algebra;
  Program<Real>& program;
  GateRange gates;
};

/// Computes X, the bits (where there are gates) and the targets, and uploads them to each part. The
/// bits of all gates stay in `patterns` too.
template <class Real>
void load_program(const DataView& data, const Preprocessing& preprocessing,
                  const Rotation& rotation, const Gates& gates, const Targets& targets,
                  HostAlgebra& host, GateBits patterns, std::span<const ProgramPart<Real>> parts);
/// The same to one program, without gates.
template <class Real>
void load_samples(const DataView& data, const Preprocessing& preprocessing,
                  const Rotation& rotation, const Targets& targets, HostAlgebra& host,
                  Algebra<Real>& algebra, Program<Real>& program) {
  const ProgramPart<Real> all{algebra, program, {}};
  load_program<Real>(data, preprocessing, rotation, {}, targets, host, {}, {&all, 1});
}

}  // namespace secondorder::convex_relu
