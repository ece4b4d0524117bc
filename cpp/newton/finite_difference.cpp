#include "newton/finite_difference.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "base/run_control.hpp"
#include "base/thread_pool.hpp"
#include "newton/kkt_system.hpp"
#include "newton/require_memory.hpp"

namespace secondorder::newton {

namespace {

/// Of a Jacobian by differences, at least.
constexpr double bytes_per_entry = 40;

Coordinates dense_structure(std::size_t rows, std::size_t cols) {
  Coordinates structure;
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < cols; ++j) {
      structure.rows.push_back(static_cast<std::int32_t>(i));
      structure.cols.push_back(static_cast<std::int32_t>(j));
    }
  }
  return structure;
}

/// (above − below) / width, or from the middle to whichever side is finite.
double slope(double below, double middle, double above, double step) {
  if (std::isfinite(below) && std::isfinite(above)) return (above - below) / (2 * step);
  return std::isfinite(above) ? (above - middle) / step : (middle - below) / step;
}

}  // namespace

double difference_step(double x, Difference difference) {
  constexpr double epsilon = std::numeric_limits<double>::epsilon();
  const double relative =
      difference == Difference::central ? std::cbrt(epsilon) : std::sqrt(epsilon);
  const volatile double shifted = x + relative * std::max(1.0, std::abs(x));
  return shifted - x;
}

std::vector<std::vector<std::int32_t>> color_columns(std::size_t rows, std::size_t cols,
                                                     const Coordinates& structure) {
  const SparseMatrix by_rows(rows, cols, structure, "jacobian");
  const CompressedPattern by_columns(cols, structure.cols, structure.rows);
  std::vector<std::int32_t> color(cols, -1), taken;  // `taken`: the last column that met a colour
  std::vector<std::vector<std::int32_t>> groups;
  for (std::size_t j = 0; j < cols; ++j) {
    for (auto p = static_cast<std::size_t>(by_columns.offsets()[j]);
         p < static_cast<std::size_t>(by_columns.offsets()[j + 1]); ++p) {
      const auto i = static_cast<std::size_t>(by_columns.indices()[p]);
      for (auto q = static_cast<std::size_t>(by_rows.offsets()[i]);
           q < static_cast<std::size_t>(by_rows.offsets()[i + 1]); ++q) {
        const std::int32_t other = color[static_cast<std::size_t>(by_rows.columns()[q])];
        if (other >= 0) taken[static_cast<std::size_t>(other)] = static_cast<std::int32_t>(j);
      }
    }
    std::size_t free = 0;
    while (free < groups.size() && taken[free] == static_cast<std::int32_t>(j)) ++free;
    if (free == groups.size()) {
      groups.emplace_back();
      taken.push_back(-1);
    }
    color[j] = static_cast<std::int32_t>(free);
    groups[free].push_back(static_cast<std::int32_t>(j));
  }
  return groups;
}

FiniteDifferences::FiniteDifferences(Problem& given, Missing missing, Difference difference)
    : given_(given),
      missing_(missing),
      difference_(difference),
      structure_(given.jacobian_structure()) {
  if (!missing_.jacobian) return;
  const std::size_t rows = constraints(), cols = variables();
  if (structure_.size() == 0) {
    require_memory(bytes_per_entry * static_cast<double>(rows) * static_cast<double>(cols),
                   "a dense Jacobian of " + std::to_string(rows) + " × " + std::to_string(cols),
                   "jacobian", "; give its structure");
    structure_ = dense_structure(rows, cols);
  }
  colors_ = color_columns(rows, cols, structure_);
  std::vector<std::size_t> color(cols);
  for (std::size_t k = 0; k < colors_.size(); ++k) {
    for (const std::int32_t j : colors_[k]) color[static_cast<std::size_t>(j)] = k;
  }
  entries_.resize(colors_.size());
  const CompressedPattern pattern(rows, structure_.rows, structure_.cols);
  std::vector<bool> taken(pattern.entries());
  for (std::size_t e = 0; e < structure_.size(); ++e) {
    const auto place = static_cast<std::size_t>(pattern.places()[e]);
    if (taken[place]) continue;  // equal positions add up: the first gets the slope, others 0
    taken[place] = true;
    entries_[color[static_cast<std::size_t>(structure_.cols[e])]].push_back(
        static_cast<std::int32_t>(e));
  }
}

std::unique_ptr<KktSolver> FiniteDifferences::own_kkt_solver() { return given_.own_kkt_solver(); }

void FiniteDifferences::checkpoint() const {
  if (control_ != nullptr && control_->stop_requested()) throw Cancelled{};
}

double FiniteDifferences::objective_at(std::span<const double> x) {
  checkpoint();
  ++objectives_;
  return given_.objective(x);
}

void FiniteDifferences::constraint_at(std::span<const double> x, Vector& out) {
  checkpoint();
  ++constraints_;
  out.resize(constraints());
  given_.constraint(x, out);
}

void FiniteDifferences::gradient(std::span<const double> x, std::span<double> out) {
  if (!missing_.gradient) return given_.gradient(x, out);
  const bool central = difference_ == Difference::central;
  constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
  double middle = central ? unknown : objective_at(x);
  shifted_.assign(x.begin(), x.end());
  for (std::size_t j = 0; j < x.size(); ++j) {
    const double step = difference_step(x[j], difference_);
    shifted_[j] = x[j] + step;
    const double above = objective_at(shifted_);
    double below = unknown;
    if (central || !std::isfinite(above)) {
      shifted_[j] = x[j] - step;
      below = objective_at(shifted_);
    }
    shifted_[j] = x[j];
    if (!std::isfinite(above + below) && !std::isfinite(middle)) middle = objective_at(x);
    out[j] = slope(below, middle, above, step);
  }
}

void FiniteDifferences::jacobian_values(std::span<const double> x, std::span<double> out) {
  if (!missing_.jacobian) return given_.jacobian_values(x, out);
  std::fill(out.begin(), out.end(), 0.0);
  constraint_at(x, at_);
  steps_.resize(x.size());
  shifted_.assign(x.begin(), x.end());
  const auto shift = [&](const std::vector<std::int32_t>& columns, double sign) {
    for (const std::int32_t column : columns) {
      const auto j = static_cast<std::size_t>(column);
      steps_[j] = difference_step(x[j], difference_);
      shifted_[j] = x[j] + sign * steps_[j];
    }
  };
  for (std::size_t k = 0; k < colors_.size(); ++k) {
    shift(colors_[k], 1);
    constraint_at(shifted_, above_);
    below_.assign(at_.size(), std::numeric_limits<double>::quiet_NaN());
    if (difference_ == Difference::central || !all_finite(above_)) {
      shift(colors_[k], -1);
      constraint_at(shifted_, below_);
    }
    shift(colors_[k], 0);
    for (const std::int32_t entry : entries_[k]) {
      const auto e = static_cast<std::size_t>(entry);
      const auto i = static_cast<std::size_t>(structure_.rows[e]);
      out[e] =
          slope(below_[i], at_[i], above_[i], steps_[static_cast<std::size_t>(structure_.cols[e])]);
    }
  }
}

void FiniteDifferences::count_given(Evaluations& counts) const {
  if (missing_.gradient) counts.gradient = 0;
  if (missing_.jacobian) counts.jacobian = 0;
  counts.objective += objectives_;
  counts.constraint += constraints_;
}

}  // namespace secondorder::newton
