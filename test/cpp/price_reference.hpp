// The largest price of a neuron by brute force, and samples on which bounds of it may go wrong.
#pragma once

#include <cmath>
#include <vector>

#include "test_support.hpp"

namespace secondorder::test {

/// ν (n × outputs) over x (n × d).
struct PriceCase {
  std::size_t rows = 0, cols = 0, outputs = 1;
  std::vector<double> x, nu;

  ConstView<double> samples() const { return {x.data(), rows, cols}; }
};

inline PriceCase random_price_case(std::size_t rows, std::size_t cols, std::size_t outputs,
                                   Random& random) {
  PriceCase p{rows, cols, outputs, {}, {}};
  for (std::size_t i = 0; i < rows * cols; ++i) p.x.push_back(random.normal());
  for (std::size_t i = 0; i < rows * outputs; ++i) p.nu.push_back(random.normal());
  return p;
}

/// √Σₒ (Σₖ νₖₒ(xₖᵀu)₊)² at u/‖u‖.
inline Wide price_of(const PriceCase& p, const std::vector<Wide>& u) {
  Wide squares = 0, length = 0;
  for (const Wide entry : u) length += entry * entry;
  if (length == 0) return 0;
  std::vector<Wide> prices(p.outputs);
  for (std::size_t k = 0; k < p.rows; ++k) {
    Wide t = 0;
    for (std::size_t j = 0; j < p.cols; ++j) t += static_cast<Wide>(p.x[k * p.cols + j]) * u[j];
    for (std::size_t o = 0; o < p.outputs && t > 0; ++o) {
      prices[o] += static_cast<Wide>(p.nu[k * p.outputs + o]) * t;
    }
  }
  for (const Wide price : prices) squares += price * price;
  return std::sqrt(squares / length);
}

/// The component of g orthogonal to the chosen samples.
inline std::vector<Wide> orthogonal_to(const PriceCase& p, const std::vector<std::size_t>& chosen,
                                       std::vector<Wide> g) {
  std::vector<std::vector<Wide>> basis;
  const auto project = [&](std::vector<Wide>& a) {
    for (int pass = 0; pass < 2; ++pass) {
      for (const auto& b : basis) {
        Wide along = 0;
        for (std::size_t j = 0; j < p.cols; ++j) along += a[j] * b[j];
        for (std::size_t j = 0; j < p.cols; ++j) a[j] -= along * b[j];
      }
    }
  };
  const auto length = [](const std::vector<Wide>& a) {
    Wide squares = 0;
    for (const Wide entry : a) squares += entry * entry;
    return std::sqrt(squares);
  };
  for (const std::size_t k : chosen) {
    const auto from = p.x.begin() + static_cast<std::ptrdiff_t>(k * p.cols);
    std::vector<Wide> row(from, from + static_cast<std::ptrdiff_t>(p.cols));
    const Wide before = length(row);
    project(row);
    const Wide after = length(row);
    if (after <= 1e-12L * before) continue;
    for (Wide& entry : row) entry /= after;
    basis.push_back(row);
  }
  project(g);
  return g;
}

/// max over unit u, one output, both signs. The maximiser lies in the closure of the cone of some
/// pattern D, on the face where some at most d − 1 independent samples are 0, and is there the
/// direction of Σ Dₖνₖxₖ projected on that face. All patterns (also impossible ones, which do no
/// harm as the price itself is evaluated) and all such sets of samples are gone through.
inline Wide largest_price(const PriceCase& p) {
  Wide most = 0;
  std::vector<std::vector<std::size_t>> faces{{}};
  for (std::size_t first = 0; first < faces.size(); ++first) {
    const std::vector<std::size_t> face = faces[first];
    if (face.size() + 1 >= p.cols) continue;
    for (std::size_t k = face.empty() ? 0 : face.back() + 1; k < p.rows; ++k) {
      faces.push_back(face);
      faces.back().push_back(k);
    }
  }
  for (std::size_t pattern = 0; pattern < std::size_t{1} << p.rows; ++pattern) {
    std::vector<Wide> g(p.cols);
    for (std::size_t k = 0; k < p.rows; ++k) {
      for (std::size_t j = 0; j < p.cols && (pattern >> k & 1U) != 0; ++j) {
        g[j] += static_cast<Wide>(p.nu[k]) * static_cast<Wide>(p.x[k * p.cols + j]);
      }
    }
    for (const auto& face : faces) {
      std::vector<Wide> u = orthogonal_to(p, face, g);
      most = std::max(most, price_of(p, u));
      for (Wide& entry : u) entry = -entry;
      most = std::max(most, price_of(p, u));
    }
  }
  return most;
}

/// The highest price among random directions: no bound may be below it, whatever the size.
inline Wide sampled_price(const PriceCase& p, int directions, Random& random) {
  Wide most = 0;
  std::vector<Wide> u(p.cols);
  for (int i = 0; i < directions; ++i) {
    for (Wide& entry : u) entry = random.normal();
    most = std::max(most, price_of(p, u));
  }
  return most;
}

/// Duplicates, opposite and collinear rows, zeros, constant columns, extreme scales.
inline std::vector<PriceCase> awkward_price_cases(std::size_t rows, std::size_t cols,
                                                  Random& random) {
  std::vector<PriceCase> cases;
  const auto add = [&](auto change) {
    cases.push_back(random_price_case(rows, cols, 1, random));
    change(cases.back());
  };
  const auto row = [cols](PriceCase& p, std::size_t k) { return p.x.data() + k * cols; };
  add([&](PriceCase& p) {  // every row twice, of other dual values
    for (std::size_t k = 1; k < rows; k += 2) std::copy_n(row(p, k - 1), cols, row(p, k));
  });
  add([&](PriceCase& p) {  // multiples and opposites of one row
    for (std::size_t k = 1; k < rows; ++k) {
      for (std::size_t j = 0; j < cols; ++j) {
        row(p, k)[j] = (k % 2 == 0 ? 1.0 : -2.5) * static_cast<double>(k) * row(p, 0)[j];
      }
    }
  });
  add([&](PriceCase& p) {  // rank 1 less
    for (std::size_t k = 0; k < rows; ++k) row(p, k)[cols - 1] = row(p, k)[0];
  });
  add([&](PriceCase& p) {  // zero rows, zero duals
    std::fill_n(row(p, 0), cols, 0);
    std::fill_n(row(p, rows / 2), cols, 0);
    p.nu[1] = 0;
  });
  add([&](PriceCase& p) { std::fill(p.x.begin(), p.x.end(), 0); });
  add([&](PriceCase& p) { std::fill(p.nu.begin(), p.nu.end(), 0); });
  add([&](PriceCase& p) {  // a constant column, integers
    for (std::size_t k = 0; k < rows; ++k) {
      for (std::size_t j = 0; j < cols; ++j) row(p, k)[j] = std::round(row(p, k)[j]);
      row(p, k)[cols - 1] = 1;
    }
  });
  add([&](PriceCase& p) {
    for (double& value : p.nu) value = std::abs(value);
  });
  add([&](PriceCase& p) {
    for (double& value : p.nu) value = -std::abs(value);
  });
  add([&](PriceCase& p) {  // rows of very different lengths
    for (std::size_t k = 0; k < rows; ++k) {
      const double size = std::pow(10.0, static_cast<double>(random.below(13)) - 6);
      for (std::size_t j = 0; j < cols; ++j) row(p, k)[j] *= size;
    }
  });
  for (const double size : {1e-150, 1e-12, 1e12, 1e150}) {
    add([&](PriceCase& p) {
      for (double& value : p.x) value *= size;
      for (double& value : p.nu) value *= std::sqrt(size);
    });
  }
  add([&](PriceCase& p) {  // almost parallel rows, on both sides
    for (std::size_t k = 1; k < rows; ++k) {
      for (std::size_t j = 0; j < cols; ++j) {
        row(p, k)[j] = (k % 2 == 0 ? 1 : -1) * row(p, 0)[j] + 1e-7 * random.normal();
      }
    }
  });
  return cases;
}

}  // namespace secondorder::test
