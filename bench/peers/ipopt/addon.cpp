// minimize({ problem, options }) -> { status, x, lambda, objective, iterations, evaluations }:
// IPOPT on a problem as newtonMinimizeSync takes it (lib/newton/native.ts), on the calling thread.
//
// options: tolerance, maxIterations, threads (of the evaluations of native problems).
#include <napi.h>

#include <IpIpoptApplication.hpp>
#include <IpSolveStatistics.hpp>
#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "base/run_control.hpp"
#include "base/thread_pool.hpp"
#include "marshal.hpp"
#include "newton_problem.hpp"
#include "nlp.hpp"

namespace secondorder::bench {
namespace {

using binding::Fields;
using binding::ProblemSource;

constexpr std::pair<Ipopt::ApplicationReturnStatus, const char*> status_names[] = {
    {Ipopt::Solve_Succeeded, "converged"},
    {Ipopt::Solved_To_Acceptable_Level, "acceptable"},
    {Ipopt::Infeasible_Problem_Detected, "infeasible"},
    {Ipopt::Search_Direction_Becomes_Too_Small, "search_direction_too_small"},
    {Ipopt::Diverging_Iterates, "diverging"},
    {Ipopt::Feasible_Point_Found, "feasible_point"},
    {Ipopt::Maximum_Iterations_Exceeded, "iteration_limit"},
    {Ipopt::Restoration_Failed, "restoration_failed"},
    {Ipopt::Error_In_Step_Computation, "step_failed"},
    {Ipopt::Maximum_CpuTime_Exceeded, "time_limit"},
    {Ipopt::Not_Enough_Degrees_Of_Freedom, "too_few_variables"},
    {Ipopt::Invalid_Number_Detected, "invalid_number"}};

std::string status_name(Ipopt::ApplicationReturnStatus status) {
  const auto* found = std::find_if(std::begin(status_names), std::end(status_names),
                                   [status](const auto& entry) { return entry.first == status; });
  if (found != std::end(status_names)) return found->second;
  return "status_" + std::to_string(static_cast<int>(status));
}

Ipopt::SmartPtr<Ipopt::IpoptApplication> make_application(const Fields& options,
                                                          newton::HessianForm form) {
  const Ipopt::SmartPtr<Ipopt::IpoptApplication> application = IpoptApplicationFactory();
  const auto& list = application->Options();
  const double tolerance = options.number("tolerance", binding::positive);
  list->SetNumericValue("tol", tolerance);
  // By default violations of 1e-4 would do.
  list->SetNumericValue("constr_viol_tol", tolerance);
  list->SetIntegerValue("max_iter",
                        static_cast<Ipopt::Index>(options.integer("maxIterations", 0, 1000000)));
  list->SetIntegerValue("print_level", 0);
  list->SetStringValue("sb", "yes");
  list->SetStringValue("linear_solver", "mumps");
  if (form != newton::HessianForm::values) {
    list->SetStringValue("hessian_approximation", "limited-memory");
  }
  if (application->Initialize() != Ipopt::Solve_Succeeded) {
    throw Error(ErrorCode::internal, "IPOPT refuses its options");
  }
  return application;
}

Napi::Object write_evaluations(Napi::Env env, const newton::Evaluations& counts) {
  Napi::Object object = Napi::Object::New(env);
  const auto set = [&object](const char* name, std::size_t count) {
    object.Set(name, static_cast<double>(count));
  };
  set("objective", counts.objective);
  set("gradient", counts.gradient);
  set("constraint", counts.constraint);
  set("jacobian", counts.jacobian);
  set("hessian", counts.hessian);
  return object;
}

Napi::Value minimize(const Napi::CallbackInfo& info) {
  const Fields spec(info[0]);
  const Fields options = spec.object("options");
  RunControl control;
  ThreadPool pool(static_cast<int>(options.integer("threads", 1)));
  ProblemSource source(spec.object("problem"), std::nullopt);
  source.begin(control);
  // By 'ldl', so that native problems give the entries of their Hessian.
  source.problem().begin({.pool = pool, .linear_solver = newton::LinearSolver::ldl});
  const Ipopt::SmartPtr<Nlp> nlp = new Nlp(source.problem(), source.x0());
  const auto application = make_application(options, source.problem().hessian_form());
  const Ipopt::ApplicationReturnStatus status = application->OptimizeTNLP(nlp);
  source.problem().end();
  source.end();
  if (nlp->thrown) std::rethrow_exception(nlp->thrown);

  const auto statistics = application->Statistics();  // null where there were too few variables
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("status", status_name(status));
  result.Set("x", binding::to_js(info.Env(), nlp->x));
  result.Set("lambda", binding::to_js(info.Env(), nlp->lambda));
  result.Set("objective", nlp->objective);
  result.Set("iterations", IsValid(statistics) ? statistics->IterationCount() : 0);
  result.Set("evaluations", write_evaluations(info.Env(), nlp->evaluations));
  return result;
}

Napi::Object initialize(Napi::Env /*env*/, Napi::Object exports) {
  binding::export_function<minimize>(exports, "minimize");
  return exports;
}

}  // namespace
}  // namespace secondorder::bench

using secondorder::bench::initialize;
NODE_API_MODULE(ipopt_peer, initialize)
