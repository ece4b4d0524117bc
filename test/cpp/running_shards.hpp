// The same program in shards, and what both forms of ADMM must agree on.
#pragma once

#include <doctest/doctest.h>

#include <functional>

#include "algebra/download.hpp"
#include "convex_relu/sharded_admm.hpp"
#include "running_admm.hpp"

namespace secondorder::test {

template <class Real>
using MakeAlgebra = std::function<std::unique_ptr<Algebra<Real>>(std::size_t shard)>;

template <class Real>
MakeAlgebra<Real> cpu_algebras() {
  return [](std::size_t) { return std::make_unique<CpuAlgebra<Real>>(1); };
}

/// ADMM in as many shards, on algebras of their own.
template <class Real>
class RunningShards {
 public:
  RunningShards(std::size_t shards, AdmmCase& c, const MakeAlgebra<Real>& make) : case_(c) {
    for (std::size_t s = 0; s < shards; ++s) algebras.push_back(make(s));
    convex_relu::Program<Real> program(c.shape);
    c.describe(program);
    Arena counting;
    const convex_relu::GateRange range = convex_relu::cut_gates(c.shape.gates, shards).front();
    const convex_relu::Program<Real> largest =
        convex_relu::program_of_shard(program, range, true, c.route, counting);
    const convex_relu::Admm<Real> planned(*algebras[0], counting, largest, c.route, 1.7);
    admm.emplace(algebras, program, true, counting.bytes(), c.route, 1.7);
    for (const auto& part : admm->parts()) c.upload(part.algebra, part.program, part.gates);
    admm->start(1);
  }

  std::vector<std::unique_ptr<Algebra<Real>>> algebras;
  std::optional<convex_relu::ShardedAdmm<Real>> admm;

  convex_relu::Bounds bounds() { return admm->bounds(case_.targets); }
  std::vector<Real> q() const { return admm->q(0, case_.shape.rows); }

 private:
  AdmmCase& case_;
};

/// All that ADMM holds and says, the same in shards as in one piece.
template <class Real>
void check_same(RunningShards<Real>& shards, RunningAdmm<Real>& whole, double allowed) {
  const auto host = [&](View<Real> view) { return downloaded(whole.admm->algebra(), view); };
  const convex_relu::Bounds a = shards.bounds(), b = whole.bounds();
  CHECK(a.objective == doctest::Approx(b.objective).epsilon(allowed));
  CHECK(a.dual == doctest::Approx(b.dual).epsilon(10 * allowed));
  CHECK(std::abs(a.infeasibility - b.infeasibility) < allowed);
  CHECK(error(shards.admm->v(), host(whole.admm->v())) < allowed);
  CHECK(error(shards.admm->p(), host(whole.admm->p())) < allowed);
  CHECK(error(shards.q(), host(whole.admm->q())) < allowed);
  CHECK(error(shards.admm->qz(), host(whole.admm->qz())) < allowed);
  CHECK(error(shards.admm->nu(), whole.admm->nu()) < allowed);
  CHECK(shards.admm->needs_multipliers() == whole.admm->needs_multipliers());
  CHECK(shards.admm->group_balance() ==
        doctest::Approx(whole.admm->group_balance()).epsilon(allowed));
  CHECK(shards.admm->loss_balance() ==
        doctest::Approx(whole.admm->loss_balance()).epsilon(allowed));
  CHECK(shards.admm->inner_iterations() == whole.admm->inner_iterations());
  CHECK(shards.admm->rho() == whole.admm->rho());
  CHECK(shards.admm->tau() == whole.admm->tau());
}

}  // namespace secondorder::test
