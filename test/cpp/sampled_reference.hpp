// Small sampled convex programs, and by plain float64 sums what is true of them.
#pragma once

#include <cstdint>
#include <vector>

#include "training_support.hpp"

namespace secondorder::test {

/// The losses that take one output.
inline constexpr Loss one_output[] = {Loss::squared, Loss::logistic, Loss::hinge};

/// Columns (X·uⱼ)₊, n numbers each.
using Columns = std::vector<std::vector<double>>;

/// Hidden vectors are drawn uniformly; no preprocessing, no bias.
Problem sampled_problem(Loss loss, std::uint64_t seed, std::size_t outputs = 1,
                        std::size_t directions = 60);

/// In float64.
convex_relu::Result train_sampled(const Problem& problem, int threads = 1);

/// The hidden vectors that are drawn, directions × features.
std::vector<double> drawn_directions(const Problem& problem);

Columns plain_columns(const Problem& problem, const std::vector<double>& directions);

/// F at weights alpha, columns × outputs.
double plain_objective(const Problem& problem, const Columns& columns,
                       const std::vector<double>& alpha);

/// Slopes q = Aᵀ∇ℓ of a smooth loss, columns × outputs.
std::vector<double> slopes(const Problem& problem, const Columns& columns,
                           const std::vector<double>& alpha);

/// The objective after so many steps of an accelerated proximal gradient method with restarts
/// (O'Donoghue and Candès, Found. Comput. Math. 15), of a smooth loss.
double proximal_gradient(const Problem& problem, const Columns& columns, int steps);

/// −ℓ*(τν), over all columns.
double plain_bound(const Problem& problem, const Columns& columns, const std::vector<double>& nu);

}  // namespace secondorder::test
