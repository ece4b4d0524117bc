#include "newton/problem.hpp"

#include "newton/kkt_system.hpp"

namespace secondorder::newton {

std::unique_ptr<KktSolver> Problem::own_kkt_solver() { return nullptr; }

}  // namespace secondorder::newton
