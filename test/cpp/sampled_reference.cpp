#include "sampled_reference.hpp"

#include <algorithm>
#include <cmath>

#include "convex_relu/scp_directions.hpp"

namespace secondorder::test {

using namespace convex_relu;

Problem sampled_problem(Loss loss, std::uint64_t seed, std::size_t outputs,
                        std::size_t directions) {
  Problem p = random_training_problem(Model::relu, loss, {40, 3, 1, outputs}, seed);
  p.gates.clear();
  p.options.method = Method::scp;
  p.options.gates = directions;
  p.options.seed = seed;
  p.options.tolerance = 1e-6;
  p.options.max_iterations = 500;
  return p;
}

Result train_sampled(const Problem& p, int threads) {
  RunControl control;
  control.threads = threads;
  return train<double>(p.request(), control);
}

std::vector<double> drawn_directions(const Problem& p) {
  HostAlgebra host(1);
  return draw_directions(p.options.seed, 0, p.options.gates, p.cols, host);
}

Columns plain_columns(const Problem& p, const std::vector<double>& u) {
  Columns columns(u.size() / p.cols, std::vector<double>(p.rows));
  for (std::size_t j = 0; j < columns.size(); ++j) {
    for (std::size_t k = 0; k < p.rows; ++k) {
      double sum = 0;
      for (std::size_t l = 0; l < p.cols; ++l) sum += p.x[k * p.cols + l] * u[j * p.cols + l];
      columns[j][k] = std::max(sum, 0.0);
    }
  }
  return columns;
}

double plain_objective(const Problem& p, const Columns& columns, const std::vector<double>& alpha) {
  const std::size_t c = p.outputs;
  double loss = 0, penalty = 0;
  std::vector<double> z(c);
  for (std::size_t k = 0; k < p.rows; ++k) {
    z.assign(c, 0);
    for (std::size_t j = 0; j < columns.size(); ++j) {
      for (std::size_t o = 0; o < c; ++o) z[o] += columns[j][k] * alpha[j * c + o];
    }
    loss += p.weight(k) * losses::value(p.options.loss, z.data(), p.y.data() + k * c, c);
  }
  for (std::size_t j = 0; j < columns.size(); ++j) {
    double squares = 0;
    for (std::size_t o = 0; o < c; ++o) squares += alpha[j * c + o] * alpha[j * c + o];
    penalty += std::sqrt(squares);
  }
  return loss / p.total_weight() + p.options.beta * penalty;
}

std::vector<double> slopes(const Problem& p, const Columns& columns,
                           const std::vector<double>& alpha) {
  const std::size_t c = p.outputs;
  std::vector<double> q(columns.size() * c), z(c), g(c);
  for (std::size_t k = 0; k < p.rows; ++k) {
    z.assign(c, 0);
    for (std::size_t j = 0; j < columns.size(); ++j) {
      for (std::size_t o = 0; o < c; ++o) z[o] += columns[j][k] * alpha[j * c + o];
    }
    losses::value_and_gradient(p.options.loss, 0, z.data(), p.y.data() + k * c, c, g.data());
    for (std::size_t j = 0; j < columns.size(); ++j) {
      for (std::size_t o = 0; o < c; ++o) q[j * c + o] += p.weight(k) * columns[j][k] * g[o];
    }
  }
  return q;
}

double proximal_gradient(const Problem& p, const Columns& columns, int steps) {
  const std::size_t c = p.outputs, size = columns.size() * c;
  double lipschitz = 0;  // ‖A‖²_F bounds ‖A‖²
  for (const auto& column : columns) {
    for (std::size_t k = 0; k < p.rows; ++k) lipschitz += p.weight(k) * column[k] * column[k];
  }
  const double beta = p.options.beta * p.total_weight();
  std::vector<double> alpha(size), ahead(size);
  double t = 1;
  for (int step = 0; step < steps; ++step) {
    const std::vector<double> q = slopes(p, columns, ahead);
    std::vector<double> next(size);
    double progress = 0;
    for (std::size_t j = 0; j < columns.size(); ++j) {
      double squares = 0;
      for (std::size_t i = j * c; i < (j + 1) * c; ++i) {
        next[i] = ahead[i] - q[i] / lipschitz;
        squares += next[i] * next[i];
      }
      const double norm = std::sqrt(squares);
      const double keep = norm > beta / lipschitz ? 1 - beta / lipschitz / norm : 0;
      for (std::size_t i = j * c; i < (j + 1) * c; ++i) {
        next[i] *= keep;
        progress += (ahead[i] - next[i]) * (next[i] - alpha[i]);
      }
    }
    const double longer = progress > 0 ? 1 : 0.5 * (1 + std::sqrt(1 + 4 * t * t));
    for (std::size_t i = 0; i < size; ++i) {
      ahead[i] = next[i] + (progress > 0 ? 0 : (t - 1) / longer) * (next[i] - alpha[i]);
    }
    t = longer;
    alpha = next;
  }
  return plain_objective(p, columns, alpha);
}

double plain_bound(const Problem& p, const Columns& columns, const std::vector<double>& nu) {
  const std::size_t c = p.outputs;
  double largest = 0;
  for (const auto& column : columns) {
    double squares = 0;
    for (std::size_t o = 0; o < c; ++o) {
      double sum = 0;
      for (std::size_t k = 0; k < p.rows; ++k) sum += column[k] * nu[k * c + o];
      squares += sum * sum;
    }
    largest = std::max(largest, std::sqrt(squares));
  }
  const double tau = std::min(1.0, p.options.beta * p.total_weight() / largest);
  double sum = 0;
  std::vector<double> row(c);
  for (std::size_t k = 0; k < p.rows; ++k) {
    if (p.weight(k) == 0) continue;
    for (std::size_t o = 0; o < c; ++o) row[o] = tau * nu[k * c + o] / p.weight(k);
    losses::project_dual(p.options.loss, row.data(), p.y.data() + k * c, c);
    sum -= p.weight(k) * losses::conjugate(p.options.loss, row.data(), p.y.data() + k * c, c);
  }
  return sum / p.total_weight();
}

}  // namespace secondorder::test
