// Small problems of adversarial training, and their robust program's optimum by a dense
// interior-point method over an epigraph form.
#pragma once

#include "training_support.hpp"

namespace secondorder::test {

/// Two noisy classes apart along the first feature; tight options, and no descent after the
/// program.
Problem robust_training_problem(std::size_t rows, std::size_t cols, Loss loss, std::uint64_t seed);

/// In float64.
convex_relu::Result train_robustly(const Problem& problem);

/// The optimum of the robust program over the patterns of `gates`.
double robust_optimum(const Problem& problem, const convex_relu::Gates& gates);

/// The network's worst loss on each sample by trying every corner of its box: exact where it is
/// linear within, a lower bound otherwise.
double corner_objective(const convex_relu::NetworkModel& model, const Problem& problem);

}  // namespace secondorder::test
