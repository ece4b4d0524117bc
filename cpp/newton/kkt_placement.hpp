// On which device KKT systems are solved. Three of the linear solvers have a form for a GPU, where
// K is a dense matrix whatever its pattern: 'ldl', 'minres' and 'nystrom-minres'.
#pragma once

#include <memory>
#include <string>

#include "device/choice.hpp"
#include "newton/kkt_solvers.hpp"

namespace secondorder::newton {

struct PlacedSolver {
  std::unique_ptr<KktSolver> solver;
  DeviceChoice device;
};

/// make_kkt_solver() on the device asked for; on Kind::automatic on a GPU where it has a form for
/// one, the system is dense, and by an estimate it is faster. On a GPU 'auto' and 'ldl' stand for
/// dense factors, or 'auto' for 'nystrom-minres' from the order and tolerance on from which it does
/// on the CPU. Throws as make_kkt_solver() and choose_device() do;
/// Error(cuda_no_backend), naming linearSolver, where a GPU was asked for and the solver has no
/// form for one or the Hessian has no entries; Error(out_of_memory) where a GPU that was asked for
/// has too little.
PlacedSolver place_kkt_solver(const KktSolverRequest& request, const DeviceRequest& device,
                              const KktSystem& system, ThreadPool& pool);

/// make_factorization() for systems beside Newton's: dense factors that are large are on the GPU
/// that was asked for, or on Kind::automatic on the first.
std::unique_ptr<KktSolver> place_factorization(const DeviceRequest& device, const KktSystem& system,
                                               ThreadPool& pool);

/// The CPU, where no GPU is asked for: `otherwise` is the reason on Kind::automatic.
DeviceChoice stay_on_cpu(const DeviceRequest& device, std::string otherwise);

}  // namespace secondorder::newton
