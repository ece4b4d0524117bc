// Memory is planned: what the plan says, what the layout takes, and what is refused.
#include <doctest/doctest.h>

#include "base/error.hpp"
#include "base/memory_facts.hpp"
#include "convex_relu/admm.hpp"
#include "convex_relu/route.hpp"
#include "training_support.hpp"

using namespace secondorder;
using namespace secondorder::convex_relu;
using namespace secondorder::test;

namespace {

constexpr Route routes[] = {Route::woodbury, Route::gram, Route::conjugate_gradient};
constexpr std::size_t plenty = std::size_t{1} << 60;

const std::vector<GatedShape> shapes = {
    {1, 1, 1, 1, 2}, {50, 3, 5, 1, 2}, {200, 10, 70, 1, 2}, {300, 8, 20, 3, 1}, {64, 4, 64, 10, 1}};

Options with(Route route, Loss loss = Loss::squared) {
  Options options;
  options.route = route;
  options.loss = loss;
  return options;
}

/// Bytes that program and solver really take of the workspace that was planned for them, where more
/// would throw; of the shard that has a range of the gates.
template <class Real>
std::size_t laid_out(const GatedShape& shape, const GateRange& range, const Plan& plan,
                     const Options& options, bool weighted) {
  CpuAlgebra<Real> algebra(1);
  Arena arena(algebra.allocate(plan.workspace_bytes), plan.workspace_bytes);
  Program<Real> all(shape);
  all.loss = options.loss;
  const Program<Real> program = program_of_shard(all, range, weighted, options.route, arena);
  const Admm<Real> admm(algebra, arena, program, options.route, options.relaxation);
  return arena.bytes();
}

}  // namespace

TEST_SUITE("memory") {
  TEST_CASE_TEMPLATE("a plan holds the layout and the algebra's scratch", Real, float, double) {
    CpuAlgebra<Real> algebra(2);
    for (const Route route : routes) {
      for (const Loss loss : {Loss::squared, Loss::logistic}) {
        for (const GatedShape& shape : shapes) {
          for (const bool weighted : {false, true}) {
            const Options options = with(route, loss);
            const Plan plan = make_plan(algebra, shape, 9, weighted, options, Room{.host = plenty});
            CHECK(plan.route == route);
            const std::size_t workspace =
                laid_out<Real>(shape, {0, shape.gates}, plan, options, weighted);
            CHECK(plan.workspace_bytes == workspace);
            CHECK(plan.device_bytes == workspace + algebra.scratch_bytes(shape));
            CHECK(plan.bytes() == plan.device_bytes + plan.host_bytes);
            // no room for less
            const std::size_t exactly = plan.bytes();
            CHECK(make_plan(algebra, shape, 9, weighted, options, Room{.host = exactly}).bytes() ==
                  exactly);
            try {
              make_plan(algebra, shape, 9, weighted, options, Room{.host = exactly - 1});
              FAIL("a plan of " << exactly << " bytes was made in less");
            } catch (const Error& e) {
              CHECK(e.code == ErrorCode::out_of_memory);
              CHECK(std::string(e.what()).find(std::to_string(exactly)) != std::string::npos);
              CHECK(std::string(e.what()).find(std::to_string(exactly - 1)) != std::string::npos);
            }
          }
        }
      }
    }
  }

  TEST_CASE("a plan for several GPUs is that of the largest shard on each, and of none by gram") {
    CpuAlgebra<float> algebra(2);
    for (const GatedShape& shape : shapes) {
      for (const std::size_t gpus : {1U, 2U, 3U, 100U}) {
        const Room room{.host = plenty, .gpu = plenty, .gpus = gpus};
        for (const GateRange& range : cut_gates(shape.gates, gpus)) {
          for (const Route route : {Route::woodbury, Route::conjugate_gradient}) {
            const Plan plan = make_plan(algebra, shape, 9, true, with(route), room);
            const GatedShape shard = shape_of_shard(shape, range);
            const std::size_t taken = laid_out<float>(shape, range, plan, with(route), true);
            CHECK(taken <= plan.workspace_bytes);
            if (range.first == 0) CHECK(taken == plan.workspace_bytes);
            CHECK(plan.device_bytes >= taken + algebra.scratch_bytes(shard));
          }
        }
        if (gpus == 1) continue;
        CHECK(make_plan(algebra, shape, 9, true, with(Route::automatic), room).route !=
              Route::gram);
        try {
          make_plan(algebra, shape, 9, true, with(Route::gram), room);
          FAIL("planned gram on several GPUs");
        } catch (const Error& e) {
          CHECK(e.code == ErrorCode::invalid_argument);
          CHECK(e.argument == "options.route");
        }
      }
    }
  }

  TEST_CASE("where the cheapest route doesn't fit, another is taken") {
    CpuAlgebra<float> algebra(1);
    const GatedShape shape{20000, 20, 400, 1, 1};
    std::size_t smallest = plenty;
    for (const Route route : routes) {
      smallest =
          std::min(smallest,
                   make_plan(algebra, shape, 20, false, with(route), Room{.host = plenty}).bytes());
    }
    const Plan tight =
        make_plan(algebra, shape, 20, false, with(Route::automatic), Room{.host = smallest});
    CHECK(tight.bytes() == smallest);
    CHECK_THROWS_AS(
        make_plan(algebra, shape, 20, false, with(Route::automatic), Room{.host = smallest - 1}),
        Error);
  }

  TEST_CASE("automatic: few samples take woodbury, few unknowns gram") {
    CpuAlgebra<float> algebra(1);
    const GatedShape few_samples{100, 50, 500, 1, 2}, few_unknowns{50000, 4, 10, 1, 1};
    CHECK(make_plan(algebra, few_samples, 50, false, with(Route::automatic), Room{.host = plenty})
              .route == Route::woodbury);
    CHECK(make_plan(algebra, few_unknowns, 4, false, with(Route::automatic), Room{.host = plenty})
              .route == Route::gram);
  }

  TEST_CASE("estimates are no less than what a run of that size plans, and close to it") {
    for (const Model model : {Model::relu, Model::gated}) {
      for (const Route route : routes) {
        Problem p = random_training_problem(model, Loss::squared, {200, 6, 40, 2}, 1);
        p.options.route = route;
        p.options.max_iterations = 3;
        RunControl control;
        control.threads = 2;
        const Result result = train<float>(p.request(), control);
        Options options = p.options;
        options.gates = 40;
        const MemoryEstimate estimate = estimate_memory<float>(200, 6, 2, options, 2);
        CHECK(std::string(estimate.route) == result.report.route);
        CHECK(estimate.bytes >= result.report.peak_bytes);
        // Beforehand every cone has a multiplier, afterwards those that the certificate needs.
        CHECK(estimate.bytes <= 1.5 * static_cast<double>(result.report.peak_bytes));
      }
    }
  }

  TEST_CASE("estimates grow with samples, gates and precision, also far beyond any machine") {
    Options options = with(Route::automatic);
    options.gates = 128;
    const auto bytes = [&](std::size_t rows, std::size_t gates) {
      options.gates = gates;
      return estimate_memory<float>(rows, 100, 10, options, 4).bytes;
    };
    CHECK(bytes(2000, 128) > bytes(1000, 128));
    CHECK(bytes(1000, 256) > bytes(1000, 128));
    options.gates = 128;
    CHECK(estimate_memory<double>(1000, 100, 10, options, 4).bytes > bytes(1000, 128));
    CHECK(bytes(100'000'000, 1024) > std::size_t{100'000'000} * 100);
  }

  TEST_CASE("the machine has memory") { CHECK(available_memory() > 1'000'000); }
}
