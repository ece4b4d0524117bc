// Large sparse problems: seconds, and memory linear in the non-zeros.
#include <doctest/doctest.h>

#include <fstream>
#include <string>

#include "newton_chain.hpp"

namespace secondorder::test {
namespace {

using newton::HessianForm;
using newton::Result;
using newton::Status;

/// The largest resident set since forget_peak(), in bytes; 0 where the system doesn't tell.
double peak_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    double kilobytes = 0;
    if (word == "VmHWM:" && status >> kilobytes) return kilobytes * 1024;
  }
  return 0;
}
bool forget_peak() {
#if defined(__SANITIZE_ADDRESS__)
  return false;  // every allocation is padded
#endif
  std::ofstream file("/proc/self/clear_refs");
  return static_cast<bool>(file << 5 << std::flush);
}

TEST_CASE("a chain of 100,000 variables is solved in seconds, in little memory") {
  const bool measured = forget_peak();
  const double before = peak_bytes();
  Chain problem(100000);
  const std::vector<double> x0(100000, 0.2);
  const Result result = solve(problem, x0);
  CAPTURE(result.message);
  CHECK(result.status == Status::converged);
  CHECK(result.linear.solver == "sparse-ldl");
  CHECK(result.iterations <= 15);
  CHECK(result.seconds < 20);
  // 450,000 non-zeros of K; every one is stored some ten times over, as indices and values.
  if (measured) CHECK(peak_bytes() - before < 450000 * 400.0);
}

TEST_CASE("limited-memory BFGS on a long chain") {
  Chain problem(4000, HessianForm::none);
  const std::vector<double> x0(4000, 0.2);
  const Result result = solve(problem, x0);
  CAPTURE(result.message);
  CHECK(result.status == Status::converged);
  CHECK(result.evaluations.hessian == 0);
}

}  // namespace
}  // namespace secondorder::test
