// How the shards of one solver talk. A shard is a part of the computation, with an algebra of its
// own on a device of its own; the solver is written as if it were alone, and asks its communicator
// for the few sums in which the shards meet.
#pragma once

#include <cstddef>
#include <span>

#include "algebra/algebra.hpp"

namespace secondorder {

/// One shard's side. All shards make the same calls in the same order; what a call gives is the
/// same on all of them, to the bit: sums are added in the order of ranks.
class Communicator {
 public:
  virtual ~Communicator() = default;
  virtual std::size_t rank() const = 0;
  virtual std::size_t size() const = 0;

  /// values ← their sums over the shards
  virtual void sum(std::span<double> values) = 0;
  /// values ← the largest of the shards
  virtual void max(std::span<double> values) = 0;
  /// values ← those of the first shard
  virtual void share(std::span<double> values) = 0;
  /// A ← the sum of the shards' matrices of its shape, through the host's memory.
  virtual void sum(Algebra<float>& algebra, View<float> a) = 0;
  virtual void sum(Algebra<double>& algebra, View<double> a) = 0;

  double sum(double value) {
    sum(std::span<double>(&value, 1));
    return value;
  }
  double max(double value) {
    max(std::span<double>(&value, 1));
    return value;
  }
};

/// That of a solver in one piece, for which there is nothing to do.
Communicator& alone();

}  // namespace secondorder
