#include "convex_relu/scp_directions.hpp"

#include <algorithm>
#include <cmath>

#include "algebra/philox.hpp"

namespace secondorder::convex_relu {

namespace {

/// Of the seed, beside those of the gates and of refinement.
constexpr std::uint64_t direction_stream = 40;

/// Multiplications that a random normal number costs, about.
constexpr std::size_t normal_cost = 64;

void normalize(double* row, std::size_t count) {
  double squares = 0;
  for (std::size_t j = 0; j < count; ++j) squares += row[j] * row[j];
  const double length = std::sqrt(squares);
  for (std::size_t j = 0; j < count && length > 0; ++j) row[j] /= length;
}

}  // namespace

std::vector<double> draw_directions(std::uint64_t seed, std::size_t first, std::size_t count,
                                    std::size_t features, HostAlgebra& host) {
  const Philox random(seed, direction_stream);
  std::vector<double> rows(count * features);
  host.for_rows(count, normal_cost * features, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      double* row = rows.data() + i * features;
      for (std::size_t j = 0; j < features; ++j) row[j] = random.normal((first + i) * features + j);
      normalize(row, features);
    }
  });
  return rows;
}

std::vector<double> program_directions(const Gates& given, const DrawnDirections& drawn,
                                       const Preprocessing& preprocessing, HostAlgebra& host) {
  const std::size_t f = preprocessing.features();
  std::vector<double> rows = gate_weights(given, preprocessing);
  for (std::size_t i = 0; i < given.count; ++i) normalize(rows.data() + i * f, f);
  const std::vector<double> more = draw_directions(drawn.seed, 0, drawn.count, f, host);
  rows.insert(rows.end(), more.begin(), more.end());
  return rows;
}

void for_each_activations(
    const std::vector<double>& directions, const DataView& data, const Preprocessing& preprocessing,
    HostAlgebra& host, FunctionRef<void(std::size_t first, ConstView<double> activations)> body) {
  const std::size_t f = preprocessing.features(), count = directions.size() / f;
  const std::size_t block = std::min(activation_block, data.rows);
  std::vector<double> products(count * block), features(block * f);
  for_each_block(data, preprocessing, host, [&](std::size_t first, ConstView<double> s) {
    for (std::size_t start = 0; start < s.rows; start += block) {
      const std::size_t rows = std::min(block, s.rows - start);
      const View<double> z(features.data(), rows, f);
      const View<double> activations(products.data(), count, rows);
      preprocessing.features_of(s.block(start, rows), host, z);
      host.multiply(1, {directions.data(), count, f}, Transpose::no, z, Transpose::yes, 0,
                    activations);
      host.rectify(activations);
      body(first + start, activations);
    }
  });
}

std::vector<double> direction_prices(const std::vector<double>& directions,
                                     const std::vector<double>& nu, std::size_t outputs,
                                     const DataView& data, const Preprocessing& preprocessing,
                                     HostAlgebra& host) {
  const std::size_t count = directions.size() / preprocessing.features();
  std::vector<double> sums(count * outputs), prices(count);
  for_each_activations(directions, data, preprocessing, host,
                       [&](std::size_t first, ConstView<double> activations) {
                         host.multiply(1, activations, Transpose::no,
                                       {nu.data() + first * outputs, activations.cols, outputs},
                                       Transpose::no, 1, {sums.data(), count, outputs});
                       });
  host.group_norms({sums.data(), count, outputs}, 1, prices);
  return prices;
}

}  // namespace secondorder::convex_relu
