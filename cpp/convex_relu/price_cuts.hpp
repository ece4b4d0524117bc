// Cutting planes for the dual vector of the bound over all networks: the dual vector that is best
// when only the prices of the neurons found so far are limited,
//
//   max over ν of −Σ wₖℓ*(νₖ/wₖ)  subject to  ‖Φⱼᵀν‖ ≤ β for the activations Φⱼ = (Xuⱼ)₊ of each,
//
// which is the multiplier of the network over those neurons, min Σ wₖℓ((ΦA)ₖ) + β Σ ‖Aⱼ‖₂, solved
// by ADMM with the loss and the norms split off. A network of fixed neurons is a network: its
// objective is no less than the optimum over all of them, and any ν gives a valid bound.
#pragma once

#include <span>
#include <vector>

#include "algebra/loss.hpp"
#include "convex_relu/preprocessing.hpp"

namespace secondorder::convex_relu {

class PriceCuts {
 public:
  /// beta in the units of the summed loss; `targets` n × outputs, `weights` n or empty.
  PriceCuts(Loss loss, std::size_t outputs, double beta, std::span<const double> targets,
            std::span<const double> weights)
      : loss_(loss), c_(outputs), beta_(beta), targets_(targets), weights_(weights) {}

  /// A neuron, by its coordinates and its activations at the n samples. Silent ones are ignored.
  void add(std::span<const double> direction, std::span<const double> activations);

  /// Solves to about this relative accuracy, from where the last solve ended; then lets go of
  /// neurons that are far from being used.
  void solve(double accuracy, HostAlgebra& host);

  /// n × outputs; moved into the domain of ℓ* up to rounding.
  const std::vector<double>& nu() const { return nu_; }
  /// Σ wℓ + β Σ ‖Aⱼ‖ of the network of the last solve.
  double objective() const { return objective_; }
  /// The neurons in use, one after the other.
  std::vector<double> used() const;

 private:
  struct Neuron {
    std::vector<double> direction, activations;
    std::vector<double> a, scaled_dual;  ///< Aⱼ and its scaled multiplier, outputs each
  };
  double weight(std::size_t k) const { return weights_.empty() ? 1 : weights_[k]; }
  std::size_t rows() const { return targets_.size() / c_; }
  double loss_of(const std::vector<double>& z) const;

  Loss loss_;
  std::size_t c_;
  double beta_;
  std::span<const double> targets_, weights_;
  std::vector<Neuron> neurons_;
  std::vector<double> z_, loss_dual_;  ///< n × outputs
  double rho_ = 1, tau_ = 1;
  std::vector<double> nu_;
  double objective_ = 0;
};

}  // namespace secondorder::convex_relu
