// How the shards of one solver talk. A shard is a part of the computation, with an algebra of its
// own on a device of its own; the solver is written as if it were alone, and asks its communicator
// for the few sums in which the shards meet.
#pragma once

#include <cstddef>
#include <span>

#include "algebra/algebra.hpp"

namespace secondorder {

/// One shard's end of what joins it with the others. All shards make the same calls in the same
/// order; what a call gives is the same on all of them, to the bit: sums are added in the order of
/// the shards.
class ShardLink {
 public:
  virtual ~ShardLink() = default;
  virtual std::size_t size() const = 0;
  virtual void sum(std::span<double> values) = 0;
  virtual void max(std::span<double> values) = 0;
  virtual void share(std::span<double> values) = 0;
  virtual void sum(Algebra<float>& algebra, View<float> a) = 0;
  virtual void sum(Algebra<double>& algebra, View<double> a) = 0;
};

/// A solver's side: over a link, which outlives it, or for a solver in one piece, where there is
/// nothing to do.
class Communicator {
 public:
  Communicator() = default;
  explicit Communicator(ShardLink& link) : link_(&link) {}

  std::size_t size() const { return link_ == nullptr ? 1 : link_->size(); }
  /// values ← their sums over the shards
  void sum(std::span<double> values) {
    if (link_ != nullptr) link_->sum(values);
  }
  /// values ← the largest of the shards
  void max(std::span<double> values) {
    if (link_ != nullptr) link_->max(values);
  }
  /// values ← those of the first shard
  void share(std::span<double> values) {
    if (link_ != nullptr) link_->share(values);
  }
  /// A ← the sum of the shards' matrices of its shape, through the host's memory.
  template <class Real>
  void sum(Algebra<Real>& algebra, View<Real> a) {
    if (link_ != nullptr) link_->sum(algebra, a);
  }
  double sum(double value) {
    sum(std::span<double>(&value, 1));
    return value;
  }
  double max(double value) {
    max(std::span<double>(&value, 1));
    return value;
  }

 private:
  ShardLink* link_ = nullptr;
};

}  // namespace secondorder
