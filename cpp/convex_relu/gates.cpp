#include "convex_relu/gates.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "algebra/philox.hpp"
#include "base/error.hpp"

namespace secondorder::convex_relu {

namespace {

/// Streams of the seed, one for each use.
enum Stream : std::uint64_t {
  gaussian_stream = 1,
  pair_stream = 2,
  quantile_stream = 3,
  window_stream = 4,
  hash_stream = 5
};

/// Rows that a gate's bias quantile is taken over, at most.
constexpr std::size_t quantile_rows = 5000;

struct Drawer {
  const DataView& data;
  const Preprocessing& preprocessing;
  const Options& options;
  HostAlgebra& host;

  std::size_t width() const { return data.cols + 1; }

  /// Gates number [first, first + count) of the endless sequence that the seed defines.
  std::vector<double> draw(std::size_t first, std::size_t count) const {
    if (options.gate_source == GateSource::gaussian) return gaussian(first, count);
    std::vector<double> gates = differences(first, count);
    if (options.bias) place_biases(first, gates);
    return gates;
  }

  /// Standard normal over z's features: the bias among them is no larger than the solver sees it.
  std::vector<double> gaussian(std::size_t first, std::size_t count) const {
    const Philox random(options.seed, gaussian_stream);
    const double bias = options.bias ? preprocessing.bias_value / preprocessing.feature_scale : 0;
    std::vector<double> gates(count * width());
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t j = 0; j < width(); ++j) {
        const double value = random.normal((first + i) * width() + j);
        gates[i * width() + j] = j + 1 == width() ? bias * value : value;
      }
    }
    return gates;
  }

  /// Differences of two rows, or (every second data gate) a single row; on a random window of the
  /// image for patches.
  std::vector<double> differences(std::size_t first, std::size_t count) const {
    const Philox pairs(options.seed, pair_stream);
    const std::size_t d = data.cols;
    std::vector<double> gates(count * width()), s(2 * d);
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint64_t draw = first + i;
      double* gate = gates.data() + i * width();
      for (std::size_t side = 0; side < 2; ++side) {
        preprocessing.standardize(data, pairs.below(2 * draw + side, data.rows), host,
                                  {s.data() + side * d, 1, d});
      }
      const bool single = options.gate_source == GateSource::data && draw % 2 == 1;
      for (std::size_t j = 0; j < d; ++j) gate[j] = s[j] - (single ? 0 : s[d + j]);
      if (options.gate_source == GateSource::patches) keep_window(draw, gate);
    }
    return gates;
  }

  /// A square window of 9/28 to 16/28 of the image's shorter side, off the border where there is
  /// room for it.
  void keep_window(std::uint64_t draw, double* gate) const {
    const Philox random(options.seed, window_stream);
    const std::size_t height = options.image_height, width_ = options.image_width;
    const auto side = static_cast<double>(std::min(height, width_));
    const auto smallest = std::max<std::size_t>(1, std::lround(side * 9 / 28));
    const auto largest = std::max<std::size_t>(smallest, std::lround(side * 16 / 28));
    const std::size_t size = smallest + random.below(3 * draw, largest - smallest + 1);
    const std::size_t margin = std::min<std::size_t>(2, (std::min(height, width_) - size) / 2);
    const std::size_t top = margin + random.below(3 * draw + 1, height - size - 2 * margin + 1);
    const std::size_t left = margin + random.below(3 * draw + 2, width_ - size - 2 * margin + 1);
    for (std::size_t y = 0; y < height; ++y) {
      for (std::size_t x = 0; x < width_; ++x) {
        const bool inside = y >= top && y < top + size && x >= left && x < left + size;
        if (!inside) gate[y * width_ + x] = 0;
      }
    }
  }

  /// Biases that open each gate on a random 25 to 75 % of the rows.
  void place_biases(std::size_t first, std::vector<double>& gates) const {
    const Philox random(options.seed, quantile_stream);
    const std::size_t count = gates.size() / width(), d = data.cols;
    const std::size_t rows = std::min(quantile_rows, data.rows);
    const std::size_t step = data.rows / rows;
    std::vector<double> s(rows * d), projections(count * rows);
    for (std::size_t k = 0; k < rows; ++k) {
      preprocessing.standardize(data, k * step, host, {s.data() + k * d, 1, d});
    }
    host.multiply(1, {gates.data(), count, d, width()}, Transpose::no, {s.data(), rows, d},
                  Transpose::yes, 0, {projections.data(), count, rows});
    for (std::size_t i = 0; i < count; ++i) {
      double* values = projections.data() + i * rows;
      const double quantile = 0.25 + 0.5 * random.uniform(first + i);
      const auto at = static_cast<std::size_t>(quantile * static_cast<double>(rows - 1));
      std::nth_element(values, values + at, values + rows);
      // Halfway to the row below: no row lies on the boundary, where rounding would decide.
      const double below = at > 0 ? *std::max_element(values, values + at) : values[at];
      gates[i * width() + d] = -0.5 * (values[at] + below);
    }
  }
};

/// Moves the gates of `candidates` that are open somewhere, and unlike all before, to `kept`.
void keep_distinct(const DataView& data, const Preprocessing& preprocessing,
                   const Gates& candidates, std::size_t wanted, HostAlgebra& host,
                   std::unordered_set<std::uint64_t>& seen, Gates& kept) {
  std::vector<std::uint64_t> words = gate_patterns(data, preprocessing, candidates, host);
  const auto prints = pattern_fingerprints({words.data(), data.rows, candidates.count});
  const std::size_t width = data.cols + 1;
  for (std::size_t i = 0; i < candidates.count && kept.count < wanted; ++i) {
    if (prints[i] == 0 || !seen.insert(prints[i]).second) continue;
    kept.rows.insert(kept.rows.end(),
                     candidates.rows.begin() + static_cast<std::ptrdiff_t>(i * width),
                     candidates.rows.begin() + static_cast<std::ptrdiff_t>((i + 1) * width));
    ++kept.count;
  }
}

}  // namespace

std::vector<double> gate_weights(const Gates& gates, const Preprocessing& to) {
  const std::size_t d = to.raw_features(), kept = to.kept(), f = to.features();
  std::vector<double> weights(gates.count * f);
  for (std::size_t i = 0; i < gates.count; ++i) {
    const double* gate = gates.rows.data() + i * (d + 1);
    double* row = weights.data() + i * f;
    for (std::size_t l = 0; l < kept; ++l) {
      double sum = 0;
      if (to.components.empty()) {
        sum = gate[l];
      } else {
        for (std::size_t j = 0; j < d; ++j) sum += to.components[l * d + j] * gate[j];
      }
      row[l] = sum / to.feature_scale;
    }
    if (to.bias_value != 0) row[kept] = gate[d] / to.bias_value;
  }
  return weights;
}

/// A sum of one random number for each open row.
std::vector<std::uint64_t> pattern_fingerprints(GateBits bits) {
  const Philox random(0, hash_stream);
  std::vector<std::uint64_t> prints(bits.gates);
  for (std::size_t k = 0; k < bits.rows; ++k) {
    const auto draw = random.words(k);
    const std::uint64_t number = (std::uint64_t{draw[0]} << 32) | draw[1];
    for (std::size_t w = 0; w < bits.stride(); ++w) {
      for (std::uint64_t open = bits.row(k)[w]; open != 0; open &= open - 1) {
        prints[w * 64 + static_cast<std::size_t>(__builtin_ctzll(open))] += number;
      }
    }
  }
  return prints;
}

void block_patterns(ConstView<double> s, const Gates& gates, HostAlgebra& host, GateBits bits) {
  const std::size_t d = s.cols, width = d + 1, count = gates.count;
  std::vector<double> values(s.rows * count);
  host.multiply(1, s, Transpose::no, {gates.rows.data(), count, d, width}, Transpose::yes, 0,
                {values.data(), s.rows, count});
  host.for_rows(s.rows, 2 * count, [&](std::size_t first, std::size_t last) {
    for (std::size_t k = first; k < last; ++k) {
      std::fill_n(bits.row(k), bits.stride(), std::uint64_t{0});
      for (std::size_t i = 0; i < count; ++i) {
        const double value = values[k * count + i] + gates.rows[i * width + d];
        bits.row(k)[i / 64] |= std::uint64_t{value >= 0} << (i % 64);
      }
    }
  });
}

std::vector<std::uint64_t> gate_patterns(const DataView& data, const Preprocessing& preprocessing,
                                         const Gates& gates, HostAlgebra& host) {
  std::vector<std::uint64_t> words(data.rows * GateBits::words_per_row(gates.count));
  const GateBits bits{words.data(), data.rows, gates.count};
  for_each_block(data, preprocessing, host, [&](std::size_t first, ConstView<double> s) {
    block_patterns(s, gates, host, bits.block(first, s.rows));
  });
  return words;
}

Gates given_gates(const Options& options, std::size_t features) {
  const std::size_t width = features + 1;
  Gates given{std::vector<double>(options.gates * width), options.gates};
  for (std::size_t i = 0; i < options.gates; ++i) {
    std::copy_n(options.given_gates.data() + i * options.given_columns, options.given_columns,
                given.rows.data() + i * width);
  }
  return given;
}

Gates sample_gates(const DataView& data, const Preprocessing& preprocessing, const Options& options,
                   HostAlgebra& host) {
  std::unordered_set<std::uint64_t> seen;
  Gates kept;
  if (options.gate_source == GateSource::given) {
    keep_distinct(data, preprocessing, given_gates(options, data.cols), options.gates, host, seen,
                  kept);
  } else {
    const Drawer drawer{data, preprocessing, options, host};
    constexpr std::size_t attempts = 4;
    for (std::size_t attempt = 0; attempt < attempts && kept.count < options.gates; ++attempt) {
      const Gates drawn{drawer.draw(attempt * options.gates, options.gates), options.gates};
      keep_distinct(data, preprocessing, drawn, options.gates, host, seen, kept);
    }
  }
  if (kept.count == 0) {
    throw Error(ErrorCode::invalid_argument,
                "gates: none of the gates is open at any row; take more gates, or give some",
                "gates");
  }
  return kept;
}

void append_gates(const DataView& data, const Preprocessing& preprocessing,
                  const std::vector<double>& more, HostAlgebra& host, Gates& gates) {
  const std::size_t count = more.size() / (data.cols + 1);
  std::unordered_set<std::uint64_t> seen;
  std::vector<std::uint64_t> words = gate_patterns(data, preprocessing, gates, host);
  for (const std::uint64_t print : pattern_fingerprints({words.data(), data.rows, gates.count})) {
    seen.insert(print);
  }
  keep_distinct(data, preprocessing, {more, count}, gates.count + count, host, seen, gates);
}

}  // namespace secondorder::convex_relu
