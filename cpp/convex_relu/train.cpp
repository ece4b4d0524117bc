#include "convex_relu/train.hpp"

#include <algorithm>

#include "base/memory_facts.hpp"
#include "convex_relu/adversarial_train.hpp"
#include "convex_relu/balance.hpp"
#include "convex_relu/extract.hpp"
#include "convex_relu/global_rounds.hpp"
#include "convex_relu/memory_plan.hpp"
#include "convex_relu/placement.hpp"
#include "convex_relu/refined_start.hpp"
#include "convex_relu/route.hpp"
#include "convex_relu/scp_train.hpp"
#include "convex_relu/sharded_admm.hpp"
#include "convex_relu/untrained.hpp"
#include "convex_relu/warm_start.hpp"

namespace secondorder::convex_relu {

namespace {

/// One training run; its members come to life in the order of the steps of train().
template <class Real>
class Run {
 public:
  Run(const Request& request, const RunControl& control)
      : request_(request),
        control_(control),
        host_(control.threads),
        placement_(place<Real>(request.data.rows, request.data.cols, request.outputs,
                               request.options, control.threads)),
        algebra_(*placement_.algebras.front()),
        selected_(weighted_rows(request.weights)),
        data_(taking_part(request.data, request.weights, selected_)),
        targets_(Targets::of(data_, request.y, request.outputs, request.weights)),
        folded_(targets_.folded(request.options.loss)) {}

  Result train() {
    try {
      watch(&control_, StopOn::time_limit);  // there is no iteration yet that looks at the clock
      prepare();
    } catch (const Cancelled&) {
      return refined_ ? finish_refined() : finish_untrained();
    }
    watch(&control_, StopOn::cancellation);
    iterate();
    return finish();
  }

 private:
  void watch(const RunControl* control, StopOn stop_on = StopOn::cancellation) {
    host_.watch(control, stop_on);
    for (const auto& algebra : placement_.algebras) algebra->watch(control, stop_on);
  }

  void prepare() {
    const Options& o = request_.options;
    preprocessing_ = fit_preprocessing(data_, o, host_);
    if (request_.warm_solution == nullptr) {  // before any gate is drawn: is there room for all?
      const std::size_t most = std::min(data_.rows, preprocessing_.features());
      plan_run(algebra_, shape_of(data_.rows, most, o.gates, request_.outputs, o.model), data_.cols,
               false, o, room());
    }
    rotation_ = fit_rotation(data_, preprocessing_, folded_.row_scale, host_);
    if (o.refine.width > 0) refine();
    gates_ = refined_ ? refined_->gates : starting_gates(request_, data_, preprocessing_, host_);
    const GatedShape shape =
        shape_of(data_.rows, rotation_.rank(), gates_.count, request_.outputs, o.model);
    const bool weighted = !folded_.weights.empty();
    plan_ = make_plan(algebra_, shape, data_.cols, weighted, o, room());
    Program<Real> program(shape);
    program.loss = o.loss;
    program.beta = o.beta * targets_.total_weight / rotation_.scale;
    program.group = o.penalty == Penalty::gate ? request_.outputs : 1;
    program.eigenvalues = rotation_.eigenvalues;
    admm_.emplace(placement_.algebras, program, weighted, plan_.workspace_bytes, plan_.route,
                  o.relaxation);
    patterns_.resize(data_.rows * GateBits::words_per_row(gates_.count));
    load_program<Real>(data_, preprocessing_, rotation_, gates_, folded_, host_, patterns(),
                       admm_->parts());
    if (refined_) {
      start_at(*refined_, request_.options.rho, *admm_);
    } else {
      start_admm(request_, preprocessing_, rotation_, gates_, starting_rho(), *admm_);
    }
  }

  void refine() {
    const RefinementInput<Real> input{request_, data_,    folded_,  preprocessing_, rotation_,
                                      host_,    algebra_, control_, room().device()};
    refine_network(
        input, [&] { watch(nullptr); }, refined_);
    if (refined_) report_.rounds = refined_->rounds;
  }

  /// 1 suits unit columns; a gated model starts near a twentieth of its mean squared feature.
  double starting_rho() const {
    if (request_.options.rho) return *request_.options.rho;
    if (admm_->program().cones()) return 1;
    double sum = 0;
    for (const double eigenvalue : rotation_.eigenvalues) sum += eigenvalue;
    return 0.025 * std::max(sum / static_cast<double>(rotation_.rank()), 1e-6);
  }

  void iterate() {
    const Options& o = request_.options;
    double wanted = o.tolerance;
    report_.status = Status::iteration_limit;
    try {
      for (std::size_t k = 1; k <= o.max_iterations; ++k) {
        admm_->iterate();
        report_.iterations = k;
        const bool last = k == o.max_iterations || control_.out_of_time();
        if (k % o.check_every == 0 || last) {
          if (promises(check(), wanted)) {
            extract();
            if (verified(o.tolerance)) return;
            wanted *= 0.7;
          }
        }
        if (control_.cancelled()) throw Cancelled{};
        if (last) {
          if (k < o.max_iterations) report_.status = Status::time_limit;
          break;
        }
        watch(&control_, StopOn::time_limit);  // a new factorization may take long
        balance(k);
        watch(&control_, StopOn::cancellation);
      }
    } catch (const Cancelled&) {
      report_.status = stop_status();
    }
    stop();
  }

  /// After a stop short of convergence: the best that can be said of the last iterate.
  void stop() {
    watch(nullptr);
    extract();
    const Status why = report_.status;
    verified(request_.options.tolerance);
    if (why != Status::iteration_limit) report_.status = why;
  }

  Progress check() {
    const Progress p = make_progress(admm_->bounds(folded_), targets_.total_weight,
                                     report_.iterations, admm_->rho(), control_);
    report_.history.push_back(p);
    report(p, control_);
    return p;
  }

  /// Whether the iterate's network may be within the tolerance `wanted`; or the refined one, whose
  /// neurons are in their cones.
  bool promises(const Progress& progress, double wanted) const {
    if (progress.gap <= wanted && progress.infeasibility <= wanted) return true;
    return refined_ && request_.outputs == 1 &&
           relative_gap(refined_->objective, progress.dual_bound) <= wanted;
  }

  /// The penalties ρ and τ after iteration k.
  void balance(std::size_t k) {
    const bool given = request_.options.rho.has_value(), cones = admm_->program().cones();
    double rho = 1, tau = 1;  // factors
    if (k <= last_group_balance && doubles_of(2, k)) {
      tau = admm_->loss_balance();
      if (!given && !cones) rho = admm_->group_balance();
    }
    if (!given && cones && cone_balance_due(k) && !report_.history.empty()) {
      // Late in a run it sinks no further below the multipliers of the active groups over their
      // size: it would find no way back.
      const double groups = admm_->group_balance();
      const double least = k >= 320 ? std::min(1.0, groups) : 0;
      rho = std::max(balance_.factor(report_.history.back()), least);
      if (groups == no_group_in_use) rho = groups;
    }
    if (!worth_changing(rho)) rho = 1;
    if (!worth_changing(tau)) tau = 1;
    if (rho != 1 || tau != 1) admm_->set_penalties(rho * admm_->rho(), tau * admm_->tau());
  }

  Extraction<Real> extraction() const {
    return {request_, targets_, folded_, preprocessing_, rotation_, gates_, *admm_};
  }

  void extract() {
    if (report_.history.empty() ||
        report_.history.back().iteration != static_cast<double>(report_.iterations)) {
      admm_->bounds(folded_);  // brings V, ν and the needed multipliers up to date
    }
    result_.model = extract_model(extraction());
    result_.certificate = extract_certificate(extraction());
  }

  /// Whether the program is solved; chooses the network, and then the status.
  bool verified(double tolerance) {
    const auto check = [&](const NetworkModel& model) {
      return verify(model, result_.certificate, data_, targets_.y, host_, patterns());
    };
    report_.verdict = check(result_.model);
    bool solved = report_.verdict.within(tolerance);
    Status status = Status::converged;
    if (refined_) {
      solved = choose_network(*refined_, check(refined_->network), tolerance,
                              request_.options.refine, result_.model, report_.verdict, status);
    }
    if (solved) report_.status = status;
    return solved;
  }

  /// After the last certificate, where nobody asked to stop.
  void price() {
    if (!refined_ || control_.stop_requested()) return;
    try {
      watch(&control_, StopOn::time_limit);
      report_.pricing_ratio = measure_price(result_.model, result_.certificate, rotation_,
                                            admm_->program(), request_.options.seed, algebra_);
    } catch (const Cancelled&) {  // then it is not known
    }
    watch(nullptr);
  }

  Status stop_status() const { return control_.cancelled() ? Status::aborted : Status::time_limit; }

  Room room() const { return placement_.room(available_memory()); }

  /// What the report says of the device, and of memory besides the input and this.
  void report_device(Report& report, std::size_t host) const {
    const bool on_gpu = placement_.device.gpu();
    report.device = placement_.device.name();
    report.device_reason = placement_.device.reason;
    const std::size_t device = std::max(plan_.device_bytes, refined_ ? refined_->bytes : 0);
    report.gpu_bytes = on_gpu ? device : 0;
    report.peak_bytes = input_bytes() + host + (on_gpu ? 0 : device);
  }

  std::size_t input_bytes() const {
    return data_bytes(request_.data) +
           (request_.y.size() + request_.weights.size()) * sizeof(double);
  }

  GateBits patterns() { return {patterns_.data(), data_.rows, gates_.count}; }

  /// After a stop during refinement or before the first iteration of the convex solve.
  Result finish_refined() {
    watch(nullptr);
    Result result = unsolved(request_, data_, targets_, *refined_, host_);
    spread_rows(request_, selected_, result);
    return finish_early(std::move(result));
  }

  /// After a stop before there was any network.
  Result finish_untrained() {
    return finish_early(untrained(request_, std::move(preprocessing_), std::move(gates_)));
  }

  Result finish_early(Result result) {
    result.report.status = stop_status();
    report_device(result.report, plan_.host_bytes);
    result.report.seconds = control_.seconds();
    return result;
  }

  Result finish() {
    price();
    watch(nullptr);
    result_.solution = extract_solution(extraction());
    spread_rows(request_, selected_, result_);
    report_.inner_iterations = admm_->inner_iterations();
    report_.gates = gates_.count;
    report_.neurons =
        result_.model.kind == Model::relu ? result_.model.neurons() : result_.model.gates.count;
    const RunSize size{admm_->program().shape, data_.cols,      plan_.route,
                       plan_.device_bytes,     report_.neurons, result_.certificate.mu_rows.size()};
    placement_.device.gpus.resize(std::min(placement_.device.gpus.size(), admm_->shards()));
    report_device(report_, host_bytes(algebra_, size, request_.options, placement_.device.gpu()) +
                               ShardTeam::bytes(admm_->shards()));
    report_.route = name(plan_.route);
    report_.seconds = control_.seconds();
    result_.report = report_;
    return std::move(result_);
  }

  const Request& request_;
  const RunControl& control_;
  HostAlgebra host_;
  Placement<Real> placement_;
  Algebra<Real>& algebra_;
  std::vector<std::size_t> selected_;
  DataView data_;
  Targets targets_, folded_;
  Preprocessing preprocessing_;
  Gates gates_;
  std::vector<std::uint64_t> patterns_;  ///< of the rows that take part
  Rotation rotation_;
  std::optional<Refined> refined_;
  Plan plan_;
  std::optional<ShardedAdmm<Real>> admm_;
  ConeBalance balance_;
  Report report_;
  Result result_;
};

}  // namespace

template <class Real>
Result train(const Request& request, const RunControl& control) {
  if (request.options.epsilon) return train_adversarially<Real>(request, control);
  if (request.options.method == Method::scp) return train_sampled<Real>(request, control);
  const auto solve = [&control](const Request& r) { return Run<Real>(r, control).train(); };
  Result result = solve(request);
  bound_globally(request, control, solve, result);
  return result;
}

template Result train<float>(const Request&, const RunControl&);
template Result train<double>(const Request&, const RunControl&);

}  // namespace secondorder::convex_relu
