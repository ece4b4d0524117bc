#include "convex_relu/adversarial_gates.hpp"

#include <algorithm>
#include <cmath>

#include "algebra/philox.hpp"
#include "convex_relu/adversarial_program.hpp"

namespace secondorder::convex_relu {

namespace {

/// Streams of the seed, one for each use.
enum Stream : std::uint64_t { direction_stream = 41, row_stream = 42, threshold_stream = 43 };

/// Directions that are tried for each gate asked for.
constexpr std::size_t tries = 16;
constexpr std::size_t block = 64;

/// Directions over s: normal ones, differences of two samples, single features and mixtures of
/// three, in turn. Few features lie further apart in the 1-norm than many.
std::vector<double> directions(ConstView<double> s, std::uint64_t seed, std::size_t first,
                               std::size_t count) {
  const Philox normal(seed, direction_stream), rows(seed, row_stream);
  const std::size_t d = s.cols;
  std::vector<double> all(count * d);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t draw = first + i;
    double* a = all.data() + i * d;
    if (draw % 4 == 0) {
      for (std::size_t j = 0; j < d; ++j) a[j] = normal.normal(draw * d + j);
    } else if (draw % 4 == 1) {
      const double* one = s.row(rows.below(4 * draw, s.rows));
      const double* other = s.row(rows.below(4 * draw + 1, s.rows));
      for (std::size_t j = 0; j < d; ++j) a[j] = one[j] - other[j];
    } else {
      const std::size_t features = draw % 4 == 2 ? 1 : 3;
      for (std::size_t l = 0; l < features; ++l) {
        a[rows.below(4 * draw + l, d)] += normal.normal(draw * d + l);
      }
    }
  }
  return all;
}

/// The only threshold there is without a bias, where all values keep their distance from it.
std::vector<double> origin(const std::vector<double>& values, double distance) {
  const bool clear = std::all_of(values.begin(), values.end(),
                                 [=](double value) { return std::abs(value) >= distance; });
  return clear ? std::vector<double>{0} : std::vector<double>{};
}

/// Thresholds halfway in the gaps of `values` that are at least `width` wide.
std::vector<double> gaps(std::vector<double>& values, double width) {
  std::sort(values.begin(), values.end());
  std::vector<double> found;
  for (std::size_t k = 1; k < values.size(); ++k) {
    if (values[k] - values[k - 1] >= width) found.push_back(0.5 * (values[k] + values[k - 1]));
  }
  return found;
}

}  // namespace

Gates draw_robust_gates(const DataView& data, const Preprocessing& preprocessing,
                        const Options& options, HostAlgebra& host) {
  const std::size_t d = data.cols, n = data.rows;
  Gates gates{std::vector<double>(d + 1), 1};
  gates.rows.back() = 1;
  if (options.gate_source == GateSource::given) {
    append_gates(data, preprocessing, sample_gates(data, preprocessing, options, host).rows, host,
                 gates);
    return gates;
  }
  std::vector<double> s(n * d), projections(block * n), values(n);
  preprocessing.standardize(data, 0, host, {s.data(), n, d});
  const std::vector<double> radius = feature_radius(preprocessing, *options.epsilon);
  const Philox random(options.seed, threshold_stream);
  for (std::size_t first = 0; first < tries * options.gates; first += block) {
    if (gates.count >= options.gates) break;
    const std::vector<double> a = directions({s.data(), n, d}, options.seed, first, block);
    host.multiply(1, {a.data(), block, d}, Transpose::no, {s.data(), n, d}, Transpose::yes, 0,
                  {projections.data(), block, n});
    std::vector<double> drawn;
    for (std::size_t i = 0; i < block; ++i) {
      host.checkpoint();
      double spread = 0;
      for (std::size_t j = 0; j < d; ++j) spread += radius[j] * std::abs(a[i * d + j]);
      std::copy_n(projections.data() + i * n, n, values.data());
      const std::vector<double> found =
          options.bias ? gaps(values, 2 * spread) : origin(values, spread);
      if (found.empty()) continue;
      const double threshold = found[random.below(2 * (first + i), found.size())];
      const double side = random.uniform(2 * (first + i) + 1) < 0.5 ? -1 : 1;
      for (std::size_t j = 0; j < d; ++j) drawn.push_back(side * a[i * d + j]);
      drawn.push_back(-side * threshold);
    }
    append_gates(data, preprocessing, drawn, host, gates);
  }
  gates.count = std::min(gates.count, options.gates);
  gates.rows.resize(gates.count * (d + 1));
  return gates;
}

}  // namespace secondorder::convex_relu
