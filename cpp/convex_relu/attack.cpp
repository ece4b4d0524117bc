#include "convex_relu/attack.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "algebra/philox.hpp"
#include "convex_relu/box_attack.hpp"

namespace secondorder::convex_relu {

namespace {

/// Stream of the seed for the starts in the box.
constexpr std::uint64_t start_stream = 44;

/// Rows that are attacked together.
constexpr std::size_t block_rows = 256;

/// Radius of each input in s-space.
std::vector<double> radii(const Preprocessing& preprocessing, const AttackOptions& options) {
  std::vector<double> radius;
  for (const double scale : preprocessing.scale) {
    const bool raw = options.units == AttackUnits::input;
    radius.push_back(scale > 0 ? options.epsilon / (raw ? scale : 1) : 0);
  }
  return radius;
}

/// Uniform within the box, or its centre at restart 0.
void start(const AttackOptions& options, const std::vector<double>& radius, std::size_t restart,
           std::size_t first_row, View<double> shifts) {
  const Philox random(options.seed, start_stream);
  for (std::size_t k = 0; k < shifts.rows; ++k) {
    const std::uint64_t row = (first_row + k) * options.restarts + restart;
    for (std::size_t j = 0; j < shifts.cols; ++j) {
      const double place = 2 * random.uniform(row * shifts.cols + j) - 1;
      shifts.row(k)[j] = restart == 0 ? 0 : radius[j] * place;
    }
  }
}

void attack_block(const NetworkModel& model, ConstView<double> s, const double* y,
                  const std::vector<double>& radius, const AttackOptions& options,
                  std::size_t first_row, HostAlgebra& host, View<double> found) {
  BoxAttack box(model, options.goal, s, y, radius);
  if (options.method == AttackMethod::fgsm) {
    box.evaluate(host);
    box.step(1, host);
    return host.copy(box.shifts(), found);
  }
  const double size = options.step_size > 0 ? options.step_size / options.epsilon
                                            : 2.5 / static_cast<double>(options.steps);
  std::vector<double> lowest(s.rows, std::numeric_limits<double>::infinity());
  const auto keep_lowest = [&] {
    for (std::size_t k = 0; k < s.rows; ++k) {
      if (!(box.scores()[k] < lowest[k])) continue;
      lowest[k] = box.scores()[k];
      std::copy_n(box.shifts().row(k), s.cols, found.row(k));
    }
  };
  for (std::size_t restart = 0; restart < options.restarts; ++restart) {
    start(options, radius, restart, first_row, box.shifts());
    for (std::size_t k = 0; k < options.steps; ++k) {
      box.evaluate(host);
      keep_lowest();
      box.step(size, host);
    }
    box.evaluate(host);
    keep_lowest();
  }
}

/// The T nearest to `wanted` whose difference to `centre`, computed in T or in float64, is at most
/// `radius`.
template <class T>
double inside(double wanted, double centre, double radius) {
  const T middle = static_cast<T>(centre);
  T value = static_cast<T>(std::clamp(wanted, centre - radius, centre + radius));
  const auto outside = [=](T at) {
    const double exact = static_cast<double>(at) - static_cast<double>(middle);
    return std::abs(exact) > radius || static_cast<double>(std::abs(at - middle)) > radius;
  };
  while (outside(value)) {
    value = std::nextafter(value, middle);
  }
  return static_cast<double>(value);
}

}  // namespace

std::vector<double> attack_shifts(const NetworkModel& model, const DataView& data,
                                  const std::vector<double>& y, const AttackOptions& options,
                                  HostAlgebra& host) {
  const std::size_t d = data.cols, c = model.outputs;
  const std::vector<double> radius = radii(model.preprocessing, options);
  std::vector<double> shifts(data.rows * d), s(std::min(block_rows, data.rows) * d);
  for (std::size_t first = 0; first < data.rows; first += block_rows) {
    host.checkpoint();
    const View<double> block(s.data(), std::min(block_rows, data.rows - first), d);
    model.preprocessing.standardize(data, first, host, block);
    const View<double> found(shifts.data() + first * d, block.rows, d);
    attack_block(model, block, y.data() + first * c, radius, options, first, host, found);
  }
  return shifts;
}

std::vector<double> attack(const NetworkModel& model, const DataView& data,
                           const std::vector<double>& y, const AttackOptions& options, bool single,
                           HostAlgebra& host) {
  const std::size_t d = data.cols;
  std::vector<double> moved = attack_shifts(model, data, y, options, host), row(d);
  for (std::size_t k = 0; k < data.rows; ++k) {
    data.read_row(k, row.data());
    for (std::size_t j = 0; j < d; ++j) {
      const double scale = model.preprocessing.scale[j];
      const double radius = scale <= 0                            ? 0
                            : options.units == AttackUnits::input ? options.epsilon
                                                                  : options.epsilon * scale;
      double& value = moved[k * d + j];
      const double wanted = row[j] + value * scale;
      value =
          single ? inside<float>(wanted, row[j], radius) : inside<double>(wanted, row[j], radius);
    }
  }
  return moved;
}

}  // namespace secondorder::convex_relu
