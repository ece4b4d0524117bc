#include "convex_relu/adversarial_train.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "algebra/cpu/cpu_robust.hpp"
#include "base/error.hpp"
#include "base/memory_facts.hpp"
#include "convex_relu/adversarial_extract.hpp"
#include "convex_relu/adversarial_gates.hpp"
#include "convex_relu/adversarial_network.hpp"
#include "convex_relu/adversarial_stage.hpp"
#include "convex_relu/balance.hpp"
#include "convex_relu/extract.hpp"
#include "convex_relu/memory_plan.hpp"
#include "convex_relu/untrained.hpp"

namespace secondorder::convex_relu {

namespace {

/// Iterations on the all-open gate alone, at most.
constexpr std::size_t linear_iterations = 400;

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

template <class Real>
class Run {
 public:
  Run(const Request& request, const RunControl& control)
      : request_(request),
        control_(control),
        host_(control.threads),
        algebra_(control.threads),
        operations_(algebra_),
        selected_(weighted_rows(request.weights)),
        data_(taking_part(request.data, request.weights, selected_)),
        targets_(Targets::of(data_, request.y, 1, request.weights)) {}

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
    finish_network();
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
    plan_bytes_ =
        planned_robust_bytes<Real>(algebra_, operations_, data_.rows, data_.cols, f, weighted, o);
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

  void enter_stage(std::size_t gates) {
    stage_.emplace(algebra_, operations_, robust_, patterns(), gates, request_.options, host_);
  }
  RobustAdmm<Real>& admm() { return stage_->admm; }

  /// The robust linear classifier: the program over the gate that is open everywhere.
  void solve_linear() {
    if (gates_.count == 1) return;
    enter_stage(1);
    const std::size_t most = std::min(linear_iterations, request_.options.max_iterations / 4);
    for (std::size_t k = 1; k <= most; ++k) {
      admm().iterate();
      ++report_.iterations;
      if (control_.stop_requested()) throw Cancelled{};
      if (k % request_.options.check_every != 0) continue;
      const Progress progress = check();
      if (std::max(progress.gap, progress.infeasibility) <= request_.options.tolerance) break;
      adapt(k);
    }
    linear_ = admm().state();
  }

  void start() {
    enter_stage(gates_.count);
    if (linear_) admm().resume(*linear_, 1);
    linear_.reset();
  }

  void iterate() {
    const Options& o = request_.options;
    double wanted = o.tolerance;
    report_.status = Status::iteration_limit;
    const std::size_t before = report_.iterations;
    try {
      for (std::size_t k = 1; before + k <= o.max_iterations; ++k) {
        admm().iterate();
        report_.iterations = before + k;
        const bool last = report_.iterations == o.max_iterations || control_.out_of_time();
        if (k % o.check_every == 0 || last) {
          const Progress progress = check();
          report_.history.push_back(progress);
          report(progress, control_);
          if (progress.gap <= wanted && progress.infeasibility <= wanted) {
            extract();
            if (verified(o.tolerance)) {
              report_.status = Status::converged;
              return;
            }
            wanted *= 0.7;
          }
          adapt(k);
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

  Progress check() {
    return make_progress(admm().bounds(robust_, host_), targets_.total_weight, report_.iterations,
                         admm().rho(), control_);
  }

  /// τ after iteration k of a stage; ρ stays.
  void adapt(std::size_t k) {
    if (request_.options.rho || k > last_loss_balance) return;
    if (!doubles_of(request_.options.check_every, k)) return;
    const double factor = admm().loss_balance();
    if (worth_changing(factor)) admm().set_penalties(admm().rho(), factor * admm().tau());
  }

  RobustExtraction<Real> extraction() {
    return {request_.options, preprocessing_, gates_, robust_, admm()};
  }

  void extract() {
    admm().bounds(robust_, host_);
    result_.model = extract_robust_model(extraction());
    result_.certificate = extract_robust_certificate(extraction());
  }

  bool verified(double tolerance) {
    report_.verdict = verify(result_.model, result_.certificate, data_, targets_.y, host_);
    return report_.verdict.within(tolerance);
  }

  GateBits patterns() { return {patterns_.data(), data_.rows, gates_.count}; }

  Result finish_untrained() {
    Result result = untrained(request_, std::move(preprocessing_), std::move(gates_));
    result.certificate.epsilon = *request_.options.epsilon;
    result.certificate.shifts.assign(request_.data.rows * result.model.preprocessing.features(), 0);
    result.report.robust.epsilon = *request_.options.epsilon;
    result.report.status = control_.cancelled() ? Status::aborted : Status::time_limit;
    report_resources(result.report);
    return result;
  }

  void report_resources(Report& report) const {
    report.device = "cpu";
    report.peak_bytes = data_bytes(request_.data) + plan_bytes_;
    report.seconds = control_.seconds();
  }

  /// From the program's network to the one returned.
  void finish_network() {
    RobustReport& robust = report_.robust;
    robust.epsilon = *request_.options.epsilon;
    robust.program_objective = robust.objective = report_.verdict.objective;
    robust.accuracy = robust.attacked = robust.certified = std::nan("");
    if (report_.status == Status::aborted) return;
    const RobustTraining training{request_, data_, targets_, control_, host_};
    watch(StopOn::cancellation);
    try {
      if (request_.options.descend && !control_.stop_requested()) {
        descend<Real>(training, 2 * gates_.count, result_.model, robust);
      }
      measure(training, result_.model, robust);
    } catch (const Cancelled&) {
      report_.status = Status::aborted;
    }
  }

  Result finish() {
    watch_nothing();
    result_.solution = extract_robust_solution(extraction());
    spread_rows(request_, selected_, result_);
    report_.gates = gates_.count;
    report_.neurons = result_.model.neurons();
    report_.route = sylvester_route;
    report_resources(report_);
    result_.report = report_;
    return std::move(result_);
  }

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
  std::optional<RobustStage<Real>> stage_;
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
  return {.bytes = planned_robust_bytes<Real>(algebra, operations, rows, cols, features, false,
                                              options) +
                   inputs,
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
