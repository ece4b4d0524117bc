// The hidden vectors uⱼ of the sampled convex program, ‖uⱼ‖₂ = 1, and what they give over samples.
#pragma once

#include <cstdint>
#include <vector>

#include "base/function_ref.hpp"
#include "convex_relu/gates.hpp"

namespace secondorder::convex_relu {

/// Directions that a seed defines, uniform on the unit sphere of z's features: the same ones for
/// any number of them, of threads, and of samples.
struct DrawnDirections {
  std::uint64_t seed = 0;
  std::size_t count = 0;
};

/// Rows [first, first + count) of the endless sequence of a seed, each f numbers.
std::vector<double> draw_directions(std::uint64_t seed, std::size_t first, std::size_t count,
                                    std::size_t features, HostAlgebra& host);

/// All directions of a program as unit rows of f numbers: those of the given gates, and after them
/// the drawn ones. A gate that has no part in z gives zeros.
std::vector<double> program_directions(const Gates& given, const DrawnDirections& drawn,
                                       const Preprocessing& preprocessing, HostAlgebra& host);

/// Samples whose activations for_each_activations() holds at once.
inline constexpr std::size_t activation_block = 256;

/// Calls body(first, activations) for consecutive blocks of samples, with activations of size
/// directions × samples, (uⱼᵀzₖ)₊.
void for_each_activations(const std::vector<double>& directions, const DataView& data,
                          const Preprocessing& preprocessing, HostAlgebra& host,
                          FunctionRef<void(std::size_t first, ConstView<double> activations)> body);

/// ‖Σₖ νₖ(uⱼᵀzₖ)₊‖₂ of every direction, ν being n × outputs.
std::vector<double> direction_prices(const std::vector<double>& directions,
                                     const std::vector<double>& nu, std::size_t outputs,
                                     const DataView& data, const Preprocessing& preprocessing,
                                     HostAlgebra& host);

}  // namespace secondorder::convex_relu
