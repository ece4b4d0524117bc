// What can't fit into memory is refused before it is begun, by the name of what asks for it.
#include <doctest/doctest.h>

#include <limits>
#include <string>

#include "base/thread_pool.hpp"
#include "newton/finite_difference.hpp"
#include "newton/minimize.hpp"
#include "newton/problems/pde_control.hpp"
#include "newton/require_memory.hpp"
#include "newton/scaled_problem.hpp"
#include "newton_problems.hpp"

namespace secondorder::test {
namespace {

using namespace newton;

template <class Body>
std::string refused(const Body& body) {
  try {
    body();
  } catch (const Error& error) {
    CHECK(error.code == ErrorCode::out_of_memory);
    CHECK(std::string(error.what()).find(" GB there are") != std::string::npos);
    return error.argument;
  }
  return "nothing";
}

/// As many variables and constraints as indices can name.
class Huge final : public Problem {
 public:
  explicit Huge(std::size_t constraints = size) : constraints_(constraints) {}
  std::size_t variables() const override { return size; }
  std::size_t constraints() const override { return constraints_; }
  HessianForm hessian_form() const override { return HessianForm::none; }
  double objective(std::span<const double> /*x*/) override { return 0; }
  void gradient(std::span<const double> /*x*/, std::span<double> /*out*/) override {}

 private:
  static constexpr std::size_t size = std::numeric_limits<std::int32_t>::max();
  std::size_t constraints_;
};

TEST_CASE("memory that isn't there is refused") {
  CHECK(refused([] { require_memory(1e18, "this", "that"); }) == "that");
  CHECK(refused([] { require_memory(1e6, "this", "that"); }) == "nothing");
  CHECK(refused([] { PdeControl({.grid = 16000}); }) == "grid");
  CHECK(refused([] { SparseSymmetric::dense(1000000); }) == "hessian");
}

TEST_CASE("a problem too large is refused, and a Jacobian by differences without a structure") {
  Huge problem;
  CHECK(refused([&] {
          FiniteDifferences(problem, {false, true}, Difference::central);
        }) == "jacobian");
  CHECK(refused([&] { const ScaledProblem scaled(problem); }) == "variables");
}

}  // namespace
}  // namespace secondorder::test
