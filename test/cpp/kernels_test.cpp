// Every kernel of every instruction set against its definition, on lengths around whole vectors.
#include "algebra/cpu/kernels.hpp"

#include <doctest/doctest.h>

#include <functional>

#include "algebra/cpu/bit_transpose.hpp"
#include "test_support.hpp"

using namespace secondorder;
using namespace secondorder::test;

namespace {

constexpr std::size_t lengths[] = {0, 1, 3, 7, 8, 15, 16, 17, 31, 63, 64, 65, 127, 200, 513};
constexpr std::size_t gate_counts[] = {0, 1, 4, 31, 32, 33, 63, 64, 65, 96, 127, 128, 200};

/// One NaN behind the values, which must stay.
template <class Real>
std::vector<Real> guarded(std::size_t count, Random& random) {
  std::vector<Real> values;
  for (std::size_t j = 0; j < count; ++j) values.push_back(static_cast<Real>(random.normal()));
  if (count > 2) values[count / 2] = 0;
  values.push_back(std::numeric_limits<Real>::quiet_NaN());
  return values;
}

template <class Real>
std::vector<Real> mask_of(std::size_t count, Random& random) {
  std::vector<Real> mask;
  for (std::size_t j = 0; j < count; ++j) mask.push_back(static_cast<Real>(random.below(2)));
  return mask;
}

/// The values before the guard, which is checked.
template <class Real>
std::vector<Real> body(std::vector<Real> values) {
  CHECK(std::isnan(values.back()));
  values.pop_back();
  return values;
}

template <class Real>
void each_table(const std::function<void(const Kernels<Real>&)>& check) {
  for (const std::string& name : kernel_names()) {
    const Kernels<Real>* table = kernels_named<Real>(name.c_str());
    REQUIRE(table != nullptr);
    CHECK(table->name == name);
    CAPTURE(name);
    check(*table);
  }
}

Wide relu(Wide x) { return x > 0 ? x : 0; }

}  // namespace

TEST_SUITE("kernels") {
  TEST_CASE("tables: portable always, unknown names never, the best one last") {
    CHECK(kernels_named<float>("portable") != nullptr);
    CHECK(kernels_named<double>("portable") != nullptr);
    CHECK(kernels_named<float>("sse9") == nullptr);
    CHECK(kernels<float>().name == kernel_names().back());
    CHECK(kernels<double>().name == kernel_names().back());
  }

  TEST_CASE_TEMPLATE("masks and cone rows", Real, float, double) {
    each_table<Real>([](const Kernels<Real>& table) {
      Random random(1);
      for (const std::size_t gates : gate_counts) {
        for (const std::size_t repeat : {1U, 2U, 3U, 10U}) {
          Bits bits(1, gates, random);
          std::vector<Real> mask(gates * repeat + 1, std::numeric_limits<Real>::quiet_NaN());
          table.expand_mask(bits.view().words, gates, repeat, mask.data());
          std::vector<Wide> want;
          for (std::size_t j = 0; j < gates * repeat; ++j) want.push_back(bits.d(0, j / repeat));
          CHECK(error(body(mask), want) == 0);
        }
      }
      for (const std::size_t count : lengths) {
        CAPTURE(count);
        const std::vector<Real> q = guarded<Real>(count, random), w = guarded<Real>(count, random);
        const std::vector<Real> mask = mask_of<Real>(count, random);
        std::vector<Real> magnitude = guarded<Real>(count, random), multiplier = magnitude;
        std::vector<Real> relaxed = q;
        table.signed_magnitude(mask.data(), q.data(), count, magnitude.data());
        table.signed_multiplier(mask.data(), q.data(), count, multiplier.data());
        table.cone_relax(mask.data(), w.data(), Real(1.75), count, relaxed.data());
        double violation = 2, total = 3;
        const double sum = table.network_row(mask.data(), w.data(), count, &violation, &total);
        std::vector<Wide> want_magnitude, want_multiplier, want_relaxed;
        Wide want_sum = 0, want_violation = 2, want_total = 3;
        for (std::size_t j = 0; j < count; ++j) {
          const Wide e = 2 * static_cast<Wide>(mask[j]) - 1;
          want_magnitude.push_back(e * std::abs(q[j]));
          want_multiplier.push_back(e * relu(-q[j]));
          want_relaxed.push_back(q[j] + Wide(1.75) * (e * w[j] - relu(q[j])));
          want_sum += relu(w[j]);
          want_violation += relu(-e * w[j]) * relu(-e * w[j]);
          want_total += static_cast<Wide>(w[j]) * w[j];
        }
        CHECK(error(body(magnitude), want_magnitude) == 0);
        CHECK(error(body(multiplier), want_multiplier) == 0);
        CHECK(error(body(relaxed), want_relaxed) < rounding<Real>);
        CHECK(error(std::vector{sum, violation, total},
                    std::vector{want_sum, want_violation, want_total}) < rounding<Real>);
      }
    });
  }

  TEST_CASE_TEMPLATE("vectors", Real, float, double) {
    each_table<Real>([](const Kernels<Real>& table) {
      Random random(2);
      for (const std::size_t count : lengths) {
        CAPTURE(count);
        const std::vector<Real> a = guarded<Real>(count, random), b = guarded<Real>(count, random),
                                g = guarded<Real>(count, random),
                                scale = guarded<Real>(count, random);
        Wide product = 0;
        std::vector<Wide> want_copy, want_v, want_b, want_plain, want_u, want_p;
        for (std::size_t j = 0; j < count; ++j) {
          const Wide p = a[j], shrunk = Wide(0.25) * p;
          product += p * b[j];
          want_copy.push_back(-3 * p);
          want_v.push_back(shrunk);
          want_b.push_back(scale[j] * (2 * shrunk - p + 3 * static_cast<Wide>(g[j])));
          want_plain.push_back(scale[j] * (2 * shrunk - p));
          want_u.push_back(static_cast<Wide>(b[j]) - g[j]);
          want_p.push_back(p + Wide(1.5) * (static_cast<Wide>(b[j]) - g[j] - scale[j]));
        }
        CHECK(error(std::vector{table.dot(a.data(), b.data(), count)}, std::vector{product}) <
              rounding<Real>);
        CHECK(error(std::vector{table.dot_double(a.data(), b.data(), count)},
                    std::vector{product}) < rounding<double>);
        std::vector<Real> copy = guarded<Real>(count, random), v = copy, out = copy, plain = copy;
        table.scaled_copy(-3, a.data(), count, copy.data());
        CHECK(error(body(copy), want_copy) < rounding<Real>);
        table.reflect(a.data(), Real(0.25), g.data(), 3, scale.data(), count, v.data(), out.data());
        CHECK(error(body(v), want_v) == 0);
        CHECK(error(body(out), want_b) < rounding<Real>);
        table.reflect(a.data(), Real(0.25), nullptr, 3, scale.data(), count, v.data(),
                      plain.data());
        CHECK(error(body(plain), want_plain) < rounding<Real>);
        std::vector<Real> u = b, p = a;
        table.relax(g.data(), -1, scale.data(), Real(1.5), count, u.data(), p.data());
        CHECK(error(body(u), want_u) < rounding<Real>);
        CHECK(error(body(p), want_p) < rounding<Real>);
      }
    });
  }

  TEST_CASE_TEMPLATE("products with gate tables", Real, float, double) {
    each_table<Real>([](const Kernels<Real>& table) {
      Random random(3);
      for (const std::size_t gates : gate_counts) {
        for (const std::size_t columns : {1U, 5U, 16U, 32U, 63U, 64U, 65U, 130U}) {
          const std::size_t rows = random.below(6) * random.below(20);
          CAPTURE(gates);
          CAPTURE(columns);
          CAPTURE(rows);
          constexpr std::size_t width = panel_width<Real>;
          const std::size_t padded = (columns + width - 1) / width * width;
          Bits bits(rows, gates, random);
          const auto w = Matrix<Real>::normal(gates, columns, random, 3);
          const auto start = Matrix<Real>::normal(rows, padded, random, 1);
          for (const bool accumulate : {false, true}) {
            CAPTURE(accumulate);
            Matrix<Real> t = start;
            table.gate_product(bits, ConstView<Real>(w).data, columns + 3, columns, accumulate,
                               t.view().data, padded + 1);
            std::vector<Wide> want(rows * padded);
            for (std::size_t k = 0; k < rows; ++k) {
              for (std::size_t j = 0; accumulate && j < padded; ++j) {
                want[k * padded + j] = start(k, j);
              }
              for (std::size_t i = 0; i < gates; ++i) {
                for (std::size_t j = 0; j < columns; ++j) {
                  want[k * padded + j] += bits.d(k, i) * w(i, j);
                }
              }
            }
            // Without gates there is no word to write for: t stays as it was.
            if (gates > 0) CHECK(error(t, want) < rounding<Real>);
            CHECK(t.padding_untouched());
          }
        }
      }
    });
  }

  TEST_CASE("transposed bits") {
    Random random(5);
    for (const std::size_t rows : {0U, 1U, 63U, 64U, 65U, 130U}) {
      for (const std::size_t gates : {0U, 1U, 63U, 64U, 65U, 200U}) {
        CAPTURE(rows);
        CAPTURE(gates);
        Bits from(rows, gates, random);
        std::vector<std::uint64_t> words(gates * GateBits::words_per_row(rows), ~std::uint64_t{0});
        const GateBits out{words.data(), gates, rows};
        transpose_bits(from, out);
        std::size_t wrong = 0;
        for (std::size_t i = 0; i < gates; ++i) {
          for (std::size_t k = 0; k < rows; ++k) {
            wrong += out.test(i, k) != from.view().test(k, i) ? 1 : 0;
          }
          if (rows % 64 != 0) wrong += (out.row(i)[rows / 64] >> (rows % 64)) != 0 ? 1 : 0;
        }
        CHECK(wrong == 0);
      }
    }
  }

  TEST_CASE_TEMPLATE("overlaps of patterns", Real, float, double) {
    each_table<Real>([](const Kernels<Real>& table) {
      Random random(4);
      for (const std::size_t gates : gate_counts) {
        Bits bits(9, gates, random);
        for (const std::size_t count : {0U, 1U, 9U}) {
          std::vector<Real> m = guarded<Real>(count, random);
          std::vector<Wide> want;
          for (std::size_t l = 0; l < count; ++l) {
            Wide open = 0;
            for (std::size_t i = 0; i < gates; ++i) open += bits.d(4, i) * bits.d(l, i);
            want.push_back(2 * static_cast<Wide>(m[l]) * open);
          }
          table.gate_overlap(bits.view().row(4), bits, count, 2, m.data());
          CHECK(error(body(m), want) < rounding<Real>);
        }
      }
    });
  }
}
