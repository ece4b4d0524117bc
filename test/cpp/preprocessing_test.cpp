// From raw samples to features, against naive definitions.
#include "convex_relu/preprocessing.hpp"

#include <doctest/doctest.h>

#include "base/error.hpp"
#include "base/run_control.hpp"
#include "convex_relu/program.hpp"
#include "convex_relu/symmetric_eigen.hpp"
#include "sample_data.hpp"

using namespace secondorder;
using namespace secondorder::convex_relu;
using namespace secondorder::test;

namespace {

/// Columns of different spread far from 0, a third of the values 0.
struct Data : SampleData {
  Data(std::size_t n, std::size_t d, Random& random)
      : SampleData(n, d, random, [](Random& r, std::size_t column) {
          return r.below(3) == 0 ? 0 : 5 + static_cast<double>(column) * r.normal();
        }) {}
};

Options with(Preprocess preprocess, std::size_t components = 0, bool bias = true) {
  Options options;
  options.preprocess = preprocess;
  options.components = components;
  options.bias = bias;
  return options;
}

/// s and z of all rows.
std::pair<std::vector<double>, std::vector<double>> spaces(const Preprocessing& p,
                                                           const DataView& data) {
  HostAlgebra host(1);
  std::vector<double> s, z;
  for_each_block(data, p, host, [&](std::size_t first, ConstView<double> block) {
    CHECK(first * data.cols == s.size());
    s.insert(s.end(), block.data, block.data + block.size());
    std::vector<double> features(block.rows * p.features());
    p.features_of(block, host, {features.data(), block.rows, p.features()});
    z.insert(z.end(), features.begin(), features.end());
  });
  return {s, z};
}

}  // namespace

TEST_SUITE("preprocessing") {
  TEST_CASE("standardize and unit columns by their definitions, constant columns dropped") {
    Random random(1);
    HostAlgebra host(2);
    for (const std::size_t n : {1U, 2U, 17U, 5000U}) {
      for (const std::size_t d : {1U, 3U, 8U}) {
        CAPTURE(n);
        CAPTURE(d);
        Data data(n, d, random);
        for (std::size_t k = 0; k < n; ++k) {
          data.values[k * d] = 1e8 + 0.1;         // constant, far from 0
          if (d > 2) data.values[k * d + 2] = 0;  // all zero
        }
        for (const Preprocess preprocess :
             {Preprocess::standardize, Preprocess::unit_columns, Preprocess::none}) {
          const Preprocessing p = fit_preprocessing(data.view(), with(preprocess), host);
          const auto [s, z] = spaces(p, data.view());
          std::vector<Wide> want;
          std::vector<Wide> mean(d), squares(d), about(d);
          for (std::size_t i = 0; i < n * d; ++i)
            mean[i % d] += data.values[i] / static_cast<Wide>(n);
          for (std::size_t i = 0; i < n * d; ++i) {
            const Wide value = data.values[i];
            squares[i % d] += value * value;
            about[i % d] += (value - mean[i % d]) * (value - mean[i % d]);
          }
          const double bias =
              preprocess == Preprocess::unit_columns ? 1 / std::sqrt(static_cast<double>(n)) : 1;
          bool biased = true;
          for (std::size_t i = 0; i < n * d; ++i) {
            const std::size_t j = i % d;
            const bool constant = about[j] < 1e-9L;
            Wide value = data.values[i];
            if (preprocess == Preprocess::standardize) {
              value = constant ? 0 : (value - mean[j]) / std::sqrt(about[j] / static_cast<Wide>(n));
            } else if (preprocess == Preprocess::unit_columns) {
              value = squares[j] == 0 ? 0 : value / std::sqrt(squares[j]);
            }
            want.push_back(value);
          }
          CHECK(error(s, want) < 1e-12);
          REQUIRE(p.features() == d + 1);
          for (std::size_t k = 0; k < n; ++k) {
            biased = biased && z[k * (d + 1) + d] == doctest::Approx(bias);
            biased = biased && z[k * (d + 1)] == s[k * d];
          }
          CHECK(biased);
          CHECK(fit_preprocessing(data.view(), with(preprocess, 0, false), host).features() == d);
        }
      }
    }
  }

  TEST_CASE("principal components: orthonormal, uncorrelated, all of the variance, mean norm 1") {
    Random random(2);
    HostAlgebra host(2);
    for (const std::size_t k : {1U, 3U, 6U, 50U}) {
      CAPTURE(k);
      const Data data(400, 6, random);
      const Preprocessing p =
          fit_preprocessing(data.view(), with(Preprocess::standardize, k), host);
      const std::size_t kept = p.kept();
      CHECK(kept == std::min<std::size_t>(k, 6));
      for (std::size_t a = 0; a < kept; ++a) {
        for (std::size_t b = 0; b < kept; ++b) {
          double product = 0;
          for (std::size_t j = 0; j < 6; ++j)
            product += p.components[a * 6 + j] * p.components[b * 6 + j];
          CHECK(product == doctest::Approx(a == b ? 1 : 0).scale(1).epsilon(1e-12));
        }
      }
      const auto [s, z] = spaces(p, data.view());
      std::vector<double> covariance(kept * kept);
      double norm = 0, total = 0;
      for (std::size_t row = 0; row < 400; ++row) {
        for (std::size_t a = 0; a < kept; ++a) {
          norm += z[row * (kept + 1) + a] * z[row * (kept + 1) + a] / 400;
          for (std::size_t b = 0; b < kept; ++b) {
            covariance[a * kept + b] += z[row * (kept + 1) + a] * z[row * (kept + 1) + b] / 400;
          }
        }
      }
      for (const double value : s) total += value * value / 400;
      CHECK(norm == doctest::Approx(1));
      for (std::size_t a = 0; a < kept; ++a) {
        if (a > 0) CHECK(covariance[a * kept + a] <= covariance[(a - 1) * kept + a - 1] + 1e-12);
        for (std::size_t b = 0; b < a; ++b) CHECK(std::abs(covariance[a * kept + b]) < 1e-10);
      }
      if (kept == 6) CHECK(total * p.feature_scale * p.feature_scale == doctest::Approx(1));
      CHECK(p.bias_value == doctest::Approx(0.3));
    }
  }

  TEST_CASE("components of constant data: finite, and zero everywhere") {
    Random random(3);
    HostAlgebra host(1);
    Data data(9, 4, random);
    for (std::size_t i = 0; i < data.values.size(); ++i)
      data.values[i] = static_cast<double>(i % 4);
    for (const Preprocess preprocess :
         {Preprocess::standardize, Preprocess::unit_columns, Preprocess::none}) {
      const Preprocessing p = fit_preprocessing(data.view(), with(preprocess, 2, false), host);
      CHECK(p.kept() == 1);
      for (const double value : spaces(p, data.view()).second) CHECK(value == 0);
    }
  }

  TEST_CASE("sparse data, float data and selected rows are the same data") {
    Random random(4);
    HostAlgebra host(2);
    const Data data(4500, 5, random);
    const SampleData sparse = data.sparse();
    for (const Options& options :
         {with(Preprocess::standardize), with(Preprocess::unit_columns, 3)}) {
      const Preprocessing dense = fit_preprocessing(data.view(), options, host);
      const Preprocessing other = fit_preprocessing(sparse.view(), options, host);
      CHECK(identical(dense.mean, other.mean));
      CHECK(identical(dense.scale, other.scale));
      CHECK(identical(dense.components, other.components));
      CHECK(identical(spaces(dense, data.view()).second, spaces(other, sparse.view()).second));

      const std::vector<std::size_t> rows{7, 0, 4499, 7};
      DataView selected = sparse.view();
      selected.selected = rows;
      selected.rows = rows.size();
      const std::vector<double> all = spaces(dense, data.view()).first,
                                some = spaces(dense, selected).first;
      for (std::size_t k = 0; k < rows.size(); ++k) {
        for (std::size_t j = 0; j < 5; ++j) CHECK(some[k * 5 + j] == all[rows[k] * 5 + j]);
      }
    }
    const std::vector<float> narrow(data.values.begin(), data.values.end());
    DataView view;
    view.values32 = narrow;
    view.rows = data.rows;
    view.cols = data.cols;
    std::vector<double> row(5);
    view.read_row(3, row.data());
    for (std::size_t j = 0; j < 5; ++j) CHECK(row[j] == narrow[15 + j]);
  }

  TEST_CASE("symmetric eigenvectors") {
    Random random(5);
    HostAlgebra host(2);
    for (const std::size_t n : {0U, 1U, 2U, 9U, 60U, 64U, 65U, 96U, 97U, 200U}) {
      Matrix<double> a = Matrix<double>::normal(n, n, random, n % 3), vectors = a;
      const std::vector<double> values = symmetric_eigen(vectors, host);
      REQUIRE(values.size() == n);
      for (std::size_t i = 0; i < n; ++i) {
        if (i > 0) CHECK(values[i] >= values[i - 1]);
        double worst = 0;
        for (std::size_t row = 0; row < n; ++row) {
          double sum = 0;
          for (std::size_t j = 0; j < n; ++j) {
            sum += (row >= j ? a(row, j) : a(j, row)) * vectors(i, j);
          }
          worst = std::max(worst, std::abs(sum - values[i] * vectors(i, row)));
        }
        CHECK(worst < 1e-12 * static_cast<double>(n + 1));
      }
      for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j <= i; ++j) {
          double product = 0;
          for (std::size_t l = 0; l < n; ++l) product += vectors(i, l) * vectors(j, l);
          CHECK(std::abs(product - (i == j ? 1 : 0)) < 1e-12);
        }
      }
    }
  }

  TEST_CASE("eigenvectors of matrices of extreme scale, and of none at all") {
    HostAlgebra host(1);
    Random random(7);
    for (const double scale : {1e-200, 1e200}) {
      Matrix<double> a = Matrix<double>::normal(70, 70, random), scaled = a;
      for (std::size_t i = 0; i < 70; ++i) {
        for (std::size_t j = 0; j < 70; ++j) scaled(i, j) = scale * a(i, j);
      }
      const std::vector<double> want = symmetric_eigen(a, host);
      const std::vector<double> got = symmetric_eigen(scaled, host);
      for (std::size_t i = 0; i < 70; ++i) {
        CHECK(got[i] / scale == doctest::Approx(want[i]).scale(1).epsilon(1e-10));
      }
    }
    Matrix<double> overflowed(3, 3);
    host.fill(overflowed, std::numeric_limits<double>::infinity());
    CHECK_THROWS_AS(symmetric_eigen(overflowed, host), Error);
  }

  TEST_CASE("eigenvectors: the same bits for any number of threads, and a stop in between") {
    Random random(8);
    const Matrix<double> a = Matrix<double>::normal(300, 300, random);
    Matrix<double> one = a, three = a;
    HostAlgebra single(1), team(3);
    CHECK(identical(symmetric_eigen(one, single), symmetric_eigen(three, team)));
    CHECK(identical(one.flat(), three.flat()));
    RunControl control;
    control.cancel();
    team.watch(&control);
    Matrix<double> again = a;
    CHECK_THROWS_AS(symmetric_eigen(again, team), Cancelled);
  }

  TEST_CASE("rotation: basis orthonormal on its rank, XᵀX diagonal, mean column norm 1") {
    Random random(6);
    HostAlgebra host(2);
    for (const auto& [n, d] :
         {std::pair<std::size_t, std::size_t>{30, 4}, {5, 12}, {4, 4}, {1, 3}}) {
      CAPTURE(n);
      CAPTURE(d);
      Data data(n, d, random);
      for (std::size_t k = 0; k < n; ++k) data.values[k * d + d - 1] = 2 * data.values[k * d];
      const Preprocessing p =
          fit_preprocessing(data.view(), with(Preprocess::none, 0, false), host);
      std::vector<double> scales;
      for (std::size_t k = 0; k < n; ++k) scales.push_back(0.5 + random.uniform());
      const Rotation rotation = fit_rotation(data.view(), p, scales, host);
      const std::size_t r = rotation.rank();
      CHECK(r <= std::min(n, d - 1));
      std::vector<double> x(n * r), norms(d);
      for (std::size_t k = 0; k < n; ++k) {
        for (std::size_t j = 0; j < d; ++j) {
          const double value = scales[k] * data.values[k * d + j];
          norms[j] += value * value;
          for (std::size_t i = 0; i < r; ++i) {
            x[k * r + i] += value * rotation.basis[j * r + i] / rotation.scale;
          }
        }
      }
      double mean = 0, columns = 0, energy = 0, kept = 0;
      for (const double square : norms) {
        mean += std::sqrt(square);
        columns += square > 0 ? 1 : 0;
        energy += square;
      }
      CHECK(rotation.scale == doctest::Approx(columns > 0 ? mean / columns : 1));
      for (std::size_t a = 0; a < r; ++a) {
        kept += rotation.eigenvalues[a];
        for (std::size_t b = 0; b < r; ++b) {
          double gram = 0, inner = 0;
          for (std::size_t k = 0; k < n; ++k) gram += x[k * r + a] * x[k * r + b];
          for (std::size_t j = 0; j < d; ++j)
            inner += rotation.basis[j * r + a] * rotation.basis[j * r + b];
          CHECK(gram ==
                doctest::Approx(a == b ? rotation.eigenvalues[a] : 0).scale(1).epsilon(1e-9));
          CHECK(inner == doctest::Approx(a == b ? 1 : 0).scale(1).epsilon(1e-8));
        }
      }
      CHECK(kept * rotation.scale * rotation.scale == doctest::Approx(energy));
    }
  }
}
