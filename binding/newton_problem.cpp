#include "newton_problem.hpp"

#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "newton/kkt_system.hpp"
#include "newton_native_problems.hpp"

namespace secondorder::binding {

using newton::Coordinates;
using newton::HessianForm;

namespace {

constexpr std::int64_t most_variables = std::numeric_limits<std::int32_t>::max();

Coordinates read_coordinates(const Fields& fields) {
  const auto rows = fields.array<std::int32_t>("rows");
  const auto cols = fields.array<std::int32_t>("cols", rows.size());
  return {{rows.view().begin(), rows.view().end()}, {cols.view().begin(), cols.view().end()}};
}

std::vector<double> read_finite(const Fields& fields, const char* name, std::size_t size) {
  const auto array = fields.array<double>(name, size);
  for (std::size_t i = 0; i < size; ++i) {
    if (std::isfinite(array[i])) continue;
    const std::string entry = fields.path(name) + "[" + std::to_string(i) + "]";
    throw Error(ErrorCode::invalid_argument, entry + " must be finite", fields.path(name));
  }
  return {array.view().begin(), array.view().end()};
}

newton::Difference read_difference(const std::optional<Fields>& options) {
  if (!options || !options->has("difference")) return newton::Difference::central;
  return options->choice<newton::Difference>("difference");
}

}  // namespace

/// The problem as the solver sees it: evaluations are calls of JavaScript functions.
class CallbackProblem final : public newton::Problem {
 public:
  CallbackProblem(ProblemSource& source, std::size_t variables, std::size_t constraints)
      : source_(source), variables_(variables), constraints_(constraints) {}

  std::size_t variables() const override { return variables_; }
  std::size_t constraints() const override { return constraints_; }
  Coordinates jacobian_structure() const override { return jacobian; }
  HessianForm hessian_form() const override { return form; }
  Coordinates hessian_structure() const override { return hessian; }

  double objective(std::span<const double> x) override {
    Evaluation evaluation{.callback = Callback::objective, .x = x};
    evaluate(evaluation);
    return evaluation.value;
  }
  void gradient(std::span<const double> x, std::span<double> out) override {
    Evaluation evaluation{.callback = Callback::gradient, .x = x, .out = out};
    evaluate(evaluation);
  }
  void constraint(std::span<const double> x, std::span<double> out) override {
    Evaluation evaluation{.callback = Callback::constraint, .x = x, .out = out};
    evaluate(evaluation);
  }
  void jacobian_values(std::span<const double> x, std::span<double> out) override {
    Evaluation evaluation{.callback = Callback::jacobian_values, .x = x, .out = out};
    evaluate(evaluation);
  }
  void hessian_values(std::span<const double> x, double sigma, std::span<const double> lambda,
                      std::span<double> out) override {
    Evaluation evaluation{
        .callback = Callback::hessian_values, .x = x, .lambda = lambda, .sigma = sigma, .out = out};
    evaluate(evaluation);
  }
  void hessian_product(std::span<const double> x, double sigma, std::span<const double> lambda,
                       std::span<const double> v, std::span<double> out) override {
    Evaluation evaluation{.callback = Callback::hessian_product,
                          .x = x,
                          .lambda = lambda,
                          .v = v,
                          .sigma = sigma,
                          .out = out};
    evaluate(evaluation);
  }

  Coordinates jacobian, hessian;
  HessianForm form = HessianForm::none;

 private:
  void evaluate(Evaluation& evaluation) {
    if (source_.exchange_) {
      source_.exchange_->ask(evaluation, *source_.control_);
    } else {
      source_.callbacks_.evaluate(*source_.env_, evaluation);
    }
  }

  ProblemSource& source_;
  std::size_t variables_, constraints_;
};

ProblemSource::ProblemSource(const Fields& problem, const std::optional<Fields>& options)
    : env_(problem.env()) {
  enum class Kind { callbacks, logistic, pde };
  switch (problem.choice<Kind>(
      "kind", {{"callbacks", Kind::callbacks}, {"logistic", Kind::logistic}, {"pde", Kind::pde}})) {
    case Kind::callbacks:
      read_callbacks(problem, read_difference(options));
      return;
    case Kind::logistic: {
      auto logistic = read_logistic(problem);
      start_ = [native = logistic.get()] { return native->start(); };
      inner_ = std::move(logistic);
      break;
    }
    case Kind::pde:
      inner_ = read_pde(problem);
      start_ = [n = inner_->variables()] { return std::vector<double>(n); };
      break;
  }
  outer_ = inner_.get();
  read_start(problem, outer_->variables(), outer_->constraints());
}

ProblemSource::~ProblemSource() {
  if (!exchange_) return;
  exchange_->close();
  exchange_->forget_callbacks();
}

void ProblemSource::read_start(const Fields& fields, std::size_t n, std::size_t m) {
  if (fields.has("x0")) x0_ = read_finite(fields, "x0", n);
  if (fields.has("lambda0")) lambda0_ = read_finite(fields, "lambda0", m);
}

void ProblemSource::read_callbacks(const Fields& fields, newton::Difference difference) {
  const auto n = static_cast<std::size_t>(fields.integer("variables", 1, most_variables));
  const auto m = static_cast<std::size_t>(fields.integer("constraints", 0, most_variables));
  if (!fields.has("x0")) throw wrong(fields.path("x0"), "a Float64Array", fields.value("x0"));
  read_start(fields, n, m);
  auto problem = std::make_unique<CallbackProblem>(*this, n, m);

  const auto take = [this](Callback callback, const Fields& from, const char* name) {
    callbacks_.set(callback, from.value(name), from.object(), from.path(name));
  };
  const auto demand = [this](Callback callback, const Fields& from, const char* name,
                             const char* otherwise = "") {
    if (callbacks_.has(callback)) return;
    throw Error(ErrorCode::invalid_argument,
                from.path(name) + " is missing: it must be a function" + otherwise,
                from.path(name));
  };
  constexpr const char* or_differences = ", or derivatives 'finite-difference'";
  take(Callback::objective, fields, "objective");
  demand(Callback::objective, fields, "objective");
  take(Callback::gradient, fields, "gradient");
  const bool differences =
      fields.choice<bool>("derivatives", {{"given", false}, {"finite-difference", true}});
  if (!differences) demand(Callback::gradient, fields, "gradient", or_differences);
  missing_.gradient = !callbacks_.has(Callback::gradient);

  if (m > 0) {
    take(Callback::constraint, fields, "constraint");
    demand(Callback::constraint, fields, "constraint");
    if (const auto jacobian = fields.optional_object("jacobian")) {
      problem->jacobian = read_coordinates(*jacobian);
      take(Callback::jacobian_values, *jacobian, "values");
    }
    if (!differences) demand(Callback::jacobian_values, fields, "jacobian", or_differences);
    missing_.jacobian = !callbacks_.has(Callback::jacobian_values);
  }

  const bool bfgs = !fields.has("hessian") || fields.value("hessian").IsString();
  if (bfgs && fields.has("hessian")) fields.choice<bool>("hessian", {{"bfgs", true}});
  if (!bfgs) {
    const Fields hessian = fields.object("hessian");
    take(Callback::hessian_product, hessian, "product");
    if (callbacks_.has(Callback::hessian_product)) {
      problem->form = HessianForm::product;
    } else {
      problem->form = HessianForm::values;
      problem->hessian = read_coordinates(hessian);
      take(Callback::hessian_values, hessian, "values");
      demand(Callback::hessian_values, hessian, "values");
    }
  }

  outer_ = problem.get();
  inner_ = std::move(problem);
  if (missing_.gradient || missing_.jacobian) {
    differences_ = std::make_unique<newton::FiniteDifferences>(*inner_, missing_, difference);
    outer_ = differences_.get();
  }
}

void ProblemSource::count_given(newton::Evaluations& counts) const {
  if (differences_) differences_->count_given(counts);
}

std::size_t ProblemSource::bytes() const { return (x0_.size() + lambda0_.size()) * sizeof(double); }

void ProblemSource::prepare_job(Napi::Env env) {
  if (callbacks_.has(Callback::objective)) exchange_ = CallbackExchange::open(env, callbacks_);
}

void ProblemSource::begin(const RunControl& control) {
  control_ = &control;
  if (x0_.empty() && start_) x0_ = start_();
}

void ProblemSource::end() {
  if (exchange_) exchange_->close();
}

}  // namespace secondorder::binding
