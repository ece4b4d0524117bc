#include "convex_relu/adversarial_train.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "algebra/cpu/cpu_robust.hpp"
#include "base/error.hpp"
#include "base/memory_facts.hpp"
#include "convex_relu/adversarial_admm.hpp"
#include "convex_relu/adversarial_descent.hpp"
#include "convex_relu/adversarial_gates.hpp"
#include "convex_relu/balance.hpp"
#include "convex_relu/memory_plan.hpp"
#include "convex_relu/robustness.hpp"
#include "convex_relu/route.hpp"
#include "convex_relu/untrained.hpp"

namespace secondorder::convex_relu {

namespace {

/// Iterations on the all-open gate alone, at most.
constexpr std::size_t linear_iterations = 400;

/// ρ and τ at first, over n: columns of norm 1 have entries of 1/√n, as the multipliers then have,
/// and weights of about √n.
constexpr double starting_rho = 2, starting_tau = 1;

/// Iterations after which τ may change: 10, 20, 40, … up to this one.
constexpr std::size_t last_loss_balance = 640;

constexpr const char* sylvester_route = "sylvester";

void refuse(bool condition, const char* argument, const char* what) {
  if (!condition) return;
  throw Error(ErrorCode::invalid_argument, std::string(argument) + ": adversarial training " + what,
              argument);
}

void check(const Request& request) {
  const Options& o = request.options;
  refuse(o.model != Model::relu, "model", "has a ReLU model only");
  refuse(o.loss == Loss::softmax, "loss", "has the losses squared, logistic and hinge");
  refuse(request.outputs != 1, "y", "has one output");
  refuse(o.components > 0, "components",
         "bounds every feature on its own, which components would mix");
  refuse(request.warm_solution != nullptr || request.warm_network != nullptr, "warmStart",
         "starts from the robust linear solution");
}

/// The program over some gates, with its solver and their memory.
template <class Real>
struct Stage {
  Arena arena;
  RobustProgram<Real> program;
  RobustAdmm<Real> admm;

  Stage(Algebra<Real>& algebra, RobustOperations<Real>& operations, Arena memory,
        const RobustData& data, std::size_t gates, double relaxation)
      : arena(std::move(memory)),
        program(data.rows, data.features, gates, !data.targets.weights.empty(), arena),
        admm(algebra, operations, arena, program, relaxation) {}

  /// Bytes of the workspace.
  static std::size_t bytes(Algebra<Real>& algebra, RobustOperations<Real>& operations,
                           std::size_t rows, std::size_t features, std::size_t gates,
                           bool weighted) {
    Arena arena;
    RobustProgram<Real> program(rows, features, gates, weighted, arena);
    const RobustAdmm<Real> admm(algebra, operations, arena, program, 1);
    return arena.bytes();
  }
};

/// The workspace, and around it on the host in float64: samples in s- and z-space, their patterns,
/// eigenvectors, the certificate with its multipliers and a copy of them for the caller, and the
/// descent's rows of samples, shifts and hidden values.
template <class Real>
std::size_t planned_bytes(CpuAlgebra<Real>& algebra, RobustOperations<Real>& operations,
                          std::size_t rows, std::size_t cols, std::size_t features, bool weighted,
                          const Options& options) {
  const std::size_t gates = options.gates + 1, f = features;  // the open one beside given ones
  const std::size_t numbers = rows * (6 * cols + 8 * f + 6 * gates + 128) +
                              gates * (3 * cols + 12 * f + 3 * gates) + 6 * f * f;
  return Stage<Real>::bytes(algebra, operations, rows, f, gates, weighted) +
         numbers * sizeof(double) + rows * GateBits::words_per_row(gates) * sizeof(std::uint64_t);
}

DescentOptions descent_options(const Options& options, std::size_t gates) {
  DescentOptions descent;
  descent.loss = options.loss;
  descent.beta = options.beta;
  descent.epsilon = *options.epsilon;
  descent.width = options.gates;
  descent.first_group = static_cast<std::int32_t>(2 * gates);
  descent.seed = options.seed;
  return descent;
}

/// Patterns of the first gates alone.
std::vector<std::uint64_t> first_patterns(GateBits all, std::size_t gates) {
  const std::size_t stride = GateBits::words_per_row(gates);
  std::vector<std::uint64_t> words(all.rows * stride);
  for (std::size_t k = 0; k < all.rows; ++k) {
    for (std::size_t i = 0; i < gates; ++i) {
      if (all.test(k, i)) words[k * stride + i / 64] |= std::uint64_t{1} << (i % 64);
    }
  }
  return words;
}

template <class Real>
class Run {
 public:
  Run(const Request& request, const RunControl& control)
      : request_(request),
        control_(control),
        host_(control.threads),
        algebra_(control.threads),
        operations_(algebra_),
        data_(request.data) {
    for (std::size_t k = 0; k < request.weights.size(); ++k) {
      if (request.weights[k] > 0) selected_.push_back(k);
    }
    if (!request.weights.empty() && selected_.size() < data_.rows) {
      data_.selected = selected_;
      data_.rows = selected_.size();
    }
    if (data_.rows == 0) {
      throw Error(ErrorCode::invalid_argument, "sampleWeights: every weight is 0", "sampleWeights");
    }
    targets_ = Targets::of(data_, request.y, 1, request.weights);
  }

  Result train() {
    try {
      watch(StopOn::time_limit);
      prepare();
      solve_linear();
      start();
    } catch (const Cancelled&) {
      return finish_untrained();
    }
    watch(StopOn::cancellation);
    iterate();
    descend();
    measure();
    return finish();
  }

 private:
  void watch(StopOn stop_on) {
    host_.watch(&control_, stop_on);
    algebra_.watch(&control_, stop_on);
  }
  void watch_nothing() {
    host_.watch(nullptr);
    algebra_.watch(nullptr);
  }

  void prepare() {
    const Options& o = request_.options;
    preprocessing_ = fit_preprocessing(data_, o, host_);
    const bool weighted = !targets_.weights.empty();
    const std::size_t f = preprocessing_.features();
    plan_bytes_ = planned_bytes(algebra_, operations_, data_.rows, data_.cols, f, weighted, o);
    const std::size_t available = available_memory();
    if (plan_bytes_ > available) {
      throw Error(ErrorCode::out_of_memory,
                  "the problem needs " + std::to_string(plan_bytes_) + " bytes of memory, and " +
                      std::to_string(available) + " are available; take fewer gates or samples");
    }
    gates_ = draw_robust_gates(data_, preprocessing_, o, host_);
    robust_ = make_robust_data(data_, preprocessing_, targets_, o, host_);
    patterns_ = gate_patterns(data_, preprocessing_, gates_, host_);
  }

  std::unique_ptr<Stage<Real>> make_stage(std::size_t gates) {
    const std::size_t bytes = Stage<Real>::bytes(
        algebra_, operations_, robust_.rows, robust_.features, gates, !targets_.weights.empty());
    auto stage =
        std::make_unique<Stage<Real>>(algebra_, operations_, Arena(algebra_.allocate(bytes), bytes),
                                      robust_, gates, request_.options.relaxation);
    const std::vector<std::uint64_t> words = first_patterns(patterns(), gates);
    const GateBits bits{const_cast<std::uint64_t*>(words.data()), robust_.rows, gates};
    stage->program.load(robust_, bits, algebra_);
    const double n = static_cast<double>(robust_.rows);
    const double rho = request_.options.rho.value_or(starting_rho / n);
    stage->admm.start(robust_, bits, host_, rho, request_.options.rho.value_or(starting_tau / n));
    return stage;
  }

  /// The robust linear classifier: the program over the gate that is open everywhere.
  void solve_linear() {
    if (gates_.count == 1) return;
    const std::unique_ptr<Stage<Real>> stage = make_stage(1);
    const std::size_t most = std::min(linear_iterations, request_.options.max_iterations / 4);
    for (std::size_t k = 1; k <= most; ++k) {
      stage->admm.iterate();
      ++report_.iterations;
      if (control_.stop_requested()) throw Cancelled{};
      if (k % request_.options.check_every != 0) continue;
      const Progress progress = check(*stage);
      if (std::max(progress.gap, progress.infeasibility) <= request_.options.tolerance) break;
      adapt(*stage, k);
    }
    linear_ = stage->admm.state();
  }

  void start() {
    stage_ = make_stage(gates_.count);
    if (linear_) stage_->admm.resume(*linear_, 1);
    linear_.reset();
  }

  void iterate() {
    const Options& o = request_.options;
    double wanted = o.tolerance;
    report_.status = Status::iteration_limit;
    const std::size_t before = report_.iterations;
    try {
      for (std::size_t k = 1; before + k <= o.max_iterations; ++k) {
        stage_->admm.iterate();
        report_.iterations = before + k;
        const bool last = report_.iterations == o.max_iterations || control_.out_of_time();
        if (k % o.check_every == 0 || last) {
          const Progress progress = check(*stage_);
          tell(progress);
          if (progress.gap <= wanted && progress.infeasibility <= wanted) {
            extract();
            if (verified(o.tolerance)) {
              report_.status = Status::converged;
              return;
            }
            wanted *= 0.7;
          }
          adapt(*stage_, k);
        }
        if (control_.cancelled()) throw Cancelled{};
        if (last) {
          if (report_.iterations < o.max_iterations) report_.status = Status::time_limit;
          break;
        }
      }
    } catch (const Cancelled&) {
      report_.status = Status::aborted;
    }
    watch_nothing();
    extract();
    if (verified(o.tolerance) && report_.status == Status::iteration_limit) {
      report_.status = Status::converged;
    }
  }

  Progress check(Stage<Real>& stage) {
    const RobustBounds bounds = stage.admm.bounds(robust_, host_);
    const double scale = targets_.total_weight;
    Progress p;
    p.iteration = static_cast<double>(report_.iterations);
    p.objective = bounds.objective / scale;
    p.dual_bound = bounds.dual / scale;
    p.gap = relative_gap(bounds.objective, bounds.dual);
    p.infeasibility = bounds.infeasibility;
    p.rho = stage.admm.rho();
    p.seconds = control_.seconds();
    if (!std::isfinite(p.objective) || !std::isfinite(p.dual_bound)) {
      throw Error(ErrorCode::numerical,
                  "the iteration left the range of this precision; scale the data or use float64");
    }
    return p;
  }

  void tell(const Progress& p) {
    report_.history.push_back(p);
    control_.report({{"iteration", p.iteration},
                     {"objective", p.objective},
                     {"dualBound", p.dual_bound},
                     {"gap", p.gap},
                     {"infeasibility", p.infeasibility},
                     {"rho", p.rho},
                     {"seconds", p.seconds}});
  }

  /// τ after iteration k of a stage; ρ stays.
  void adapt(Stage<Real>& stage, std::size_t k) {
    if (request_.options.rho || k > last_loss_balance) return;
    if (!doubles_of(request_.options.check_every, k)) return;
    const double factor = stage.admm.loss_balance();
    const bool matters = factor < 0.7 || factor > 1.4;
    if (matters) stage.admm.set_penalties(stage.admm.rho(), factor * stage.admm.tau());
  }

  void extract() {
    RobustAdmm<Real>& admm = stage_->admm;
    admm.bounds(robust_, host_);
    result_.model = network_of(admm.v());
    Certificate& certificate = result_.certificate;
    certificate = {};
    certificate.loss = request_.options.loss;
    certificate.beta = request_.options.beta;
    certificate.gates = gates_;
    certificate.weights = targets_.weights;
    certificate.epsilon = *request_.options.epsilon;
    certificate.nu = admm.dual().nu;
    certificate.shifts = admm.dual().shifts;
    for (double& shift : certificate.shifts) shift *= robust_.scale;
    for (std::size_t row = 0; row < 2 * gates_.count; ++row) {
      if (!admm.dual().needs_multipliers[row]) continue;
      certificate.mu_rows.push_back(static_cast<std::int32_t>(row));
      const std::vector<double> mu = admm.multipliers(row);
      for (const double value : mu) certificate.mu.push_back(static_cast<Real>(value));
    }
  }

  /// Hidden v/√‖v‖ with output √‖v‖, and −√‖w‖ for w, as in extract.hpp.
  NetworkModel network_of(const std::vector<double>& v) const {
    const std::size_t f = robust_.features;
    NetworkModel model;
    model.grouping = request_.options.penalty;
    model.preprocessing = preprocessing_;
    model.output_bias.assign(1, 0);
    for (std::size_t row = 0; row < 2 * gates_.count; ++row) {
      double squares = 0;
      for (std::size_t j = 0; j < f; ++j) squares += v[row * f + j] * v[row * f + j];
      if (squares == 0) continue;
      const double root = std::sqrt(std::sqrt(squares) / robust_.scale);
      model.output.push_back(rounded(row < gates_.count ? root : -root));
      for (std::size_t j = 0; j < f; ++j) {
        model.hidden.push_back(rounded(v[row * f + j] / robust_.scale / root));
      }
      model.groups.push_back(static_cast<std::int32_t>(row));
    }
    return model;
  }

  bool verified(double tolerance) {
    report_.verdict = verify(result_.model, result_.certificate, data_, targets_.y, host_);
    return report_.verdict.gap <= tolerance && report_.verdict.infeasibility <= tolerance;
  }

  GateBits patterns() { return {patterns_.data(), data_.rows, gates_.count}; }

  Result finish_untrained() {
    Result result = untrained(request_, std::move(preprocessing_), std::move(gates_));
    result.certificate.epsilon = *request_.options.epsilon;
    result.certificate.shifts.assign(request_.data.rows * result.model.preprocessing.features(), 0);
    result.report.robust.epsilon = *request_.options.epsilon;
    result.report.status = control_.cancelled() ? Status::aborted : Status::time_limit;
    result.report.device = "cpu";
    result.report.peak_bytes = data_bytes(request_.data) + plan_bytes_;
    result.report.seconds = control_.seconds();
    return result;
  }

  /// The network's own adversarial loss, from the program's solution.
  void descend() {
    RobustReport& robust = report_.robust;
    robust.epsilon = *request_.options.epsilon;
    robust.program_objective = robust.objective = report_.verdict.objective;
    const bool stopped = control_.stop_requested() || report_.status == Status::aborted;
    if (!request_.options.descend || stopped) return;
    watch(StopOn::cancellation);
    try {
      Descent descent =
          descend_adversarially(result_.model, data_, targets_.y, targets_.weights,
                                descent_options(request_.options, gates_.count), control_, host_);
      robust.descent_iterations = descent.iterations;
      for (double& value : descent.model.hidden) value = rounded(value);
      for (double& value : descent.model.output) value = rounded(value);
      robust.descended = descent.after < descent.before;
      if (!robust.descended) return;
      robust.objective = descent.after;
      result_.model = std::move(descent.model);
    } catch (const Cancelled&) {
      report_.status = Status::aborted;
    }
  }

  /// Shares of the training samples, where the targets are classes.
  void measure() {
    RobustReport& robust = report_.robust;
    robust.accuracy = robust.attacked = robust.certified = std::nan("");
    const bool classes = std::all_of(targets_.y.begin(), targets_.y.end(),
                                     [](double y) { return std::abs(y) == 1; });
    if (!classes || report_.status == Status::aborted) return;
    watch(StopOn::cancellation);
    try {
      AttackOptions options;
      options.epsilon = robust.epsilon;
      options.seed = request_.options.seed;
      const Robustness found = measure_robustness(result_.model, data_, targets_.y, options, host_);
      robust.accuracy = found.accuracy;
      robust.attacked = found.attacked;
      robust.certified = found.certified;
    } catch (const Cancelled&) {
      report_.status = Status::aborted;
    }
  }

  Result finish() {
    watch_nothing();
    result_.solution = solution();
    if (!data_.selected.empty()) spread_rows();
    report_.gates = gates_.count;
    report_.neurons = result_.model.neurons();
    report_.device = "cpu";
    report_.peak_bytes = data_bytes(request_.data) + plan_bytes_;
    report_.route = sylvester_route;
    report_.seconds = control_.seconds();
    result_.report = report_;
    return std::move(result_);
  }

  /// The weights, for a start without an adversary.
  Solution solution() {
    Solution solution;
    solution.penalty = request_.options.penalty;
    solution.loss = request_.options.loss;
    solution.rows = data_.rows;
    solution.beta = request_.options.beta;
    solution.gates = gates_;
    for (const double value : stage_->admm.v()) solution.p.push_back(value / robust_.scale);
    return solution;
  }

  /// The certificate speaks of all rows of the data: those of weight 0 get zeros.
  void spread_rows() {
    Certificate& certificate = result_.certificate;
    const std::size_t n = request_.data.rows, f = robust_.features;
    const std::size_t count = certificate.mu_rows.size();
    std::vector<double> nu(n), shifts(n * f), mu(count * n);
    for (std::size_t k = 0; k < data_.rows; ++k) {
      nu[selected_[k]] = certificate.nu[k];
      std::copy_n(certificate.shifts.data() + k * f, f, shifts.data() + selected_[k] * f);
      for (std::size_t j = 0; j < count; ++j) {
        mu[j * n + selected_[k]] = certificate.mu[j * data_.rows + k];
      }
    }
    certificate.nu = std::move(nu);
    certificate.shifts = std::move(shifts);
    certificate.mu = std::move(mu);
    certificate.weights = request_.weights;
  }

  static double rounded(double value) { return static_cast<double>(static_cast<Real>(value)); }

  const Request& request_;
  const RunControl& control_;
  HostAlgebra host_;
  CpuAlgebra<Real> algebra_;
  CpuRobustOperations<Real> operations_;
  std::vector<std::size_t> selected_;
  DataView data_;
  Targets targets_;
  Preprocessing preprocessing_;
  Gates gates_;
  RobustData robust_;
  std::vector<std::uint64_t> patterns_;
  std::size_t plan_bytes_ = 0;
  std::unique_ptr<Stage<Real>> stage_;
  std::optional<RobustState<Real>> linear_;
  Report report_;
  Result result_;
};

}  // namespace

template <class Real>
Result train_adversarially(const Request& request, const RunControl& control) {
  check(request);
  return Run<Real>(request, control).train();
}

template <class Real>
MemoryEstimate estimate_adversarial_memory(std::size_t rows, std::size_t cols,
                                           const Options& options, int threads) {
  CpuAlgebra<Real> algebra(threads);
  CpuRobustOperations<Real> operations(algebra);
  const std::size_t features = cols + (options.bias ? 1 : 0);
  const std::size_t inputs = rows * (cols + 1) * sizeof(double);
  return {
      .bytes = planned_bytes(algebra, operations, rows, cols, features, false, options) + inputs,
      .route = sylvester_route,
      .device = "cpu"};
}

template MemoryEstimate estimate_adversarial_memory<float>(std::size_t, std::size_t, const Options&,
                                                           int);
template MemoryEstimate estimate_adversarial_memory<double>(std::size_t, std::size_t,
                                                            const Options&, int);
template Result train_adversarially<float>(const Request&, const RunControl&);
template Result train_adversarially<double>(const Request&, const RunControl&);

}  // namespace secondorder::convex_relu
