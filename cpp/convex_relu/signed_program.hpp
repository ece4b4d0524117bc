// The convex program over the activation patterns of given neurons, each with the signs it has:
//
//   min Σₖ ℓ(zₖ, yₖ) + β Σᵢ‖Vᵢ‖,   z = Σᵢ Dᵢ·X·(σᵢ∘Vᵢ)ᵀ,   Eᵢ·X·vᵢₒ ≥ 0,
//
// Vᵢ being outputs × r. Over one output this is the network's own objective, restricted to these
// patterns and signs. Over several, a neuron is a Vᵢ of rank one; the program allows any, and its
// solution is brought back to rank one. ADMM starts from the neurons, with the multipliers that
// the network's ν = ∇ℓ suggests, and runs for a fixed number of iterations.
#pragma once

#include "convex_relu/admm.hpp"
#include "convex_relu/network_objective.hpp"
#include "convex_relu/neurons.hpp"

namespace secondorder::convex_relu {

template <class Real>
class SignedProgram {
 public:
  static constexpr std::size_t iterations = 40;

  /// For at most `gates` neurons. Chooses its route among those that fit in `available` bytes;
  /// lays out its memory in the arena, which may only count, and once more at every solve().
  SignedProgram(Algebra<Real>& algebra, const Samples<Real>& samples,
                const std::vector<double>& eigenvalues, std::size_t gates, std::size_t available);

  /// Bytes that solve() lays out at most.
  std::size_t bytes() const { return bytes_; }

  /// `neurons` as they are, then `priced` ones, which start at 0, `predictions` and ν (n × c) being
  /// those of `neurons`; ρ starts at `balance`·β/(the median size).
  Neurons solve(Arena& arena, const Neurons& neurons, const Neurons& priced,
                ConstView<Real> predictions, ConstView<Real> nu, double balance);

 private:
  struct Layout {
    Program<Real> program;
    View<Real> u;  ///< P × r
    Admm<Real> admm;
    Layout(Algebra<Real>& algebra, Arena& arena, const Samples<Real>& samples,
           const std::vector<double>& eigenvalues, std::size_t gates, Route route);
  };

  static Program<Real> make_program(Arena& arena, const Samples<Real>& samples,
                                    const std::vector<double>& eigenvalues, std::size_t gates);
  std::vector<Real> starting_point(Layout& layout, const Neurons& all, std::size_t active,
                                   ConstView<Real> nu, double rho);
  Neurons neurons_at(const std::vector<Real>& v, const Neurons& all) const;

  Algebra<Real>& algebra_;
  const Samples<Real>& samples_;
  const std::vector<double>& eigenvalues_;
  Route route_ = Route::woodbury;
  std::size_t bytes_ = 0;
};

}  // namespace secondorder::convex_relu
