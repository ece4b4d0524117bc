// Parameters in groups, losses over rows, transfers and memory of the algebra.
#include <doctest/doctest.h>

#include <tuple>

#include "algebra/loss.hpp"
#include "base/error.hpp"
#include "base/run_control.hpp"
#include "test_support.hpp"

using namespace secondorder;
using namespace secondorder::test;

namespace {

/// AddressSanitizer ends the process where malloc would return null.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool allocator_aborts = true;
#else
constexpr bool allocator_aborts = false;
#endif

template <class Real>
std::vector<Wide> wide_norms(const std::vector<Wide>& values, std::size_t group_size) {
  std::vector<Wide> norms;
  for (std::size_t first = 0; group_size > 0 && first < values.size(); first += group_size) {
    Wide squares = 0;
    for (std::size_t j = 0; j < group_size; ++j) squares += values[first + j] * values[first + j];
    norms.push_back(std::sqrt(squares));
  }
  return norms;
}

}  // namespace

TEST_SUITE("algebra") {
  TEST_CASE_TEMPLATE("group threshold, norms and relaxation", Real, float, double) {
    for (const std::string& table : kernel_names()) {
      CpuAlgebra<Real> algebra(2, *kernels_named<Real>(table.c_str()));
      Random random(1);
      for (const std::size_t groups : {0U, 1U, 5U, 65U, 3000U}) {
        for (const std::size_t group : {1U, 2U, 3U, 10U}) {
          for (const std::size_t cols : {1U, 7U, 33U}) {
            if (groups * group * cols > 100000) continue;
            CAPTURE(table);
            CAPTURE(groups);
            CAPTURE(group);
            CAPTURE(cols);
            const std::size_t rows = groups * group;
            auto p = Matrix<Real>::normal(rows, cols, random, 1);
            if (groups > 1) {  // a group that is all zero, and one far above the threshold
              for (std::size_t j = 0; j < group * cols; ++j) p(j / cols, j % cols) = 0;
              for (std::size_t j = 0; j < cols; ++j) p(group, j) = 1000;
            }
            const auto g = Matrix<Real>::normal(rows, cols, random, 2);
            const auto scale = Matrix<Real>::normal(1, cols, random);
            const auto threshold = static_cast<Real>(std::sqrt(group * cols));
            std::vector<Wide> values, want_v, want_b, want_plain, multiplied;
            for (const Real value : p.flat()) values.push_back(value);
            const std::vector<Wide> norms = wide_norms<Real>(values, group * cols);
            for (std::size_t i = 0; i < rows; ++i) {
              const Wide norm = norms[i / group];
              const Wide shrink = norm > threshold ? 1 - threshold / norm : 0;
              for (std::size_t j = 0; j < cols; ++j) {
                const Wide v = shrink * p(i, j), rest = 2 * v - p(i, j);
                want_v.push_back(v);
                want_plain.push_back(scale(0, j) * rest);
                want_b.push_back(scale(0, j) * (rest + 3 * static_cast<Wide>(g(i, j))));
                multiplied.push_back(-static_cast<Wide>(p(i, j)) - Wide(0.5) * g(i, j));
              }
            }
            Matrix<Real> v(rows, cols, 3), b(rows, cols), plain(rows, cols);
            algebra.group_threshold(p, group, threshold, g, 3, scale, v, b);
            CHECK(error(v, want_v) < rounding<Real>);
            CHECK(error(b, want_b) < rounding<Real>);
            CHECK(v.padding_untouched());
            algebra.group_threshold(p, group, threshold, {}, 3, scale, v, plain);
            CHECK(error(plain, want_plain) < rounding<Real>);

            std::vector<double> got(groups), dual(groups), without(groups);
            algebra.group_norms(p, group, got);
            CHECK(error(got, norms) < rounding<double>);
            algebra.dual_norms(p, -1, g, Real(0.5), group, dual);
            CHECK(error(dual, wide_norms<Real>(multiplied, group * cols)) < rounding<double>);
            algebra.dual_norms(p, -1, {}, Real(0.5), group, without);
            CHECK(error(without, norms) < rounding<double>);

            std::vector<Wide> want_u, want_p;
            for (std::size_t i = 0; i < rows; ++i) {
              for (std::size_t j = 0; j < cols; ++j) {
                const Wide u = static_cast<Wide>(b(i, j)) - g(i, j);
                want_u.push_back(u);
                want_p.push_back(p(i, j) + Wide(1.5) * (u - v(i, j)));
              }
            }
            algebra.relax(g, -1, v, Real(1.5), b, p);
            CHECK(error(b, want_u) < rounding<Real>);
            CHECK(error(p, want_p) < rounding<Real>);
          }
        }
      }
    }
  }

  TEST_CASE_TEMPLATE("a group within the threshold becomes exactly zero", Real, float, double) {
    CpuAlgebra<Real> algebra(1);
    Matrix<Real> p(2, 2), v(2, 2), b(2, 2), scale(1, 2);
    p(0, 0) = 3, p(0, 1) = 4, p(1, 0) = 0, p(1, 1) = 0;
    scale(0, 0) = scale(0, 1) = 1;
    algebra.group_threshold(p, 2, 5, {}, 0, scale, v, b);
    CHECK(v.flat() == std::vector<Real>(4, 0));
    CHECK(b.flat() == std::vector<Real>{-3, -4, 0, 0});
    algebra.group_threshold(p, 2, 0, {}, 0, scale, v, b);
    CHECK(v.flat() == p.flat());
  }

  TEST_CASE_TEMPLATE("gates to columns and back", Real, float, double) {
    CpuAlgebra<Real> algebra(2);
    Random random(2);
    for (const std::size_t gates : {0U, 1U, 5U, 65U}) {
      for (const std::size_t outputs : {1U, 2U, 3U, 10U}) {
        for (const std::size_t r : {1U, 4U, 70U}) {
          const auto u = Matrix<Real>::normal(gates * outputs, r, random);
          Matrix<Real> columns(gates * r, outputs, 1), back(gates * outputs, r);
          algebra.gates_to_columns(u, columns);
          bool same = true;
          for (std::size_t i = 0; i < gates; ++i) {
            for (std::size_t o = 0; o < outputs; ++o) {
              for (std::size_t j = 0; j < r; ++j) {
                same = same && columns(i * r + j, o) == u(i * outputs + o, j);
              }
            }
          }
          CHECK(same);
          CHECK(columns.padding_untouched());
          algebra.columns_to_gates(columns, back);
          CHECK(identical(back.flat(), u.flat()));
        }
      }
    }
  }

  TEST_CASE_TEMPLATE("loss sums and proximal points follow the loss of each row", Real, float,
                     double) {
    CpuAlgebra<Real> algebra(2);
    Random random(3);
    for (const Loss loss : {Loss::squared, Loss::logistic, Loss::hinge, Loss::softmax}) {
      for (const std::size_t rows : {0U, 1U, 7U, 1500U}) {
        for (const std::size_t c : {1U, 3U}) {
          for (const bool weighted : {false, true}) {
            CAPTURE(static_cast<int>(loss));
            CAPTURE(rows);
            CAPTURE(c);
            const auto q = Matrix<Real>::normal(rows, c, random, 1);
            Matrix<Real> y(rows, c), weights(rows, 1), z(rows, c), a(rows, c);
            for (std::size_t k = 0; k < rows; ++k) {
              for (std::size_t o = 0; o < c; ++o) y(k, o) = static_cast<Real>(random.label());
              if (loss == Loss::softmax) {
                for (std::size_t o = 0; o < c; ++o) y(k, o) = o == k % c ? 1 : 0;
              }
              weights(k, 0) = static_cast<Real>(0.5 + random.uniform());
            }
            const ConstView<Real> w = weighted ? ConstView<Real>(weights) : ConstView<Real>{};
            algebra.loss_prox(loss, q, y, w, Real(0.75), z, a);
            Wide sum = 0;
            std::vector<Real> want, reflected;
            std::vector<double> work(2 * c);
            const std::vector<Real> from = q.flat();
            for (std::size_t k = 0; k < rows; ++k) {
              const double weight = weighted ? static_cast<double>(weights(k, 0)) : 1;
              std::vector<Real> row(c);
              losses::prox(loss, &from[k * c], &y(k, 0), Real(0.75) / weight, c, row.data(),
                           work.data());
              sum += weight * losses::value(loss, &z(k, 0), &y(k, 0), c);
              for (std::size_t o = 0; o < c; ++o) {
                want.push_back(row[o]);
                reflected.push_back(2 * row[o] - q(k, o));
              }
            }
            CHECK(error(z.flat(), want) < rounding<Real>);
            CHECK(error(a.flat(), reflected) < rounding<Real>);
            CHECK(error(std::vector{algebra.loss_value(loss, z, y, w)}, std::vector{sum}) <
                  rounding<double>);
          }
        }
      }
    }
  }

  TEST_CASE_TEMPLATE("the same bits for 1, 2 and 3 threads", Real, float, double) {
    std::vector<std::vector<double>> results;
    for (const int threads : {1, 2, 3}) {
      CpuAlgebra<Real> algebra(threads);
      Random random(4);
      const auto p = Matrix<Real>::normal(6000, 20, random);
      const auto scale = Matrix<Real>::normal(1, 20, random);
      auto y = Matrix<Real>::normal(6000, 20, random);
      for (std::size_t k = 0; k < 6000; ++k) {
        for (std::size_t o = 0; o < 20; ++o) y(k, o) = y(k, o) > 0 ? 1 : -1;
      }
      Matrix<Real> v(6000, 20), b(6000, 20), z(6000, 20), a(6000, 20);
      algebra.group_threshold(p, 3, 4, p, 2, scale, v, b);
      std::vector<double> all(2000);
      algebra.group_norms(v, 3, all);
      algebra.loss_prox(Loss::logistic, p, y, {}, 2, z, a);
      all.push_back(algebra.loss_value(Loss::logistic, z, y, {}));
      all.push_back(algebra.dot(b, a));
      results.push_back(std::move(all));
    }
    CHECK(identical(results[0], results[1]));
    CHECK(identical(results[0], results[2]));
  }

  TEST_CASE("transfers keep every value, arenas every matrix apart") {
    CpuAlgebra<float> algebra(1);
    Arena plan;
    const auto lay_out = [](Arena& arena) {
      return std::tuple{arena.matrix<float>(3, 5), arena.gate_bits(3, 70),
                        arena.matrix<double>(0, 4), arena.matrix<double>(2, 2)};
    };
    lay_out(plan);
    CHECK(plan.counting());
    CHECK(plan.bytes() > 0);
    Arena arena(algebra.allocate(plan.bytes()), plan.bytes());
    auto [a, bits, empty, b] = lay_out(arena);
    CHECK(arena.bytes() == plan.bytes());
    CHECK_FALSE(arena.counting());
    CHECK(empty.size() == 0);
    for (const void* address :
         {static_cast<void*>(a.data), static_cast<void*>(bits.words), static_cast<void*>(b.data)}) {
      CHECK(reinterpret_cast<std::uintptr_t>(address) % 256 == 0);
    }
    std::vector<float> values;
    for (int i = 0; i < 15; ++i) values.push_back(static_cast<float>(i) / 7);
    const std::vector<std::uint64_t> words{1, 2, 3, 4, 5, 6};
    algebra.upload(values, a);
    algebra.upload(words, bits);
    b.row(1)[1] = 8;
    std::vector<float> back(15);
    algebra.download(a, back);
    CHECK(back == values);
    CHECK(std::equal(words.begin(), words.end(), bits.words));
    CHECK(bits.test(0, 0));
    CHECK(bits.test(0, 65));
    CHECK_FALSE(bits.test(0, 1));
    try {
      arena.matrix<double>(1, 1);
      FAIL("the arena grew");
    } catch (const Error& e) {
      CHECK(e.code == ErrorCode::internal);
    }
  }

  TEST_CASE("memory that no machine has is refused with a typed error" *
            doctest::skip(allocator_aborts)) {
    CpuAlgebra<double> algebra(1);
    try {
      algebra.allocate(std::size_t{1} << 62);
      FAIL("4 exbibytes were granted");
    } catch (const Error& e) {
      CHECK(e.code == ErrorCode::out_of_memory);
      CHECK(name(e.code) == "ERR_OUT_OF_MEMORY");
    }
  }

  TEST_CASE("operations of a cancelled run stop, and work again when no longer watched") {
    CpuAlgebra<double> algebra(2);
    RunControl control;
    algebra.watch(&control);
    Matrix<double> a(2000, 200);
    algebra.fill(a, 1);
    control.cancel();
    CHECK_THROWS_AS(algebra.fill(a, 2), Cancelled);
    algebra.watch(nullptr);
    algebra.fill(a, 3);
    CHECK(a(1999, 199) == 3);
  }
}
