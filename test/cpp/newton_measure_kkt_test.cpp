// The systems that the choice of a linear solver is measured on are what they say they are.
#include <doctest/doctest.h>

#include "newton/linear/measure_kkt.hpp"
#include "test_support.hpp"

extern "C" void dsyev_(const char* job, const char* triangle, const int* n, double* a,
                       const int* lda, double* w, double* work, const int* lwork, int* info);

using namespace secondorder;
using namespace secondorder::test;
using newton::KktSpectrum;
using newton::LinearSolver;

TEST_CASE("Random Hessians have the spectrum asked for, and no structure") {
  ThreadPool pool(2);
  for (const std::size_t n : {1U, 5U, 64U, 100U}) {
    for (const KktSpectrum spectrum : {KktSpectrum::clustered, KktSpectrum::outlying,
                                       KktSpectrum::decaying, KktSpectrum::spread}) {
      std::vector<double> h = newton::random_hessian(n, spectrum, 4, pool);
      std::size_t zeros = 0;
      for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n; ++j) {
          CHECK(h[i * n + j] == doctest::Approx(h[j * n + i]).epsilon(1e-9));
          zeros += h[i * n + j] == 0 ? 1 : 0;
        }
      }
      CHECK((n < 64 || zeros == 0));
      const int order = static_cast<int>(n), work_size = 10 * order;
      std::vector<double> values(n), work(10 * n);
      int info = 0;
      dsyev_("N", "U", &order, h.data(), &order, values.data(), work.data(), &work_size, &info);
      REQUIRE(info == 0);
      const double largest = values.back(), smallest = values.front();
      const auto outliers =
          std::count_if(values.begin(), values.end(), [](double value) { return value > 9e3; });
      switch (spectrum) {
        case KktSpectrum::clustered:
          CHECK(largest <= 10.000001);
          CHECK(smallest >= 0.999999);
          break;
        case KktSpectrum::outlying:
          CHECK(outliers == static_cast<long>(n >= 60 ? n / 20 : std::min<std::size_t>(n, 3)));
          CHECK(largest == doctest::Approx(1e6));
          break;
        case KktSpectrum::decaying:
          CHECK(largest == doctest::Approx(1e4 + 1e-2));
          break;
        case KktSpectrum::spread:
          CHECK(largest == doctest::Approx(1e6));
          CHECK((n == 1 || smallest == doctest::Approx(1)));
          break;
      }
    }
  }
}

TEST_CASE("Solvers are timed on the same system, and judged by a residual computed apart") {
  ThreadPool pool(1);
  newton::KktExperiment experiment;
  experiment.order = 120;
  experiment.right_sides = 2;
  experiment.options.max_steps = 400;
  experiment.solvers = {LinearSolver::ldl, LinearSolver::nystrom_minres, LinearSolver::kaczmarz};
  const auto timings = newton::measure_kkt(experiment, pool);
  REQUIRE(timings.size() == 3);
  CHECK(timings[0].solver == "dense-ldl");
  CHECK(timings[0].reached);
  CHECK(timings[0].residual < 1e-6);
  CHECK(timings[1].reached);
  CHECK_FALSE(timings[2].reached);  // 400 rows don't do it
  CHECK(timings[2].steps == 800);
  for (const auto& timing : timings) CHECK(timing.prepare_seconds + timing.solve_seconds > 0);
}
