// An upper bound of a neuron's price over one simplicial cone of directions, the cell bound of the
// branch and bound in gate_maximum.hpp.
//
// In the cone u = Σᵢ λᵢvᵢ, λ ≥ 0, with tₖᵢ = xₖᵀvᵢ the price Σₖ νₖ(xₖᵀu)₊ is at most qᵀλ:
//   νₖ > 0: (Σᵢ tₖᵢλᵢ)₊ ≤ Σᵢ (tₖᵢ)₊λᵢ                the chords between the vertices,
//   νₖ < 0: (Σᵢ tₖᵢλᵢ)₊ ≥ σₖ·Σᵢ tₖᵢλᵢ, 0 ≤ σₖ ≤ 1     a supporting line,
// and every p with vᵢᵀp ≥ qᵢ for all i proves qᵀλ ≤ pᵀu ≤ ‖p‖ over the unit ball: what is returned
// is the length of such a p, nearly the shortest (which is the dual of max qᵀλ).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "convex_relu/unit_samples.hpp"

namespace secondorder::convex_relu {

/// Largest dimension of a cone.
inline constexpr std::size_t most_cone_rank = 8;

struct Cone {
  std::vector<double> vertices;  ///< rank × rank: unit vectors vᵢ as rows, all in one orthant
  std::vector<double> linear;    ///< outputs × rank: Σ νₖxₖ of samples active in all of it
  std::vector<std::uint32_t> crossing;  ///< samples active in a part of it
  std::uint32_t depth = 0;              ///< splits that led to it
  int sign = 1;                         ///< of the price; one output only
  double bound = 0;                     ///< no unit u of the cone has a higher price
  double value = 0;                     ///< the price at `direction`
  std::vector<double> direction;        ///< a unit vector of the cone

  std::size_t bytes() const {
    return sizeof(Cone) + (vertices.capacity() + linear.capacity() + direction.capacity()) * 8 +
           crossing.capacity() * 4;
  }
};

/// Fills everything but vertices, depth and sign. `linear` and `crossing` enter as those of a cone
/// that contains this one.
void bound_cone(const UnitSamples& samples, Cone& cone);

/// The longest edge of a cone, as the pair of its vertices; `cosine` is that of the angle between
/// them.
struct Edge {
  std::size_t first = 0, second = 0;
  double cosine = 1;
};
Edge longest_edge(const Cone& cone, std::size_t rank);

/// The half of the cone in which the normalized sum of the two vertices stands in the place of
/// `replaced`, not yet bounded.
Cone half_cone(const Cone& cone, std::size_t rank, const Edge& edge, std::size_t replaced);

}  // namespace secondorder::convex_relu
