#include "convex_relu/sharded_admm.hpp"

#include <algorithm>

#include "algebra/download.hpp"

namespace secondorder::convex_relu {

template <class Real>
ShardedAdmm<Real>::Shard::Shard(Algebra<Real>& on, const Program<Real>& all, const GateRange& range,
                                bool weighted, std::size_t workspace_bytes, Route route,
                                double relaxation, Communicator communicator)
    : algebra(on),
      gates(range),
      arena(on.allocate(workspace_bytes), workspace_bytes),
      program(program_of_shard(all, range, weighted, route, arena)),
      admm(on, arena, program, route, relaxation, communicator) {
  algebra.reserve_scratch(program.shape);
}

template <class Real>
ShardedAdmm<Real>::ShardedAdmm(std::span<const std::unique_ptr<Algebra<Real>>> algebras,
                               const Program<Real>& program, bool weighted,
                               std::size_t workspace_bytes, Route route, double relaxation)
    : whole_(program), team_(cut_gates(program.shape.gates, algebras.size()).size()) {
  for (const GateRange& range : cut_gates(program.shape.gates, algebras.size())) {
    const std::size_t rank = shards_.size();
    shards_.push_back(std::make_unique<Shard>(*algebras[rank], program, range, weighted,
                                              workspace_bytes, route, relaxation,
                                              team_.communicator(rank)));
  }
  const Program<Real>& first = shards_.front()->program;
  whole_.x = first.x;
  whole_.y = first.y;
  whole_.weights = first.weights;
}

template <class Real>
std::vector<ProgramPart<Real>> ShardedAdmm<Real>::parts() {
  std::vector<ProgramPart<Real>> parts;
  for (const auto& shard : shards_) {
    parts.push_back({shard->algebra, shard->program, shard->gates});
  }
  return parts;
}

template <class Real>
template <class Body>
void ShardedAdmm<Real>::all(const Body& body) {
  team_.run([&](std::size_t rank) { body(*shards_[rank]); });
}

// --- the solver ----------------------------------------------------------------------------------

template <class Real>
void ShardedAdmm<Real>::start(double rho) {
  start(rho, tau(), {}, {}, {});
}

template <class Real>
void ShardedAdmm<Real>::start(double rho, double tau, std::span<const Real> p,
                              std::span<const Real> q, std::span<const Real> qz) {
  all([&](Shard& shard) {
    if (shards() == 1) {
      shard.admm.start(rho, tau, p, q, qz);
    } else {
      shard.admm.start(rho, tau, own_parameters(shard, p), own_columns(shard, q), qz);
    }
  });
}

template <class Real>
void ShardedAdmm<Real>::iterate() {
  all([](Shard& shard) { shard.admm.iterate(); });
}

template <class Real>
void ShardedAdmm<Real>::set_penalties(double rho, double tau) {
  all([&](Shard& shard) { shard.admm.set_penalties(rho, tau); });
}

template <class Real>
Bounds ShardedAdmm<Real>::bounds(const Targets& targets) {
  Bounds bounds;
  all([&](Shard& shard) {
    const Bounds common = shard.admm.bounds(targets);
    if (&shard == shards_.front().get()) bounds = common;
  });
  return bounds;
}

template <class Real>
double ShardedAdmm<Real>::group_balance() {
  double balance = 1;
  all([&](Shard& shard) {
    const double common = shard.admm.group_balance();
    if (&shard == shards_.front().get()) balance = common;
  });
  return balance;
}

/// Of what all shards have in common.
template <class Real>
double ShardedAdmm<Real>::loss_balance() {
  return shards_.front()->admm.loss_balance();
}

// --- cutting and putting together ----------------------------------------------------------------

template <class Real>
std::vector<Real> ShardedAdmm<Real>::own_parameters(const Shard& shard,
                                                    std::span<const Real> all) const {
  if (all.empty()) return {};
  const GatedShape& s = whole_.shape;
  std::vector<Real> own(shard.program.shape.parameter_rows() * s.features);
  for_each_run(s, shard.gates, s.outputs * s.features,
               [&](std::size_t from, std::size_t to, std::size_t count) {
                 std::copy_n(all.data() + from, count, own.data() + to);
               });
  return own;
}

template <class Real>
std::vector<Real> ShardedAdmm<Real>::own_columns(const Shard& shard,
                                                 std::span<const Real> q) const {
  if (q.empty()) return {};
  const GatedShape& s = whole_.shape;
  const std::size_t width = shard.program.shape.parameter_rows();
  std::vector<Real> own(s.rows * width);
  for (std::size_t k = 0; k < s.rows; ++k) {
    for_each_run(
        s, shard.gates, s.outputs, [&](std::size_t from, std::size_t to, std::size_t count) {
          std::copy_n(q.data() + k * s.parameter_rows() + from, count, own.data() + k * width + to);
        });
  }
  return own;
}

template <class Real>
std::vector<double> ShardedAdmm<Real>::gathered(View<Real> (Admm<Real>::*parameters)()
                                                    const) const {
  if (shards() == 1) {
    return downloaded_as_double(shards_.front()->algebra, (first().*parameters)());
  }
  const GatedShape& s = whole_.shape;
  std::vector<double> all(s.parameter_rows() * s.features);
  for (const auto& shard : shards_) {
    const std::vector<Real> own = downloaded(shard->algebra, (shard->admm.*parameters)());
    for_each_run(s, shard->gates, s.outputs * s.features,
                 [&](std::size_t to, std::size_t from, std::size_t count) {
                   std::copy_n(own.data() + from, count, all.data() + to);
                 });
  }
  return all;
}

template <class Real>
std::vector<double> ShardedAdmm<Real>::p() const {
  return gathered(&Admm<Real>::p);
}

template <class Real>
std::vector<double> ShardedAdmm<Real>::v() const {
  return gathered(&Admm<Real>::v);
}

template <class Real>
std::vector<Real> ShardedAdmm<Real>::q(std::size_t first_row, std::size_t count) const {
  if (first().q().rows == 0) return {};
  if (shards() == 1) {
    return downloaded(shards_.front()->algebra, first().q().block(first_row, count));
  }
  const GatedShape& s = whole_.shape;
  std::vector<Real> all(count * s.parameter_rows());
  for (const auto& shard : shards_) {
    const std::size_t width = shard->program.shape.parameter_rows();
    const std::vector<Real> own =
        downloaded(shard->algebra, shard->admm.q().block(first_row, count));
    for (std::size_t k = 0; k < count; ++k) {
      for_each_run(s, shard->gates, s.outputs,
                   [&](std::size_t to, std::size_t from, std::size_t items) {
                     std::copy_n(own.data() + k * width + from, items,
                                 all.data() + k * s.parameter_rows() + to);
                   });
    }
  }
  return all;
}

template <class Real>
std::vector<Real> ShardedAdmm<Real>::qz() const {
  return downloaded(shards_.front()->algebra, first().qz());
}

template <class Real>
std::vector<bool> ShardedAdmm<Real>::needs_multipliers() const {
  const GatedShape& s = whole_.shape;
  std::vector<bool> all;
  if (!whole_.cones()) return all;
  all.resize(s.parameter_rows() / whole_.group);
  for (const auto& shard : shards_) {
    const std::vector<bool>& own = shard->admm.needs_multipliers();
    for_each_run(s, shard->gates, s.outputs / whole_.group,
                 [&](std::size_t to, std::size_t from, std::size_t count) {
                   for (std::size_t i = 0; i < count; ++i) all[to + i] = own[from + i];
                 });
  }
  return all;
}

template class ShardedAdmm<float>;
template class ShardedAdmm<double>;

}  // namespace secondorder::convex_relu
