// What turns a residual into a better direction.
#pragma once

#include <optional>
#include <span>

#include "newton/kkt_system.hpp"

namespace secondorder::newton {

/// A symmetric positive definite M⁻¹.
class Preconditioner {
 public:
  Preconditioner() = default;
  Preconditioner(const Preconditioner&) = delete;
  Preconditioner& operator=(const Preconditioner&) = delete;
  virtual ~Preconditioner() = default;

  /// out = M⁻¹·r; the two don't overlap.
  virtual void apply(std::span<const double> r, std::span<double> out) = 0;
};

/// One that a problem makes from each of its KKT systems.
class KktPreconditioner : public Preconditioner {
 public:
  /// The inertia of the system, where the problem knows it.
  virtual std::optional<Inertia> prepare(const KktSystem& system) = 0;
};

}  // namespace secondorder::newton
