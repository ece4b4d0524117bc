#include "newton/problems/constrained_logistic_regression.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "algebra/cpu/blas.hpp"
#include "algebra/cpu/tiling.hpp"
#include "base/error.hpp"
#include "newton/linear/block_projection.hpp"
#include "newton/linear/sketch_preconditioner.hpp"
#include "newton/linear/team_products.hpp"
#include "newton/vectors.hpp"

namespace secondorder::newton {

namespace {

/// Samples of a task; an exponential takes the time of some 20 operations.
constexpr std::size_t block = 4096;
constexpr double exponential_cost = 20;
/// An evaluation of so many operations takes longer than to start a thread.
constexpr double worth_threads = 1e5;
/// Nanoseconds on one thread, for an entry of the data of each sample in a product, and for a pair
/// of them in a Gram matrix: measured for 20,000 to 100,000 samples, 200 to 2000 features, and
/// dense data or 20 to 200 entries in a row.
constexpr double dense_product = 1, sparse_product = 1.2, dense_pair = 0.05, sparse_pair = 0.5;
/// A sketch has 4 rows for each variable, and an iteration takes 6 products with the Hessian. It is
/// less exact: by these figures it must save a third. At 100,000 dense samples it then takes 0.55
/// of the time for 400 variables; for 200 the entries are quicker.
constexpr double sketch_rows = 4, iteration_products = 6, worth_sketching = 1.3;

/// Features up to which matrices of n² numbers are made.
constexpr std::size_t most_dense = 5000;

/// Σ over the samples, of an evaluation of f.
double operations(const TallMatrix& x) {
  return 2 * static_cast<double>(x.entries()) + exponential_cost * static_cast<double>(x.rows);
}

bool sketches_pay(const TallMatrix& x) {
  const auto n = static_cast<double>(x.cols), entries = static_cast<double>(x.entries());
  const double gram = x.gram_cost() * (x.sparse() ? sparse_pair : dense_pair);
  const double products =
      iteration_products * 2 * entries * (x.sparse() ? sparse_product : dense_product);
  return gram > worth_sketching * (products + sketch_rows * n * n * n * dense_pair);
}

void check(const ConstrainedLogisticOptions& o) {
  const auto refuse = [](ErrorCode code, const std::string& trouble, const char* argument) {
    throw Error(code, trouble, argument);
  };
  if (o.x.rows == 0 || o.x.cols == 0) {
    refuse(ErrorCode::invalid_argument, "x has no samples or no features", "x");
  }
  o.x.check("x");
  if (o.y.size() != o.x.rows) {
    refuse(ErrorCode::dimension_mismatch,
           "y has " + std::to_string(o.y.size()) + " labels for " + std::to_string(o.x.rows) +
               " samples",
           "y");
  }
  for (std::size_t i = 0; i < o.y.size(); ++i) {
    if (o.y[i] != 1 && o.y[i] != -1) {
      refuse(ErrorCode::invalid_argument, "y[" + std::to_string(i) + "] is neither 1 nor −1", "y");
    }
  }
  if (o.a.size() != o.b.size() * o.x.cols) {
    refuse(ErrorCode::dimension_mismatch,
           "a has " + std::to_string(o.a.size()) + " values, not " + std::to_string(o.b.size()) +
               " × " + std::to_string(o.x.cols),
           "a");
  }
  if (!all_finite(o.a)) refuse(ErrorCode::invalid_argument, "a has values that aren't finite", "a");
  if (!all_finite(o.b)) refuse(ErrorCode::invalid_argument, "b has values that aren't finite", "b");
  if (!(o.weight_decay >= 0) || !std::isfinite(o.weight_decay)) {
    refuse(ErrorCode::invalid_argument, "weightDecay must be at least 0", "weightDecay");
  }
}

}  // namespace

ConstrainedLogisticRegression::ConstrainedLogisticRegression(ConstrainedLogisticOptions options)
    : o_(std::move(options)) {
  check(o_);
  o_.x.sort_rows();
  o_.x.scale_rows(o_.y);
  form_ = choose_form(LinearSolver::automatic);
}

ConstrainedLogisticRegression::~ConstrainedLogisticRegression() = default;

ThreadPool& ConstrainedLogisticRegression::pool() {
  if (pool_ == nullptr) {
    own_pool_ = std::make_unique<ThreadPool>(1);
    pool_ = own_pool_.get();
  }
  return *pool_;
}

bool ConstrainedLogisticRegression::threaded() const { return operations(o_.x) >= worth_threads; }

void ConstrainedLogisticRegression::begin(const RunSetting& setting) {
  pool_ = &setting.pool;
  sketch_ = setting.linear;
  seed_ = setting.seed;
  form_ = choose_form(setting.linear_solver);
}

ConstrainedLogisticRegression::Form ConstrainedLogisticRegression::choose_form(
    LinearSolver asked) const {
  const bool too_many = o_.x.cols > most_dense;
  switch (asked) {
    case LinearSolver::sketch_preconditioner:
      return Form::sketched;
    case LinearSolver::automatic:
      if (!too_many && sketches_pay(o_.x)) return Form::sketched;
      [[fallthrough]];
    case LinearSolver::minres:
    case LinearSolver::nystrom_minres:
      return too_many ? Form::products : Form::entries;
    default:
      return Form::entries;
  }
}

HessianForm ConstrainedLogisticRegression::hessian_form() const {
  return form_ == Form::entries ? HessianForm::values : HessianForm::product;
}

std::unique_ptr<KktSolver> ConstrainedLogisticRegression::own_kkt_solver() {
  if (form_ != Form::sketched) return nullptr;
  return make_sketch_preconditioner(sketch_, pool(), seed_, *this);
}

std::vector<double> ConstrainedLogisticRegression::start() {
  const std::size_t n = variables(), m = o_.b.size();
  const View<double> a(o_.a.data(), m, n);
  std::vector<double> products(m * m), y(o_.b), w(n, 0.0), slope(n);
  const View<double> factor(products.data(), m, m);
  if (m > 0) {
    gram(pool(), a, factor);
    factor_gram(factor);
    solve_gram(factor, y);
    newton::multiply_transposed(pool(), 1, a, y, 0, w);
  }
  if (!o_.sphere) return w;
  gradient(w, slope);
  // Its part in the null space of A; where there is none, that of some vector.
  const auto project = [&] {
    if (m == 0) return;
    newton::multiply(pool(), a, slope, y);
    solve_gram(factor, y);
    newton::multiply_transposed(pool(), -1, a, y, 1, slope);
  };
  const double steepness = norm2(slope);
  project();
  if (!(norm2(slope) > 1e-8 * steepness)) {
    for (std::size_t j = 0; j < n; ++j) slope[j] = std::cos(static_cast<double>(j));
    project();
  }
  const double squares = dot(w, w), length = norm2(slope);
  if (squares >= 1 || !(length > 0)) {
    for (double& value : w) value /= squares > 0 ? std::sqrt(squares) : 1;
  } else {
    add(-std::sqrt(1 - squares) / length, slope, w);
  }
  return w;
}

/// A's rows, all entries, then the sphere's.
Coordinates ConstrainedLogisticRegression::jacobian_structure() const {
  Coordinates entries;
  for (std::size_t i = 0; i < constraints(); ++i) {
    for (std::size_t j = 0; j < variables(); ++j) {
      entries.rows.push_back(static_cast<std::int32_t>(i));
      entries.cols.push_back(static_cast<std::int32_t>(j));
    }
  }
  return entries;
}

/// The whole lower triangle, column after column.
Coordinates ConstrainedLogisticRegression::hessian_structure() const {
  Coordinates entries;
  for (std::size_t j = 0; j < variables(); ++j) {
    for (std::size_t i = j; i < variables(); ++i) {
      entries.rows.push_back(static_cast<std::int32_t>(i));
      entries.cols.push_back(static_cast<std::int32_t>(j));
    }
  }
  return entries;
}

template <class Body>
void ConstrainedLogisticRegression::each_block(const Body& body) {
  const Split split = Split::of(o_.x.rows, block);
  const double work = exponential_cost * static_cast<double>(o_.x.rows);
  for_tasks(pool(), split.parts, work,
            [&](std::size_t part) { body(part, split.begin(part), split.end(part)); });
}

void ConstrainedLogisticRegression::see(std::span<const double> w) {
  if (seen_.size() == w.size() && std::equal(w.begin(), w.end(), seen_.begin())) return;
  margins_.resize(o_.x.rows);
  decays_.resize(o_.x.rows);
  seen_.clear();  // in case the product is cancelled
  weighed_ = false;
  o_.x.multiply(pool(), w, margins_);
  each_block([&](std::size_t, std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) decays_[i] = std::exp(-std::abs(margins_[i]));
  });
  seen_.assign(w.begin(), w.end());
}

double ConstrainedLogisticRegression::probability_of_error(std::size_t i) const {
  return (margins_[i] > 0 ? decays_[i] : 1) / (1 + decays_[i]);
}

double ConstrainedLogisticRegression::objective(std::span<const double> w) {
  see(w);
  sums_.resize(Split::of(o_.x.rows, block).parts);
  each_block([&](std::size_t part, std::size_t first, std::size_t last) {
    double sum = 0;
    for (std::size_t i = first; i < last; ++i) {
      sum += std::max(-margins_[i], 0.0) + std::log1p(decays_[i]);
    }
    sums_[part] = sum;
  });
  double total = 0;
  for (const double sum : sums_) total += sum;
  return total / static_cast<double>(o_.x.rows) + 0.5 * o_.weight_decay * dot(w, w);
}

void ConstrainedLogisticRegression::gradient(std::span<const double> w, std::span<double> out) {
  see(w);
  slopes_.resize(o_.x.rows);
  const double share = 1 / static_cast<double>(o_.x.rows);
  each_block([&](std::size_t, std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) slopes_[i] = -share * probability_of_error(i);
  });
  o_.x.multiply_transposed(pool(), slopes_, out);
  add(o_.weight_decay, w, out);
}

void ConstrainedLogisticRegression::constraint(std::span<const double> w, std::span<double> out) {
  const std::size_t n = variables();
  for (std::size_t i = 0; i < o_.b.size(); ++i) {
    out[i] = dot(std::span<const double>(o_.a).subspan(i * n, n), w) - o_.b[i];
  }
  if (o_.sphere) out[o_.b.size()] = dot(w, w) - 1;
}

void ConstrainedLogisticRegression::jacobian_values(std::span<const double> w,
                                                    std::span<double> out) {
  std::copy(o_.a.begin(), o_.a.end(), out.begin());
  if (!o_.sphere) return;
  for (std::size_t j = 0; j < w.size(); ++j) out[o_.a.size() + j] = 2 * w[j];
}

void ConstrainedLogisticRegression::weigh(std::span<const double> w, double sigma,
                                          std::span<const double> lambda) {
  see(w);
  shift_ = sigma * o_.weight_decay + (o_.sphere ? 2 * lambda.back() : 0);
  if (weighed_ && weighed_with_ == sigma) return;
  weighed_ = false;  // in case this is cancelled
  weights_.resize(o_.x.rows);
  const double share = sigma / static_cast<double>(o_.x.rows);
  each_block([&](std::size_t, std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) {
      const double e = decays_[i];
      weights_[i] = share * e / ((1 + e) * (1 + e));
    }
  });
  weighed_ = true;
  weighed_with_ = sigma;
}

void ConstrainedLogisticRegression::hessian_values(std::span<const double> w, double sigma,
                                                   std::span<const double> lambda,
                                                   std::span<double> out) {
  const std::size_t n = variables();
  weigh(w, sigma, lambda);
  gram_.resize(n * n);
  const View<double> gram(gram_.data(), n, n);
  o_.x.weighted_gram(pool(), weights_, gram);
  std::size_t filled = 0;
  for (std::size_t j = 0; j < n; ++j) {
    out[filled++] = gram.row(j)[j] + shift_;
    for (std::size_t i = j + 1; i < n; ++i) out[filled++] = gram.row(i)[j];
  }
}

void ConstrainedLogisticRegression::hessian_product(std::span<const double> w, double sigma,
                                                    std::span<const double> lambda,
                                                    std::span<const double> v,
                                                    std::span<double> out) {
  weigh(w, sigma, lambda);
  ++products_;
  product_.resize(o_.x.rows);
  o_.x.multiply(pool(), v, product_);
  each_block([&](std::size_t, std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) product_[i] *= weights_[i];
  });
  o_.x.multiply_transposed(pool(), product_, out);
  add(shift_, v, out);
}

void ConstrainedLogisticRegression::count_sketch(const Philox& random, View<double> out) {
  roots_.resize(weights_.size());
  each_block([&](std::size_t, std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) roots_[i] = std::sqrt(weights_[i]);
  });
  o_.x.count_sketch(pool(), roots_, random, out);
}

}  // namespace secondorder::newton
