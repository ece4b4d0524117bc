#include "newton/linear/measure_kkt.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <numeric>
#include <span>
#include <utility>

#include "algebra/philox.hpp"
#include "algebra/view.hpp"
#include "newton/kkt_placement.hpp"
#include "newton/linear/hadamard.hpp"
#include "newton/vectors.hpp"

namespace secondorder::newton {

namespace {

constexpr std::uint64_t jacobian_stream = 301, right_side_stream = 302, mixing_stream = 303;
constexpr int mixing_rounds = 3;

double eigenvalue(std::size_t i, std::size_t n, KktSpectrum spectrum) {
  const auto at = [](double from, double to, std::size_t k, std::size_t count) {
    const double share = count > 1 ? static_cast<double>(k) / static_cast<double>(count - 1) : 0.0;
    return std::pair(from + share * (to - from), from * std::pow(to / from, share));
  };
  const std::size_t outliers = std::max<std::size_t>(n / 20, std::min<std::size_t>(n, 3));
  switch (spectrum) {
    case KktSpectrum::clustered:
      return at(1, 10, i, n).first;
    case KktSpectrum::outlying:
      return i < outliers ? at(1e6, 1e4, i, outliers).second
                          : at(2, 1, i - outliers, n - outliers).first;
    case KktSpectrum::decaying:
      return 1e4 / std::pow(static_cast<double>(i) + 1, 2) + 1e-2;
    case KktSpectrum::spread:
      break;
  }
  return at(1e6, 1, i, n).second;
}

void transpose(View<double> a) {
  for (std::size_t i = 0; i < a.rows; ++i) {
    for (std::size_t j = 0; j < i; ++j) std::swap(a.row(i)[j], a.row(j)[i]);
  }
}

/// A ← R·A for an orthogonal R: rows change places and signs, and both ends are transformed.
void mix_rows(View<double> a, const Philox& random, ThreadPool& pool) {
  const std::size_t n = a.rows, window = std::bit_floor(n);
  for (std::size_t i = 0; i + 1 < n; ++i) {
    const std::size_t other = i + random.below(2 * i, n - i);
    if (other != i) std::swap_ranges(a.row(i), a.row(i) + n, a.row(other));
    if (random.uniform(2 * i + 1) < 0.5) {
      for (std::size_t j = 0; j < n; ++j) a.row(i)[j] = -a.row(i)[j];
    }
  }
  hadamard_columns(pool, a.block(0, window));
  if (window < n) hadamard_columns(pool, a.block(n - window, window));
}

/// Everything that a system refers to.
struct Instance {
  SparseSymmetric hessian;
  SparseMatrix jacobian;
  KktSystem system;
  std::vector<std::vector<double>> right_sides;
};

/// A dense H of the spectrum asked for, and a Gaussian J.
void fill_dense(Instance& instance, std::size_t n, std::size_t m, const KktExperiment& experiment,
                ThreadPool& pool) {
  instance.hessian = SparseSymmetric::dense(n);
  const std::vector<double> full = random_hessian(n, experiment.spectrum, experiment.seed, pool);
  std::span<double> values = instance.hessian.values();
  std::size_t filled = 0;
  for (std::size_t j = 0; j < n; ++j) {
    for (std::size_t i = j; i < n; ++i) values[filled++] = full[i * n + j];
  }
  Coordinates entries;
  std::vector<double> jacobian;
  const Philox normals(experiment.seed, jacobian_stream);
  for (std::size_t k = 0; k < m * n; ++k) {
    entries.rows.push_back(static_cast<std::int32_t>(k / n));
    entries.cols.push_back(static_cast<std::int32_t>(k % n));
    jacobian.push_back(normals.normal(k) / std::sqrt(static_cast<double>(n)));
  }
  instance.jacobian = SparseMatrix(m, n, entries, "jacobian");
  instance.jacobian.assign(jacobian);
}

/// H and J with entries at random places, beside a diagonal that outweighs them.
void fill_sparse(Instance& instance, std::size_t n, std::size_t m,
                 const KktExperiment& experiment) {
  const Philox places(experiment.seed, jacobian_stream);
  const auto share = static_cast<double>(experiment.row_entries) / static_cast<double>(n);
  std::uint64_t drawn = 0;
  Coordinates lower, rows;
  std::vector<double> lower_values, row_values;
  const auto put = [](Coordinates& at, std::vector<double>& values, std::size_t i, std::size_t j,
                      double value) {
    at.rows.push_back(static_cast<std::int32_t>(i));
    at.cols.push_back(static_cast<std::int32_t>(j));
    values.push_back(value);
  };
  for (std::size_t i = 0; i < n; ++i) {
    put(lower, lower_values, i, i, 2 * static_cast<double>(experiment.row_entries) + 1);
    for (std::size_t j = 0; j < i; ++j) {
      if (places.uniform(drawn++) < share) put(lower, lower_values, i, j, 1);
    }
  }
  for (std::size_t i = 0; i < m; ++i) {
    put(rows, row_values, i, i, 1);
    for (std::size_t j = 0; j < n; ++j) {
      if (places.uniform(drawn++) < share) put(rows, row_values, i, j, 1);
    }
  }
  instance.hessian = SparseSymmetric(n, lower, "hessian");
  instance.hessian.assign(lower_values);
  instance.jacobian = SparseMatrix(m, n, rows, "jacobian");
  instance.jacobian.assign(row_values);
}

void fill(Instance& instance, const KktExperiment& experiment, ThreadPool& pool) {
  const std::size_t m = experiment.order / 5, n = experiment.order - m;
  if (experiment.row_entries == 0) {
    fill_dense(instance, n, m, experiment, pool);
  } else {
    fill_sparse(instance, n, m, experiment);
  }
  instance.system.variables = n;
  instance.system.constraints = m;
  instance.system.hessian = &instance.hessian;
  instance.system.jacobian = &instance.jacobian;
  instance.system.hessian_product = [&instance](auto v, auto out) {
    instance.hessian.multiply(v, out);
  };
  const Philox right(experiment.seed, right_side_stream);
  for (std::size_t s = 0; s < experiment.right_sides; ++s) {
    std::vector<double> b(experiment.order);
    for (std::size_t i = 0; i < b.size(); ++i) b[i] = right.normal(s * b.size() + i);
    instance.right_sides.push_back(std::move(b));
  }
}

double relative_residual(const KktSystem& system, std::span<const double> b,
                         std::span<const double> x) {
  std::vector<double> r(b.size());
  system.multiply(x, r);
  for (std::size_t i = 0; i < r.size(); ++i) r[i] = b[i] - r[i];
  return norm2(r) / norm2(b);
}

}  // namespace

std::vector<double> random_hessian(std::size_t n, KktSpectrum spectrum, std::uint64_t seed,
                                   ThreadPool& pool) {
  std::vector<double> values(n * n, 0.0);
  const View<double> h(values.data(), n, n);
  for (std::size_t i = 0; i < n; ++i) h.row(i)[i] = eigenvalue(i, n, spectrum);
  if (n == 0) return values;
  for (int round = 0; round < mixing_rounds; ++round) {
    const Philox random(seed, mixing_stream + static_cast<std::uint64_t>(round));
    mix_rows(h, random, pool);
    transpose(h);
    mix_rows(h, random, pool);
  }
  return values;
}

std::vector<KktTiming> measure_kkt(const KktExperiment& experiment, ThreadPool& pool) {
  using Clock = std::chrono::steady_clock;
  const auto seconds = [](Clock::time_point since) {
    return std::chrono::duration<double>(Clock::now() - since).count();
  };
  Instance instance;
  fill(instance, experiment, pool);
  std::vector<KktTiming> timings;
  for (const LinearSolver asked : experiment.solvers) {
    const auto solver = place_kkt_solver({.solver = asked,
                                          .tolerance = experiment.accuracy,
                                          .options = experiment.options,
                                          .seed = experiment.seed},
                                         experiment.device, instance.system, pool)
                            .solver;
    KktTiming timing{.solver = std::string(solver->name()), .reached = true};
    solver->prepare(instance.system);
    auto since = Clock::now();
    solver->prepare(instance.system);
    timing.prepare_seconds = seconds(since);
    for (const auto& b : instance.right_sides) {
      std::vector<double> x(b.size(), 0.0);
      since = Clock::now();
      timing.steps += solver->solve(b, experiment.accuracy, x).steps;
      timing.solve_seconds += seconds(since);
      const double residual = relative_residual(instance.system, b, x);
      timing.residual = std::max(timing.residual, residual);
      timing.reached = timing.reached && residual <= experiment.accuracy * (1 + 1e-9);
    }
    timings.push_back(timing);
  }
  return timings;
}

}  // namespace secondorder::newton
