#include "convex_relu/extract.hpp"

#include <algorithm>
#include <cmath>

namespace secondorder::convex_relu {

namespace {

/// Columns of q that are copied to rows of μ together.
constexpr std::size_t transposed_columns = 8;

template <class Real>
double rounded(double value) {
  return static_cast<double>(static_cast<Real>(value));
}

double norm(const double* row, std::size_t count) {
  double squares = 0;
  for (std::size_t j = 0; j < count; ++j) squares += row[j] * row[j];
  return std::sqrt(squares);
}

template <class Real>
void extract_gated(const Extraction<Real>& e, const std::vector<double>& v, NetworkModel& model) {
  const std::size_t f = e.rotation.features, c = e.program().shape.outputs, width = e.gates.width();
  std::vector<std::size_t> active;
  for (std::size_t gate = 0; gate < e.gates.count; ++gate) {
    if (norm(v.data() + gate * c * f, c * f) == 0) continue;
    active.push_back(gate);
    const double* from = e.gates.rows.data() + gate * width;
    model.gates.rows.insert(model.gates.rows.end(), from, from + width);
  }
  model.gates.count = active.size();
  for (std::size_t o = 0; o < c; ++o) {
    for (const std::size_t gate : active) {
      for (std::size_t l = 0; l < f; ++l) {
        model.weights.push_back(rounded<Real>(v[(gate * c + o) * f + l]));
      }
    }
  }
}

/// Rows of `width` values each, at their places among `rows`; the others are 0.
std::vector<double> spread(const std::vector<double>& values, std::size_t width,
                           const std::vector<std::size_t>& places, std::size_t rows) {
  std::vector<double> all(rows * width);
  for (std::size_t k = 0; k < places.size(); ++k) {
    std::copy_n(values.data() + k * width, width, all.data() + places[k] * width);
  }
  return all;
}

}  // namespace

std::vector<double> to_features(const Rotation& rotation, const std::vector<double>& u) {
  const std::size_t r = rotation.rank(), f = rotation.features, rows = u.size() / r;
  HostAlgebra host(1);
  std::vector<double> v(rows * f);
  host.multiply(1 / rotation.scale, {u.data(), rows, r}, Transpose::no,
                {rotation.basis.data(), f, r}, Transpose::yes, 0, {v.data(), rows, f});
  return v;
}

std::vector<double> to_rotated(const Rotation& rotation, const std::vector<double>& v) {
  const std::size_t r = rotation.rank(), f = rotation.features, rows = v.size() / f;
  HostAlgebra host(1);
  std::vector<double> u(rows * r);
  host.multiply(rotation.scale, {v.data(), rows, f}, Transpose::no, {rotation.basis.data(), f, r},
                Transpose::no, 0, {u.data(), rows, r});
  return u;
}

template <class Real>
void add_neurons(const std::vector<double>& v, std::size_t f, NetworkModel& model) {
  const std::size_t rows = v.size() / f, c = model.outputs;
  std::vector<std::size_t> active;
  for (std::size_t row = 0; row < rows; ++row) {
    if (norm(v.data() + row * f, f) > 0) active.push_back(row);
  }
  model.output.assign(c * active.size(), 0);
  for (std::size_t j = 0; j < active.size(); ++j) {
    const std::size_t row = active[j], gate = row / c, output = row % c;
    const double root = std::sqrt(norm(v.data() + row * f, f));
    const double sign = row < rows / 2 ? 1 : -1;
    model.output[output * active.size() + j] = rounded<Real>(sign * root);
    for (std::size_t l = 0; l < f; ++l) {
      model.hidden.push_back(rounded<Real>(v[row * f + l] / root));
    }
    const bool shared = model.grouping == Penalty::gate;
    model.groups.push_back(static_cast<std::int32_t>(shared ? gate : row));
  }
}

template <class Real>
void set_neurons(const std::vector<double>& v, const std::vector<double>& b, NetworkModel& model) {
  const std::size_t c = model.outputs, count = b.size() / c, f = model.preprocessing.features();
  model.hidden.resize(count * f);
  model.output.resize(c * count);
  for (std::size_t j = 0; j < count; ++j) {
    const double root = std::sqrt(norm(v.data() + j * f, f));
    for (std::size_t l = 0; l < f; ++l) {
      model.hidden[j * f + l] = rounded<Real>(v[j * f + l] / root);
    }
    for (std::size_t o = 0; o < c; ++o) {
      model.output[o * count + j] = rounded<Real>(root * b[j * c + o]);
    }
  }
}

template <class Real>
NetworkModel extract_model(const Extraction<Real>& e) {
  NetworkModel model;
  model.kind = e.request.options.model;
  model.grouping = e.request.options.penalty;
  model.outputs = e.request.outputs;
  model.preprocessing = e.preprocessing;
  model.output_bias.assign(model.outputs, 0);
  const std::vector<double> v = to_features(e.rotation, e.admm.v());
  if (model.kind == Model::relu) {
    add_neurons<Real>(v, e.rotation.features, model);
  } else {
    extract_gated(e, v, model);
  }
  return model;
}

/// ν and μ of the program are about rows scaled by √w: (D∘√w·Z)ᵀν = Zᵀ(D∘√w·ν).
template <class Real>
Certificate extract_certificate(const Extraction<Real>& e) {
  const GatedShape& s = e.program().shape;
  const Options& o = e.request.options;
  const std::vector<double>& row_scale = e.folded.row_scale;
  Certificate certificate{o.loss, o.beta, e.gates, e.admm.nu(), {}, {}, e.targets.weights, 0, {}};
  for (std::size_t k = 0; k < certificate.nu.size() && !row_scale.empty(); ++k) {
    certificate.nu[k] *= row_scale[k / s.outputs];
  }
  const std::vector<bool> needed = e.admm.needs_multipliers();
  for (std::size_t row = 0; row < s.parameter_rows() && !needed.empty(); ++row) {
    if (needed[row / e.program().group])
      certificate.mu_rows.push_back(static_cast<std::int32_t>(row));
  }
  if (certificate.mu_rows.empty()) return certificate;
  certificate.mu.resize(certificate.mu_rows.size() * s.rows);
  const double weight = e.admm.rho() * gamma_cone;
  for (std::size_t first = 0; first < s.rows; first += host_block) {
    const std::size_t rows = std::min(host_block, s.rows - first);
    const std::vector<Real> q = e.admm.q(first, rows);
    // A few columns at a time, so that both the rows read and those written stay in cache.
    for (std::size_t from = 0; from < certificate.mu_rows.size(); from += transposed_columns) {
      const std::size_t to = std::min(from + transposed_columns, certificate.mu_rows.size());
      for (std::size_t k = 0; k < rows; ++k) {
        const double scale = weight * (row_scale.empty() ? 1 : row_scale[first + k]);
        for (std::size_t j = from; j < to; ++j) {
          const auto column = static_cast<std::size_t>(certificate.mu_rows[j]);
          const Real part = std::max(-q[k * s.parameter_rows() + column], Real(0));
          certificate.mu[j * s.rows + first + k] = rounded<Real>(scale * part);
        }
      }
    }
  }
  return certificate;
}

template <class Real>
Solution extract_solution(const Extraction<Real>& e) {
  const Options& o = e.request.options;
  Solution solution;
  solution.model = o.model;
  solution.penalty = o.penalty;
  solution.loss = o.loss;
  solution.outputs = e.program().shape.outputs;
  solution.rows = e.program().shape.rows;
  solution.rho = e.admm.rho();
  solution.tau = e.admm.tau();
  solution.beta = o.beta;
  solution.gates = e.gates;
  solution.p = to_features(e.rotation, e.admm.p());
  const GatedShape& s = e.program().shape;  // q is the largest there is: block by block
  if (e.program().cones()) solution.q.reserve(s.rows * s.parameter_rows());
  for (std::size_t first = 0; first < s.rows; first += host_block) {
    const std::vector<Real> block = e.admm.q(first, std::min(host_block, s.rows - first));
    solution.q.insert(solution.q.end(), block.begin(), block.end());
  }
  const std::vector<Real> qz = e.admm.qz();
  solution.qz.assign(qz.begin(), qz.end());
  return solution;
}

void spread_rows(const Request& request, const std::vector<std::size_t>& selected, Result& result) {
  const std::size_t n = request.data.rows, taking_part = selected.size();
  if (request.weights.empty() || taking_part == n) return;
  Certificate& certificate = result.certificate;
  std::vector<double> mu(certificate.mu_rows.size() * n);
  for (std::size_t k = 0; k < taking_part; ++k) {
    for (std::size_t j = 0; j < certificate.mu_rows.size(); ++j) {
      mu[j * n + selected[k]] = certificate.mu[j * taking_part + k];
    }
  }
  certificate.nu = spread(certificate.nu, request.outputs, selected, n);
  certificate.mu = std::move(mu);
  if (!certificate.shifts.empty()) {
    const std::size_t features = result.model.preprocessing.features();
    certificate.shifts = spread(certificate.shifts, features, selected, n);
  }
  certificate.weights = request.weights;
  result.solution.q.clear();
  result.solution.qz.clear();
}

template void add_neurons<float>(const std::vector<double>&, std::size_t, NetworkModel&);
template void add_neurons<double>(const std::vector<double>&, std::size_t, NetworkModel&);
template void set_neurons<float>(const std::vector<double>&, const std::vector<double>&,
                                 NetworkModel&);
template void set_neurons<double>(const std::vector<double>&, const std::vector<double>&,
                                  NetworkModel&);
template NetworkModel extract_model(const Extraction<float>&);
template NetworkModel extract_model(const Extraction<double>&);
template Certificate extract_certificate(const Extraction<float>&);
template Certificate extract_certificate(const Extraction<double>&);
template Solution extract_solution(const Extraction<float>&);
template Solution extract_solution(const Extraction<double>&);

}  // namespace secondorder::convex_relu
