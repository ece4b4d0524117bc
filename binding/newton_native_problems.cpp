#include "newton_native_problems.hpp"

#include <limits>
#include <utility>
#include <variant>
#include <vector>

namespace secondorder::binding {
namespace {

constexpr std::int64_t most_rows = std::numeric_limits<std::int32_t>::max();

std::vector<double> read_doubles(const Fields& fields, const char* name) {
  if (!fields.has(name)) return {};
  const auto array = fields.array<double>(name);
  return {array.view().begin(), array.view().end()};
}

newton::TallMatrix read_matrix(const Fields& fields) {
  newton::TallMatrix matrix;
  matrix.rows = static_cast<std::size_t>(fields.integer("rows", 1, most_rows));
  matrix.cols = static_cast<std::size_t>(fields.integer("cols", 1, most_rows));
  std::visit(
      [&matrix](const auto& array) {
        matrix.values.assign(array.view().begin(), array.view().end());
      },
      fields.real_array("values"));
  if (fields.has("columns")) {
    const auto columns = fields.array<std::int32_t>("columns", matrix.values.size());
    const auto offsets = fields.array<std::int32_t>("rowOffsets", matrix.rows + 1);
    matrix.columns.assign(columns.view().begin(), columns.view().end());
    matrix.row_offsets.assign(offsets.view().begin(), offsets.view().end());
  }
  return matrix;
}

}  // namespace

std::unique_ptr<newton::ConstrainedLogisticRegression> read_logistic(const Fields& problem) {
  newton::ConstrainedLogisticOptions read;
  read.x = read_matrix(problem.object("x"));
  read.y = read_doubles(problem, "y");
  read.a = read_doubles(problem, "a");
  read.b = read_doubles(problem, "b");
  read.sphere = problem.has("sphere") && problem.boolean("sphere");
  read.weight_decay =
      problem.optional_number("weightDecay", non_negative).value_or(read.weight_decay);
  return std::make_unique<newton::ConstrainedLogisticRegression>(std::move(read));
}

std::unique_ptr<newton::PdeControl> read_pde(const Fields& problem) {
  newton::PdeControlOptions options;
  constexpr std::int64_t largest_grid = 10000;
  options.grid = static_cast<std::size_t>(problem.integer("grid", 1, largest_grid));
  options.alpha = problem.optional_number("alpha", positive).value_or(options.alpha);
  options.target = read_doubles(problem, "target");
  return std::make_unique<newton::PdeControl>(std::move(options));
}

}  // namespace secondorder::binding
