#include "robust_reference.hpp"

#include "reference_conic_interior_point.hpp"

namespace secondorder::test {

using namespace convex_relu;

namespace {

/// Unknowns of the epigraph form, whose first are V and W (2·P·f): their entries' sizes (as many),
/// norms (2P), the sizes of Q (n·f), and one bound of each sample's loss argument.
struct Epigraph {
  const Problem& p;
  const Gates& gates;
  std::size_t n = p.rows, f = p.cols + 1, count = gates.count;
  std::size_t weights = 2 * count * f, sizes = weights, norms = 2 * weights;
  std::size_t q_sizes = norms + 2 * count, slacks = q_sizes + n * f, unknowns = slacks + n;

  double z(std::size_t k, std::size_t j) const { return j + 1 == f ? 1.0 : p.x[k * p.cols + j]; }
  bool open(std::size_t k, std::size_t i) const {
    double sum = 0;
    for (std::size_t j = 0; j < f; ++j) sum += gates.rows[i * f + j] * z(k, j);
    return sum >= 0;
  }
  double radius(std::size_t j) const { return j + 1 == f ? 0 : *p.options.epsilon; }
  double beta() const { return p.options.beta * p.total_weight(); }
};

/// Rows of G x ≤ h by their entries.
struct Inequalities {
  using Row = std::vector<std::pair<std::size_t, double>>;
  std::vector<Row> rows;
  std::vector<double> bounds;

  void require(Row row, double bound) {
    rows.push_back(std::move(row));
    bounds.push_back(bound);
  }
};

/// |v| ≤ its sizes, and r|v| − E x v ≤ 0.
void require_cones(const Epigraph& e, Inequalities& all) {
  for (std::size_t u = 0; u < e.weights; ++u) {
    all.require({{u, 1}, {e.sizes + u, -1}}, 0);
    all.require({{u, -1}, {e.sizes + u, -1}}, 0);
  }
  for (std::size_t row = 0; row < 2 * e.count; ++row) {
    for (std::size_t k = 0; k < e.n; ++k) {
      Inequalities::Row cone;
      const double sign = e.open(k, row % e.count) ? 1 : -1;
      for (std::size_t j = 0; j < e.f; ++j) {
        cone.emplace_back(row * e.f + j, -sign * e.z(k, j));
        cone.emplace_back(e.sizes + row * e.f + j, e.radius(j));
      }
      all.require(cone, 0);
    }
  }
}

/// |q| ≤ its sizes, and the loss's argument in the worst case ≤ its slack.
void require_loss(const Epigraph& e, std::size_t k, Inequalities& all) {
  Inequalities::Row output, spread;
  for (std::size_t j = 0; j < e.f; ++j) {
    for (const double side : {1.0, -1.0}) {
      Inequalities::Row entry{{e.q_sizes + k * e.f + j, -1}};
      for (std::size_t i = 0; i < e.count; ++i) {
        if (!e.open(k, i)) continue;
        entry.emplace_back(i * e.f + j, side);
        entry.emplace_back((e.count + i) * e.f + j, -side);
      }
      all.require(entry, 0);
    }
    spread.emplace_back(e.q_sizes + k * e.f + j, e.radius(j));
    for (std::size_t i = 0; i < e.count; ++i) {
      if (!e.open(k, i)) continue;
      output.emplace_back(i * e.f + j, e.z(k, j));
      output.emplace_back((e.count + i) * e.f + j, -e.z(k, j));
    }
  }
  const auto bound_by = [&](double sign, double constant) {  // constant + sign·ŷ + spread ≤ slack
    auto row = spread;
    for (const auto& [at, value] : output) row.emplace_back(at, sign * value);
    row.emplace_back(e.slacks + k, -1);
    all.require(row, -constant);
  };
  const double y = e.p.y[k];
  if (e.p.options.loss == Loss::squared) {
    bound_by(1, -y);
    bound_by(-1, y);
  } else if (e.p.options.loss == Loss::hinge) {
    bound_by(-y, 1);
    all.require({{e.slacks + k, -1}}, 0);
  } else {
    bound_by(-y, 0);
  }
}

/// The inequalities, and ‖vᵢ‖ ≤ its norm for each row of V and W.
reference::ConicProgram conic_program(const Epigraph& e) {
  Inequalities all;
  require_cones(e, all);
  for (std::size_t k = 0; k < e.n; ++k) require_loss(e, k, all);
  reference::ConicProgram program;
  program.linear_rows = all.rows.size();
  const std::size_t cone_rows = 2 * e.count * (e.f + 1);
  program.inequality = reference::Matrix(all.rows.size() + cone_rows, e.unknowns);
  program.bound.assign(all.rows.size() + cone_rows, 0);
  for (std::size_t row = 0; row < all.rows.size(); ++row) {
    for (const auto& [at, value] : all.rows[row]) program.inequality(row, at) += value;
    program.bound[row] = all.bounds[row];
  }
  std::size_t row = all.rows.size();
  for (std::size_t i = 0; i < 2 * e.count; ++i) {
    program.cone_sizes.push_back(e.f + 1);
    program.inequality(row++, e.norms + i) = -1;
    for (std::size_t j = 0; j < e.f; ++j) program.inequality(row++, i * e.f + j) = -1;
  }
  return program;
}

}  // namespace

Problem robust_training_problem(std::size_t rows, std::size_t cols, Loss loss, std::uint64_t seed) {
  Random random(seed);
  Problem p;
  p.rows = rows;
  p.cols = cols;
  for (std::size_t k = 0; k < rows; ++k) {
    const double label = random.label();
    for (std::size_t j = 0; j < cols; ++j) {
      p.x.push_back(random.normal() + (j == 0 ? 1.5 * label : 0));
    }
    p.y.push_back(loss == Loss::squared ? label + 0.3 * random.normal() : label);
  }
  p.options.loss = loss;
  p.options.preprocess = Preprocess::none;
  p.options.beta = 0.02;
  p.options.epsilon = 0.2;
  p.options.descend = false;
  p.options.gates = 6;
  p.options.tolerance = 1e-6;
  p.options.max_iterations = 100000;
  return p;
}

Result train_robustly(const Problem& problem) {
  return train<double>(problem.request(), RunControl{});
}

double robust_optimum(const Problem& p, const Gates& gates) {
  const Epigraph e{p, gates};
  const Loss loss = p.options.loss;
  reference::ConicProgram program = conic_program(e);
  program.objective = [&](std::span<const reference::Real> at, std::span<reference::Real> gradient,
                          reference::Matrix& hessian) {
    std::fill(gradient.begin(), gradient.end(), 0);
    std::fill(hessian.values.begin(), hessian.values.end(), 0);
    for (std::size_t i = 0; i < 2 * e.count; ++i) gradient[e.norms + i] = e.beta();
    for (std::size_t k = 0; k < e.n; ++k) {
      const std::size_t s = e.slacks + k;
      if (loss == Loss::hinge) gradient[s] = e.p.weight(k);
      if (loss == Loss::squared) {
        gradient[s] = e.p.weight(k) * at[s];
        hessian(s, s) = e.p.weight(k);
      } else if (loss == Loss::logistic) {  // softplus
        const reference::Real share = 1 / (1 + std::exp(-at[s]));
        gradient[s] = e.p.weight(k) * share;
        hessian(s, s) = e.p.weight(k) * share * (1 - share);
      }
    }
  };
  reference::ConicPoint point;
  point.x.assign(e.unknowns, 0);
  double best = 0;
  reference::solve_conic(program, point, [&](const reference::ConicPoint& at) {
    best = 0;
    for (std::size_t i = 0; i < 2 * e.count; ++i) {
      best += static_cast<double>(e.beta() * at.x[e.norms + i]);
    }
    for (std::size_t k = 0; k < e.n; ++k) {
      const double s = static_cast<double>(at.x[e.slacks + k]);
      best += e.p.weight(k) * (loss == Loss::squared ? 0.5 * s * s
                               : loss == Loss::hinge ? s
                                                     : losses::softplus(s));
    }
    return reference::dot(at.s, at.z) < 1e-12;
  });
  return best / p.total_weight();
}

double corner_objective(const NetworkModel& model, const Problem& p) {
  HostAlgebra host(1);
  double sum = 0;
  for (std::size_t k = 0; k < p.rows; ++k) {
    double worst = 0;
    for (std::size_t corner = 0; corner < std::size_t{1} << p.cols; ++corner) {
      std::vector<double> moved(p.x.begin() + static_cast<std::ptrdiff_t>(k * p.cols),
                                p.x.begin() + static_cast<std::ptrdiff_t>((k + 1) * p.cols));
      for (std::size_t j = 0; j < p.cols; ++j) {
        moved[j] += (corner >> j) & 1 ? *p.options.epsilon : -*p.options.epsilon;
      }
      DataView one;
      one.values64 = moved;
      one.rows = 1;
      one.cols = p.cols;
      const std::vector<double> output = predict(model, one, host);
      worst = std::max(worst, losses::value(p.options.loss, output.data(), &p.y[k], 1));
    }
    sum += (p.weights.empty() ? 1 : p.weights[k]) * worst;
  }
  return sum / p.total_weight() + p.options.beta * penalty(model);
}

}  // namespace secondorder::test
