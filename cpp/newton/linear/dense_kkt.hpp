// The KKT matrix of a step as a dense symmetric one.
#pragma once

#include <memory>
#include <span>

#include "algebra/view.hpp"
#include "base/thread_pool.hpp"
#include "newton/kkt_system.hpp"

namespace secondorder::newton {

/// Throws Error(out_of_memory) where a solver's dense matrices of so many doubles would not fit.
void require_dense(std::size_t order, double doubles);

class DenseKkt {
 public:
  explicit DenseKkt(ThreadPool& pool) : pool_(pool) {}

  /// Whether dense products are quicker than sparse ones: entries are known, and many.
  static bool worthwhile(const KktSystem& system);

  /// Copies K in: all of it, or the upper triangle, which is enough for multiply() and to_single().
  /// A Hessian known by its products alone is made of n of them.
  /// Throws Error(out_of_memory) where K, and half as much again, is more than there is.
  enum class Part { all, upper };
  void assemble(const KktSystem& system, Part part = Part::all);

  std::size_t order() const { return order_; }
  ConstView<double> matrix() const { return {values_.get(), order_, order_}; }
  /// All of K, rounded, from the upper triangle.
  void to_single(std::unique_ptr<float[]>& out) const;
  /// out = K·v. On one thread: reading one triangle of K beats several threads that read all of it.
  void multiply(std::span<const double> v, std::span<double> out) const;

 private:
  void place_hessian(const KktSystem& system, View<double> k) const;
  void place_jacobian(const KktSystem& system, View<double> k) const;

  ThreadPool& pool_;
  std::unique_ptr<double[]> values_;
  std::size_t order_ = 0;
};

}  // namespace secondorder::newton
