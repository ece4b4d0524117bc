#include <algorithm>

#include "convex_relu_marshal.hpp"
#include "device.hpp"

namespace secondorder::binding {

using convex_relu::Certificate;
using convex_relu::GateSource;
using convex_relu::Model;
using convex_relu::NetworkModel;
using convex_relu::Options;
using convex_relu::Penalty;
using convex_relu::Preprocess;
using convex_relu::Route;
using convex_relu::Solution;

namespace {

constexpr std::int64_t largest_count = (std::int64_t{1} << 31) - 1;

std::size_t count(const Fields& fields, const char* name, std::int64_t low = 1) {
  return static_cast<std::size_t>(fields.integer(name, low, largest_count));
}

/// What is drawn for a sampled convex program beside its gates, of which there may be none.
std::optional<convex_relu::DrawnDirections> read_drawn(const Fields& fields) {
  const auto drawn = fields.optional_object("drawn");
  if (!drawn) return std::nullopt;
  return convex_relu::DrawnDirections{static_cast<std::uint64_t>(drawn->integer("seed")),
                                      count(*drawn, "count", 0)};
}

/// Gates as rows of `width` numbers.
convex_relu::Gates read_gates(const Fields& fields, std::size_t width) {
  convex_relu::Gates gates;
  gates.rows = doubles(fields, "gates");
  if (gates.rows.empty() && fields.has("drawn")) return gates;
  gates.count = gates.rows.size() / width;
  if (gates.count * width != gates.rows.size() || gates.count == 0) {
    throw Error(ErrorCode::dimension_mismatch,
                fields.path("gates") + " must hold rows of " + std::to_string(width) + " numbers",
                fields.path("gates"));
  }
  return gates;
}

void read_gate_options(const Fields& gates, std::size_t cols, Options& options,
                       std::vector<double>& given) {
  options.gates = count(gates, "count");
  if (gates.has("matrix")) {
    given = doubles(gates, "matrix");
    options.gate_source = GateSource::given;
    options.given_columns = given.size() / options.gates;
    options.given_gates = given;
    const bool fits = options.given_columns * options.gates == given.size() &&
                      (options.given_columns == cols || options.given_columns == cols + 1);
    if (!fits) {
      throw Error(ErrorCode::dimension_mismatch,
                  gates.path("matrix") + " must have " + std::to_string(cols) + " or " +
                      std::to_string(cols + 1) + " columns",
                  gates.path("matrix"));
    }
    return;
  }
  if (gates.has("from")) options.gate_source = gates.choice<GateSource>("from");
  if (options.gate_source != GateSource::patches) return;
  options.image_height = count(gates, "height");
  options.image_width = count(gates, "width");
  if (options.image_height * options.image_width != cols) {
    throw Error(ErrorCode::dimension_mismatch,
                gates.path("height") + " times width must be the number of features, " +
                    std::to_string(cols),
                gates.path("height"));
  }
}

/// As the facade resolved it; without it there is no such bound.
convex_relu::GlobalBoundOptions read_global_bound(const Fields& spec) {
  convex_relu::GlobalBoundOptions options;
  const auto given = spec.optional_object("globalBound");
  if (!given) return options;
  options.when = given->choice<convex_relu::GlobalBoundWhen>("when");
  options.tolerance = given->number("tolerance", positive);
  if (given->has("nodes")) options.nodes = static_cast<std::size_t>(given->integer("nodes", 1));
  options.rounds = count(*given, "rounds", 0);
  if (given->has("seconds")) options.seconds = given->number("seconds", positive);
  return options;
}

}  // namespace

InputData::InputData(const Fields& x)
    : rows_(count(x, "rows", 0)),
      cols_(count(x, "cols")),
      values_(x.has("rowOffsets") ? x.real_array("values")
                                  : x.real_array("values", rows_ * cols_)) {
  if (!x.has("rowOffsets")) return;
  row_offsets_ = x.array<std::int32_t>("rowOffsets", rows_ + 1);
  columns_ = x.array<std::int32_t>("columns", size(values_));
  const auto offsets = row_offsets_.view();
  const auto columns = columns_.view();
  const bool ordered = std::is_sorted(offsets.begin(), offsets.end()) && offsets.front() == 0 &&
                       static_cast<std::size_t>(offsets.back()) == columns.size();
  const bool inside = std::all_of(columns.begin(), columns.end(), [this](std::int32_t column) {
    return column >= 0 && static_cast<std::size_t>(column) < cols_;
  });
  if (!ordered || !inside) {
    throw Error(ErrorCode::invalid_argument,
                x.path("rowOffsets") + " and columns must be a CSR matrix of " +
                    std::to_string(cols_) + " columns",
                x.path("rowOffsets"));
  }
}

DataView InputData::view() const {
  DataView view;
  std::visit(
      [&view](const auto& values) {
        if constexpr (std::is_same_v<std::decay_t<decltype(values)>, InputArray<float>>) {
          view.values32 = values.view();
        } else {
          view.values64 = values.view();
        }
      },
      values_);
  view.columns = columns_.view();
  view.row_offsets = row_offsets_.view();
  view.rows = rows_;
  view.cols = cols_;
  return view;
}

std::size_t InputData::bytes() const {
  return binding::bytes(values_) + columns_.bytes() + row_offsets_.bytes();
}

ModelInput::ModelInput(const Fields& spec)
    : model(read_model(spec.object("model"))), x(spec.object("x")) {
  const std::size_t features = model.preprocessing.raw_features();
  if (x.view().cols == features) return;
  throw Error(
      ErrorCode::dimension_mismatch,
      "x must have " + std::to_string(features) + " columns, got " + std::to_string(x.view().cols),
      "x");
}

std::vector<double> doubles(const Fields& fields, const char* name,
                            std::optional<std::size_t> expected) {
  const RealArray array = fields.real_array(name, expected);
  return std::visit(
      [](const auto& values) {
        return std::vector<double>(values.view().begin(), values.view().end());
      },
      array);
}

std::vector<double> optional_doubles(const Fields& fields, const char* name,
                                     std::optional<std::size_t> expected) {
  return fields.has(name) ? doubles(fields, name, expected) : std::vector<double>{};
}

bool read_float64(const Fields& fields) {
  return fields.choice<bool>("precision", {{"float32", false}, {"float64", true}});
}

Options read_options(const Fields& spec, std::size_t cols, std::vector<double>& given_gates) {
  Options options;
  options.loss = spec.choice<Loss>("loss");
  if (spec.has("method")) options.method = spec.choice<convex_relu::Method>("method");
  options.model = spec.choice<Model>("model");
  options.penalty = spec.choice<Penalty>("penalty");
  options.beta = spec.number("beta", positive);
  read_gate_options(spec.object("gates"), cols, options, given_gates);
  options.preprocess = spec.choice<Preprocess>("preprocess");
  if (spec.has("components")) options.components = count(spec, "components");
  options.bias = spec.boolean("bias");
  options.seed = static_cast<std::uint64_t>(spec.integer("seed"));
  options.tolerance = spec.number("tolerance", positive);
  options.max_iterations = count(spec, "maxIterations");
  options.check_every = count(spec, "checkEvery");
  options.rho = spec.optional_number("rho", positive);
  options.relaxation = spec.number("relaxation", {.low = 0, .high = 2, .without_low = true});
  options.route = spec.choice<Route>("route");
  options.global_bound = read_global_bound(spec);
  options.device = read_device(spec);
  options.products = spec.choice<Products>("products");
  if (const auto refine = spec.optional_object("refine")) {
    convex_relu::RefineOptions& r = options.refine;
    r.keeps_width = refine->has("maxGates");
    r.width = r.keeps_width ? count(*refine, "maxGates") : options.gates;
    r.rounds = count(*refine, "rounds");
    r.tolerance = refine->number("tolerance", positive);
  }
  if (const auto adversarial = spec.optional_object("adversarial")) {
    options.epsilon = adversarial->number("epsilon", positive);
    options.descend = adversarial->boolean("descent");
  }
  return options;
}

NetworkModel read_model(const Fields& fields) {
  NetworkModel model;
  model.kind = fields.choice<Model>("kind");
  if (fields.has("penalty")) model.grouping = fields.choice<Penalty>("penalty");
  model.outputs = count(fields, "outputs");
  const std::size_t features = count(fields, "features");
  convex_relu::Preprocessing& p = model.preprocessing;
  p.mean = doubles(fields, "mean", features);
  p.scale = doubles(fields, "scale", features);
  p.components = optional_doubles(fields, "components");
  p.feature_scale = fields.number("featureScale", positive);
  p.bias_value = fields.number("biasValue");
  model.output_bias = doubles(fields, "outputBias", model.outputs);
  model.output_scale = fields.number("outputScale", positive);
  if (p.components.size() % features != 0) {
    throw Error(ErrorCode::dimension_mismatch,
                fields.path("components") + " must hold rows of " + std::to_string(features),
                fields.path("components"));
  }
  if (model.kind == Model::relu) {
    model.output = doubles(fields, "output");
    model.hidden = doubles(fields, "hidden", model.neurons() * p.features());
    if (fields.has("groups")) {
      const auto groups = fields.array<std::int32_t>("groups", model.neurons());
      model.groups.assign(groups.view().begin(), groups.view().end());
    }
    if (model.neurons() * model.outputs != model.output.size()) {
      throw Error(ErrorCode::dimension_mismatch,
                  fields.path("output") + " must hold rows of one length for each output",
                  fields.path("output"));
    }
  } else {
    model.gates.rows = doubles(fields, "gates");
    model.gates.count = model.gates.rows.size() / (features + 1);
    if (model.gates.count * (features + 1) != model.gates.rows.size()) {
      throw Error(ErrorCode::dimension_mismatch,
                  fields.path("gates") + " must hold rows of " + std::to_string(features + 1),
                  fields.path("gates"));
    }
    model.weights = doubles(fields, "weights", model.outputs * model.gates.count * p.features());
  }
  return model;
}

Certificate read_certificate(const Fields& fields, const NetworkModel& model) {
  Certificate certificate;
  certificate.loss = fields.choice<Loss>("loss");
  certificate.beta = fields.number("beta", positive);
  certificate.gates = read_gates(fields, model.preprocessing.raw_features() + 1);
  certificate.drawn = read_drawn(fields);
  certificate.nu = doubles(fields, "nu");
  const std::size_t rows = certificate.nu.size() / model.outputs;
  certificate.weights = optional_doubles(fields, "sampleWeights", rows);
  certificate.epsilon = fields.optional_number("epsilon", positive).value_or(0);
  certificate.shifts = optional_doubles(fields, "shifts", rows * model.preprocessing.features());
  if (!fields.has("mu")) return certificate;
  const auto mu_rows = fields.array<std::int32_t>("muRows");
  certificate.mu_rows.assign(mu_rows.view().begin(), mu_rows.view().end());
  const std::size_t parameters = 2 * certificate.gates.count * model.outputs;
  for (const std::int32_t row : certificate.mu_rows) {
    if (row >= 0 && static_cast<std::size_t>(row) < parameters) continue;
    throw Error(ErrorCode::invalid_argument,
                fields.path("muRows") + " must be from 0 to " + std::to_string(parameters - 1) +
                    ", got " + std::to_string(row),
                fields.path("muRows"));
  }
  certificate.mu = doubles(fields, "mu", certificate.mu_rows.size() * rows);
  return certificate;
}

Solution read_solution(const Fields& fields) {
  Solution solution;
  if (!fields.has("gates")) return solution;
  solution.model = fields.choice<Model>("kind");
  solution.penalty = fields.choice<Penalty>("penalty");
  solution.loss = fields.choice<Loss>("loss");
  solution.outputs = count(fields, "outputs");
  solution.rows = count(fields, "rows");
  solution.rho = fields.number("rho", positive);
  solution.tau = fields.number("tau", positive);
  solution.beta = fields.number("beta", positive);
  solution.gates = read_gates(fields, count(fields, "features", 0) + 1);
  solution.drawn = read_drawn(fields);
  solution.p = doubles(fields, "p");
  solution.qz = optional_doubles(fields, "qz");
  if (fields.has("q")) {
    const auto q = fields.array<float>("q");
    solution.q.assign(q.view().begin(), q.view().end());
  }
  return solution;
}

}  // namespace secondorder::binding
