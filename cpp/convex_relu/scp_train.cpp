#include "convex_relu/scp_train.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "base/memory_facts.hpp"
#include "convex_relu/extract.hpp"
#include "convex_relu/scp.hpp"
#include "convex_relu/scp_measure.hpp"
#include "convex_relu/scp_plan.hpp"
#include "convex_relu/untrained.hpp"
#include "convex_relu/warm_start.hpp"

namespace secondorder::convex_relu {

namespace {

template <class Real>
class Run {
 public:
  Run(const Request& request, const RunControl& control)
      : request_(request),
        control_(control),
        host_(control.threads),
        selected_(weighted_rows(request.weights)),
        data_(taking_part(request.data, request.weights, selected_)) {
    targets_ = Targets::of(data_, request.y, request.outputs, request.weights);
  }

  Result train() {
    try {
      host_.watch(&control_, StopOn::time_limit);  // there is no step yet that looks at the clock
      prepare();
    } catch (const Cancelled&) {
      return finish_untrained();
    }
    host_.watch(&control_);
    iterate();
    return finish();
  }

 private:
  void prepare() {
    plan();
    preprocessing_ = fit_preprocessing(data_, request_.options, host_);
    choose_directions();
    directions_ = program_directions(gates_, drawn_, preprocessing_, host_);
    columns_.emplace(directions_, data_, preprocessing_, host_);
    const Options& o = request_.options;
    solver_.emplace(*columns_, o.loss, targets_, o.beta * targets_.total_weight, host_);
    if (!start_.empty()) solver_->start(start_);
  }

  void plan() {
    const Solution* solution = request_.warm_solution;
    std::size_t m = request_.options.gates;
    if (request_.warm_network != nullptr) m += request_.warm_network->neurons();
    if (solution != nullptr && solution->drawn) m = solution->p.size() / request_.outputs;
    plan_bytes_ =
        sampled_bytes<Real>(data_.rows, data_.cols, request_.outputs, m, request_.options);
    const std::size_t available = available_memory();
    if (plan_bytes_ <= available) return;
    throw Error(ErrorCode::out_of_memory, "the sampled convex program needs " +
                                              std::to_string(plan_bytes_) + " bytes; " +
                                              std::to_string(available) + " are available");
  }

  /// Those of the warm start, the given or drawn gates, and uniform ones; and the weights to start
  /// at.
  void choose_directions() {
    const Options& o = request_.options;
    const std::size_t width = data_.cols + 1, c = request_.outputs;
    if (const Solution* from = request_.warm_solution) {
      const std::size_t count = from->gates.count + (from->drawn ? from->drawn->count : 0);
      const bool fits = from->drawn && from->outputs == c && from->p.size() == count * c &&
                        (from->gates.count == 0 || from->gates.width() == width);
      if (!fits) {
        throw Error(ErrorCode::dimension_mismatch,
                    "warmStart: the solution is of another method, number of outputs or number of "
                    "features than this problem",
                    "warmStart");
      }
      gates_ = from->gates;
      drawn_ = *from->drawn;
      start_ = from->p;
      return;
    }
    drawn_.seed = o.seed;
    if (o.gate_source == GateSource::given) {
      gates_ = given_gates(o, data_.cols);
    } else if (o.gate_source == GateSource::gaussian) {
      drawn_.count = o.gates;
    } else {
      gates_ = sample_gates(data_, preprocessing_, o, host_);
    }
    if (request_.warm_network != nullptr) append_network(*request_.warm_network);
  }

  /// A neuron of weights w and a starts at ‖w‖·a in the direction of w.
  void append_network(const NetworkModel& network) {
    check_warm_start(request_, data_, preprocessing_);
    const ConvertedNeurons neurons = convert_neurons(network, preprocessing_);
    const std::size_t count = network.neurons(), f = preprocessing_.features();
    start_.resize(gates_.count * request_.outputs);
    for (std::size_t j = 0; j < count; ++j) {
      double squares = 0;
      for (std::size_t l = 0; l < f; ++l) squares += std::pow(neurons.weights[j * f + l], 2);
      for (std::size_t o = 0; o < request_.outputs; ++o) {
        start_.push_back(std::sqrt(squares) * network.output[o * count + j]);
      }
    }
    gates_.rows.insert(gates_.rows.end(), neurons.gates.begin(), neurons.gates.end());
    gates_.count += count;
  }

  void iterate() {
    const Options& o = request_.options;
    double wanted = o.tolerance;
    report_.status = Status::iteration_limit;
    try {
      while (true) {
        if (check(solver_->price()) <= wanted) {
          extract();
          if (verified(o.tolerance)) return;
          wanted *= 0.7;
        }
        if (control_.cancelled()) throw Cancelled{};
        if (report_.iterations == o.max_iterations) break;
        if (control_.out_of_time()) {
          report_.status = Status::time_limit;
          break;
        }
        solver_->step(wanted, control_);
        ++report_.iterations;
      }
    } catch (const Cancelled&) {
      report_.status = Status::aborted;
    }
    host_.watch(nullptr);
    extract();
    verified(o.tolerance);
  }

  /// The relative gap.
  double check(const Bounds& bounds) {
    const Progress p =
        make_progress(bounds, targets_.total_weight, report_.iterations, 0, control_);
    report_.history.push_back(p);
    report(p, control_);
    return p.gap;
  }

  void extract() {
    result_.model = network();
    Certificate& certificate = result_.certificate;
    certificate = {};
    certificate.loss = request_.options.loss;
    certificate.beta = request_.options.beta;
    certificate.gates = gates_;
    certificate.drawn = drawn_;
    certificate.nu = solver_->nu();
    certificate.weights = targets_.weights;
  }

  /// Neurons ‖αⱼ‖·uⱼ with outputs αⱼ/‖αⱼ‖.
  NetworkModel network() const {
    const std::size_t c = request_.outputs, f = preprocessing_.features();
    const std::vector<double>& alpha = solver_->alpha();
    NetworkModel model;
    model.grouping = request_.options.penalty;
    model.outputs = c;
    model.preprocessing = preprocessing_;
    model.output_bias.assign(c, 0);
    std::vector<double> sized, outputs;  // neurons × f, × c
    for (std::size_t j = 0; j < columns_->count(); ++j) {
      double squares = 0;
      for (std::size_t o = 0; o < c; ++o) squares += alpha[j * c + o] * alpha[j * c + o];
      if (squares == 0) continue;
      const double size = std::sqrt(squares);
      for (std::size_t l = 0; l < f; ++l) sized.push_back(size * directions_[j * f + l]);
      for (std::size_t o = 0; o < c; ++o) outputs.push_back(alpha[j * c + o] / size);
      model.groups.push_back(static_cast<std::int32_t>(j));
    }
    set_neurons<Real>(sized, outputs, model);
    return model;
  }

  bool verified(double tolerance) {
    report_.verdict = verify(result_.model, result_.certificate, data_, targets_.y, host_);
    const bool solved = report_.verdict.within(tolerance);
    if (solved && report_.status == Status::iteration_limit) report_.status = Status::converged;
    return solved;
  }

  /// What the directions assured beforehand, and what further ones and the search of pricing.hpp
  /// say afterwards, where nobody asked to stop.
  void measure() {
    const Certificate& certificate = result_.certificate;
    report_.sampling = assured_sampling(data_.rows * request_.outputs + 1,
                                        gates_.count + drawn_.count, drawn_.count);
    if (control_.stop_requested()) return;
    try {
      host_.watch(&control_, StopOn::time_limit);
      test_directions(certificate, directions_, targets_, data_, preprocessing_, host_,
                      *report_.sampling);
      report_.pricing_ratio =
          greatest_price(result_.model, certificate, targets_, data_, request_.options.seed, host_);
    } catch (const Cancelled&) {  // then it is not known
    }
    host_.watch(nullptr);
  }

  Result finish_untrained() {
    Result result = untrained(request_, std::move(preprocessing_), std::move(gates_));
    result.certificate.drawn.emplace();
    result.report.status = control_.cancelled() ? Status::aborted : Status::time_limit;
    return complete(std::move(result));
  }

  Result finish() {
    Solution& solution = result_.solution;
    solution.penalty = request_.options.penalty;
    solution.loss = request_.options.loss;
    solution.outputs = request_.outputs;
    solution.rows = data_.rows;
    solution.beta = request_.options.beta;
    solution.gates = gates_;
    solution.drawn = drawn_;
    solution.p = solver_->alpha();
    report_.inner_iterations = solver_->passes();
    report_.gates = columns_->count();
    report_.neurons = result_.model.neurons();
    solver_.reset();
    columns_.reset();
    measure();
    spread_rows(request_, selected_, result_);
    result_.report = std::move(report_);
    return complete(std::move(result_));
  }

  Result complete(Result result) {
    Report& report = result.report;
    report.device = "cpu";
    report.device_reason = "the sampled convex program is solved on the CPU";
    report.route = sampled_route;
    report.peak_bytes = data_bytes(request_.data) + plan_bytes_;
    report.seconds = control_.seconds();
    return result;
  }

  const Request& request_;
  const RunControl& control_;
  HostAlgebra host_;
  std::vector<std::size_t> selected_;
  DataView data_;
  Targets targets_;
  std::size_t plan_bytes_ = 0;
  Preprocessing preprocessing_;
  Gates gates_;
  DrawnDirections drawn_;
  std::vector<double> start_;       ///< weights of the first directions
  std::vector<double> directions_;  ///< directions × f
  std::optional<ScpColumns<Real>> columns_;
  std::optional<ScpSolver<Real>> solver_;
  Report report_;
  Result result_;
};

}  // namespace

template <class Real>
Result train_sampled(const Request& request, const RunControl& control) {
  check_sampled(request);
  return Run<Real>(request, control).train();
}

template Result train_sampled<float>(const Request&, const RunControl&);
template Result train_sampled<double>(const Request&, const RunControl&);

}  // namespace secondorder::convex_relu
