#include "newton/linear/sparse_ldl.hpp"

#define EIGEN_MPL2_ONLY
#include <Eigen/SparseCholesky>
#include <Eigen/SparseCore>
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "newton/linear/gmres.hpp"
#include "newton/linear/refine.hpp"
#include "newton/require_memory.hpp"

namespace secondorder::newton {

namespace {

using Matrix = Eigen::SparseMatrix<double, Eigen::ColMajor, int>;

/// Of the factor: values and indices.
constexpr double bytes_per_entry = sizeof(double) + sizeof(int);

/// Tells the fill that the symbolic factorization foresees.
class Factors : public Eigen::SimplicialLDLT<Matrix, Eigen::Lower, Eigen::AMDOrdering<int>> {
 public:
  double operations() const { return m_nonZerosPerCol.cast<double>().squaredNorm(); }
  double entries() const { return m_nonZerosPerCol.cast<double>().sum(); }
};

/// ε against the largest entry of K, and how often it may grow when a pivot vanishes.
constexpr double first_regularization = 1e-11, regularization_growth = 100;
constexpr int most_regularizations = 4;
constexpr std::size_t most_refinements = 10, gmres_steps = 30;

}  // namespace

struct SparseLdl::State {
  const KktSystem* system = nullptr;
  Matrix matrix;  // the lower triangle of K
  std::vector<int> hessian_places, jacobian_places, diagonal_places;
  Factors factors;
  bool analysed = false, factored = false;
  std::size_t factorizations = 0;
  Vector residual;

  void analyse(const KktSystem& k);
  void fill(const KktSystem& k, double epsilon);
  bool factor(const KktSystem& k);
  Inertia inertia() const;
};

/// Column j < n of the lower triangle: its diagonal, the entries of H below, the column of J.
void SparseLdl::State::analyse(const KktSystem& k) {
  const std::size_t n = k.variables, m = k.constraints;
  const SparseSymmetric& hessian = *k.hessian;
  const SparseMatrix& jacobian = *k.jacobian;
  std::vector<int> start(n + m + 1, 0);
  for (std::size_t j = 0; j < n + m; ++j) start[j + 1] = 1;
  for (std::size_t j = 0; j < n; ++j) {
    for (auto p = static_cast<std::size_t>(hessian.offsets()[j]);
         p < static_cast<std::size_t>(hessian.offsets()[j + 1]); ++p) {
      start[j + 1] += hessian.rows()[p] != static_cast<std::int32_t>(j) ? 1 : 0;
    }
  }
  for (const std::int32_t j : jacobian.columns()) ++start[static_cast<std::size_t>(j) + 1];
  for (std::size_t j = 0; j < n + m; ++j) start[j + 1] += start[j];

  std::vector<int> rows(static_cast<std::size_t>(start.back()));
  std::vector<int> next(start.begin(), start.end() - 1);
  diagonal_places.resize(n + m);
  hessian_places.resize(hessian.entries());
  jacobian_places.resize(jacobian.entries());
  const auto place = [&](std::size_t row, std::size_t column) {
    rows[static_cast<std::size_t>(next[column])] = static_cast<int>(row);
    return next[column]++;
  };
  for (std::size_t j = 0; j < n + m; ++j) diagonal_places[j] = place(j, j);
  for (std::size_t j = 0; j < n; ++j) {
    for (auto p = static_cast<std::size_t>(hessian.offsets()[j]);
         p < static_cast<std::size_t>(hessian.offsets()[j + 1]); ++p) {
      const auto i = static_cast<std::size_t>(hessian.rows()[p]);
      hessian_places[p] = i == j ? diagonal_places[j] : place(i, j);
    }
  }
  for (std::size_t i = 0; i < m; ++i) {
    for (auto p = static_cast<std::size_t>(jacobian.offsets()[i]);
         p < static_cast<std::size_t>(jacobian.offsets()[i + 1]); ++p) {
      jacobian_places[p] = place(n + i, static_cast<std::size_t>(jacobian.columns()[p]));
    }
  }
  const auto order = static_cast<Eigen::Index>(n + m);
  const Vector zeros(rows.size());
  matrix = Eigen::Map<const Matrix>(order, order, static_cast<Eigen::Index>(rows.size()),
                                    start.data(), rows.data(), zeros.data());
  factors.analyzePattern(matrix);
  analysed = true;
}

void SparseLdl::State::fill(const KktSystem& k, double epsilon) {
  double* values = matrix.valuePtr();
  std::fill_n(values, matrix.nonZeros(), 0.0);
  for (std::size_t p = 0; p < hessian_places.size(); ++p) {
    values[hessian_places[p]] += k.hessian->values()[p];
  }
  for (std::size_t p = 0; p < jacobian_places.size(); ++p) {
    values[jacobian_places[p]] += k.jacobian->values()[p];
  }
  for (std::size_t j = 0; j < k.order(); ++j) {
    values[diagonal_places[j]] += j < k.variables ? k.delta_w + epsilon : -k.delta_c - epsilon;
  }
}

/// ε grows until no pivot vanishes.
bool SparseLdl::State::factor(const KktSystem& k) {
  const double largest =
      std::max({1.0, norm_inf(k.hessian->values()), norm_inf(k.jacobian->values())});
  double epsilon = first_regularization * largest;
  for (int attempt = 0; attempt < most_regularizations; ++attempt) {
    fill(k, epsilon);
    factors.factorize(matrix);
    ++factorizations;
    if (factors.info() == Eigen::Success && factors.vectorD().allFinite()) return true;
    epsilon *= regularization_growth;
  }
  return false;
}

Inertia SparseLdl::State::inertia() const {
  Inertia inertia;
  const auto& pivots = factors.vectorD();
  for (Eigen::Index i = 0; i < pivots.size(); ++i) {
    pivots[i] > 0 ? ++inertia.positive : ++inertia.negative;
  }
  return inertia;
}

SparseLdl::SparseLdl() : state_(std::make_unique<State>()) {}
SparseLdl::~SparseLdl() = default;

std::size_t SparseLdl::factorizations() const { return state_->factorizations; }

double SparseLdl::analyse(const KktSystem& system) {
  State& s = *state_;
  if (!s.analysed) {
    s.analyse(system);
    const double entries = s.factors.entries();
    const std::string what = "a factor of " + std::to_string(std::llround(entries)) + " entries";
    require_memory(entries * bytes_per_entry, what, "linearSolver", "; 'minres' needs none");
    if (entries > std::numeric_limits<int>::max()) {
      throw Error(ErrorCode::out_of_memory, what + " is too large", "linearSolver");
    }
  }
  return s.factors.operations();
}

std::optional<Inertia> SparseLdl::prepare(const KktSystem& system) {
  if (system.hessian == nullptr) {
    throw Error(ErrorCode::invalid_argument,
                "linearSolver 'ldl' needs the entries of the Hessian, not products alone",
                "linearSolver");
  }
  State& s = *state_;
  s.system = &system;
  analyse(system);
  s.factored = s.factor(system);
  if (!s.factored) return Inertia{.zero = system.order()};
  return s.inertia();
}

SolveOutcome SparseLdl::solve(std::span<const double> b, double accuracy, std::span<double> x) {
  State& s = *state_;
  if (!s.factored) return {.residual = 1};
  const auto apply = [&s](Vector& right) {
    Eigen::Map<Eigen::VectorXd> vector(right.data(), static_cast<Eigen::Index>(right.size()));
    vector = s.factors.solve(vector).eval();
  };
  SolveOutcome outcome = refine(*s.system, b, accuracy, most_refinements, apply, s.residual, x);
  if (outcome.reached || !std::isfinite(outcome.residual)) return outcome;
  std::size_t steps = 0;
  const double size = norm2(b);
  const auto krylov = [&](Vector& right) {
    steps += gmres(*s.system, accuracy * size, gmres_steps, apply, right);
  };
  const std::size_t before = outcome.steps;
  outcome = refine(*s.system, b, accuracy, 1, krylov, s.residual, x);
  outcome.steps = before + steps;
  return outcome;
}

}  // namespace secondorder::newton
