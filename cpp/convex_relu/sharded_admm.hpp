// ADMM with its gates cut into shards (gate_shards.hpp), each on an algebra of its own, all at the
// same time; with one algebra it is Admm, called directly. What goes in and comes out is the whole
// program's, in its order.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "communicator/shard_team.hpp"
#include "convex_relu/admm.hpp"
#include "convex_relu/gate_shards.hpp"

namespace secondorder::convex_relu {

template <class Real>
class ShardedAdmm {
 public:
  /// One shard on each algebra, as far as there are gates, with `workspace_bytes` of its memory,
  /// and scratch. `program` says what it is about; the memory of its matrices is taken here.
  ShardedAdmm(std::span<const std::unique_ptr<Algebra<Real>>> algebras,
              const Program<Real>& program, bool weighted, std::size_t workspace_bytes, Route route,
              double relaxation);

  std::size_t shards() const { return shards_.size(); }
  /// The whole program; x, y and weights are those of the first shard.
  const Program<Real>& program() const { return whole_; }
  /// Where load_program() is to put it.
  std::vector<ProgramPart<Real>> parts();

  // As Admm's.
  void start(double rho);
  void start(double rho, double tau, std::span<const Real> p, std::span<const Real> q,
             std::span<const Real> qz);
  void iterate();
  void set_penalties(double rho, double tau);
  Bounds bounds(const Targets& targets);
  double group_balance();
  double loss_balance();
  double rho() const { return first().rho(); }
  double tau() const { return first().tau(); }
  std::size_t inner_iterations() const { return first().inner_iterations(); }
  const std::vector<double>& nu() const { return first().nu(); }

  // The same, in the host's memory.
  std::vector<double> p() const;
  std::vector<double> v() const;
  /// Rows [first, first + count) of q, empty where there are no cones.
  std::vector<Real> q(std::size_t first, std::size_t count) const;
  std::vector<Real> qz() const;
  std::vector<bool> needs_multipliers() const;

 private:
  struct Shard {
    Shard(Algebra<Real>& on, const Program<Real>& all, const GateRange& range, bool weighted,
          std::size_t workspace_bytes, Route route, double relaxation, Communicator communicator);

    Algebra<Real>& algebra;
    GateRange gates;
    Arena arena;
    Program<Real> program;
    Admm<Real> admm;
  };

  const Admm<Real>& first() const { return shards_.front()->admm; }
  /// body(shard) on all of them.
  template <class Body>
  void all(const Body& body);
  /// The rows of parameters of a shard, from those of the whole.
  std::vector<Real> own_parameters(const Shard& shard, std::span<const Real> all) const;
  std::vector<Real> own_columns(const Shard& shard, std::span<const Real> q) const;
  std::vector<double> gathered(View<Real> (Admm<Real>::*parameters)() const) const;

  Program<Real> whole_;
  ShardTeam team_;
  std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace secondorder::convex_relu
