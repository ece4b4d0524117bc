// Logistic regression under linear constraints, and on the unit sphere:
//
//   min  (1/N)·Σ log(1 + exp(−yᵢ·xᵢᵀw)) + (weightDecay/2)·‖w‖²   s.t.  A·w = b,  ‖w‖² = 1 if asked.
//
// An example of a problem that knows more of itself than its derivatives: where forming the Hessian
// costs more than solving with it, it solves its own KKT systems by a sketch of its data.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/thread_pool.hpp"
#include "newton/kkt_system.hpp"
#include "newton/linear/tall_hessian.hpp"
#include "newton/problem.hpp"
#include "newton/problems/tall_matrix.hpp"

namespace secondorder::newton {

struct ConstrainedLogisticOptions {
  TallMatrix x;             ///< N × n
  std::vector<double> y;    ///< N labels, 1 or −1
  std::vector<double> a;    ///< A, m × n, row after row; may be empty
  std::vector<double> b;    ///< m
  bool sphere = false;      ///< adds ‖w‖² − 1 = 0 as the last constraint
  double weight_decay = 0;  ///< ≥ 0
};

class ConstrainedLogisticRegression final : public Problem, private TallHessian {
 public:
  /// Throws Error(dimension_mismatch | invalid_argument) for shapes that don't fit, labels other
  /// than ±1 and values that aren't finite.
  explicit ConstrainedLogisticRegression(ConstrainedLogisticOptions options);
  ~ConstrainedLogisticRegression() override;

  /// A feasible start where there is one: the shortest solution of A·w = b; on the sphere, moved
  /// downhill along the null space of A until ‖w‖ = 1, or scaled to it where A·w = b lies outside.
  std::vector<double> start();

  std::size_t variables() const override { return o_.x.cols; }
  std::size_t constraints() const override { return o_.b.size() + (o_.sphere ? 1 : 0); }
  Coordinates jacobian_structure() const override;
  HessianForm hessian_form() const override;
  Coordinates hessian_structure() const override;
  bool threaded() const override;
  void begin(const RunSetting& setting) override;
  void end() override { pool_ = nullptr; }
  std::unique_ptr<KktSolver> own_kkt_solver() override;

  double objective(std::span<const double> w) override;
  void gradient(std::span<const double> w, std::span<double> out) override;
  void constraint(std::span<const double> w, std::span<double> out) override;
  void jacobian_values(std::span<const double> w, std::span<double> out) override;
  void hessian_values(std::span<const double> w, double sigma, std::span<const double> lambda,
                      std::span<double> out) override;
  void hessian_product(std::span<const double> w, double sigma, std::span<const double> lambda,
                       std::span<const double> v, std::span<double> out) override;

 private:
  void count_sketch(const Philox& random, View<double> out) override;
  double shift() const override { return shift_; }
  std::uint64_t products() const override { return products_; }

  /// What Newton steps are solved with: the entries of the Hessian, sketches of the data, or
  /// products alone.
  enum class Form { entries, sketched, products };
  /// For 'auto' the cheaper of the first two, and the last where n² numbers are too many.
  Form choose_form(LinearSolver asked) const;

  /// margins_ = y∘Xw and decays_ = exp(−|margins_|), unless they already are those of w.
  void see(std::span<const double> w);
  /// 1 / (1 + exp(margin)), the slope of the loss
  double probability_of_error(std::size_t i) const;
  /// weights_ = σ/N · s(1 − s) at the margins of w, and the multiple of I that goes with them.
  void weigh(std::span<const double> w, double sigma, std::span<const double> lambda);
  /// body(part, first, last) for blocks of samples, on the team.
  template <class Body>
  void each_block(const Body& body);
  ThreadPool& pool();

  ConstrainedLogisticOptions o_;  // the rows of x times their labels
  Form form_ = Form::entries;
  KktSolverOptions sketch_;
  std::uint64_t seed_ = 0;
  ThreadPool* pool_ = nullptr;
  std::unique_ptr<ThreadPool> own_pool_;
  std::vector<double> seen_, margins_, decays_, sums_, weights_, slopes_, product_, roots_, gram_;
  double shift_ = 0, weighed_with_ = 0;
  bool weighed_ = false;  // weights_ are those of seen_ and weighed_with_
  std::uint64_t products_ = 0;
};

}  // namespace secondorder::newton
