#include "convex_relu/cone_bound.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace secondorder::convex_relu {

namespace {

using Small = std::array<double, most_cone_rank>;

/// Supporting lines are chosen anew so many times, each time at the maximiser of the last bound.
constexpr int line_rounds = 3;

double dot(const double* a, const double* b, std::size_t count) {
  double sum = 0;
  for (std::size_t j = 0; j < count; ++j) sum += a[j] * b[j];
  return sum;
}

/// The vertices of a cone, their Gram matrix and their mean direction.
class Vertices {
 public:
  Vertices(const Cone& cone, std::size_t rank) : v_(cone.vertices), rank_(rank) {
    for (std::size_t i = 0; i < rank; ++i) {
      for (std::size_t j = 0; j < rank; ++j) {
        gram_[i][j] = dot(vertex(i), vertex(j), rank);
        centre_[j] += vertex(i)[j];
      }
    }
    const double length = std::sqrt(dot(centre_.data(), centre_.data(), rank));
    for (std::size_t j = 0; j < rank; ++j) centre_[j] /= length;
    for (std::size_t i = 0; i < rank; ++i) cosine_[i] = dot(vertex(i), centre_.data(), rank);
  }

  const double* vertex(std::size_t i) const { return v_.data() + i * rank_; }
  const Small& centre() const { return centre_; }

  /// The least length of a p with vᵢᵀp ≥ qᵢ that is found, and λ ≥ 0 with p ≈ Σ λᵢvᵢ.
  double shortest_above(const Small& q, Small& lambda) const {
    lambda = maximize(q);
    Small p{};
    for (std::size_t i = 0; i < rank_; ++i) {
      for (std::size_t j = 0; j < rank_; ++j) p[j] += lambda[i] * vertex(i)[j];
    }
    const double corrected = lifted(q, p);
    const double central = lifted(q, Small{});
    return std::min(corrected, central);
  }

 private:
  /// ‖p‖ once p has been moved along the centre until vᵢᵀp ≥ qᵢ for all i: then it is a bound,
  /// however p was found.
  double lifted(const Small& q, Small p) const {
    double lacking = 0;
    for (std::size_t i = 0; i < rank_; ++i) {
      lacking = std::max(lacking, (q[i] - dot(vertex(i), p.data(), rank_)) / cosine_[i]);
    }
    for (std::size_t j = 0; j < rank_; ++j) p[j] += lacking * centre_[j];
    return std::sqrt(dot(p.data(), p.data(), rank_));
  }

  /// argmax of qᵀλ − ½λᵀGλ over λ ≥ 0, by the active-set method of Lawson and Hanson (Solving Least
  /// Squares Problems, chapter 23). Any inexactness is made good by lifted().
  Small maximize(const Small& q) const {
    Small lambda{};
    std::array<bool, most_cone_rank> passive{};
    const double resolution =
        1e-13 * std::abs(*std::max_element(q.begin(), q.begin() + rank_, smaller_magnitude));
    for (std::size_t step = 0; step < 4 * rank_; ++step) {
      std::size_t entering = rank_;
      double steepest = resolution;
      for (std::size_t i = 0; i < rank_; ++i) {
        const double slope = q[i] - dot(gram_[i].data(), lambda.data(), rank_);
        if (!passive[i] && slope > steepest) {
          steepest = slope;
          entering = i;
        }
      }
      if (entering == rank_) break;
      passive[entering] = true;
      Small target{};
      while (solve(q, passive, target)) {
        double length = 1;
        for (std::size_t i = 0; i < rank_; ++i) {
          if (passive[i] && target[i] <= 0) {
            length = std::min(length, lambda[i] / (lambda[i] - target[i]));
          }
        }
        for (std::size_t i = 0; i < rank_; ++i) lambda[i] += length * (target[i] - lambda[i]);
        if (length == 1) break;
        for (std::size_t i = 0; i < rank_; ++i) {
          if (!passive[i] || lambda[i] > 0) continue;
          passive[i] = false;
          lambda[i] = 0;
        }
        if (std::none_of(passive.begin(), passive.end(), [](bool p) { return p; })) break;
      }
    }
    for (double& value : lambda) value = std::max(value, 0.0);
    return lambda;
  }

  static bool smaller_magnitude(double a, double b) { return std::abs(a) < std::abs(b); }

  /// G·target = q over the passive entries, 0 elsewhere; false where G is too nearly singular.
  bool solve(const Small& q, const std::array<bool, most_cone_rank>& passive, Small& target) const {
    std::array<std::size_t, most_cone_rank> index{};
    std::size_t count = 0;
    for (std::size_t i = 0; i < rank_; ++i) {
      if (passive[i]) index[count++] = i;
    }
    std::array<Small, most_cone_rank> l{};
    Small x{};
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t j = 0; j <= i; ++j) {
        const double rest = gram_[index[i]][index[j]] - dot(l[i].data(), l[j].data(), j);
        if (i == j && rest < 1e-14) return false;
        l[i][j] = i == j ? std::sqrt(rest) : rest / l[j][j];
      }
      x[i] = (q[index[i]] - dot(l[i].data(), x.data(), i)) / l[i][i];
    }
    target = {};
    for (std::size_t i = count; i-- > 0;) {
      double rest = x[i];
      for (std::size_t k = i + 1; k < count; ++k) rest -= l[k][i] * x[k];
      x[i] = rest / l[i][i];
      target[index[i]] = x[i];
    }
    return true;
  }

  const std::vector<double>& v_;
  std::size_t rank_;
  std::array<Small, most_cone_rank> gram_{};
  Small centre_{}, cosine_{};  ///< cosines of the vertices to the centre: at least 1/√rank
};

/// Bounds the price of one output, with one sign, over a cone whose samples have been sorted.
class OutputBound {
 public:
  OutputBound(const UnitSamples& samples, const Cone& cone, const Vertices& vertices,
              const std::vector<double>& t)
      : samples_(samples), cone_(cone), vertices_(vertices), t_(t) {}

  /// The bound, at least 0; `lambda` becomes where it is attained.
  double of(std::size_t output, double sign, Small& lambda) const {
    const std::size_t r = samples_.rank;
    Small chords{}, sum{};
    for (std::size_t i = 0; i < r; ++i) {
      chords[i] = sign * dot(cone_.linear.data() + output * r, vertices_.vertex(i), r);
    }
    for (std::size_t k = 0; k < cone_.crossing.size(); ++k) {
      const double weight = sign * samples_.weights_of(cone_.crossing[k])[output];
      for (std::size_t i = 0; weight > 0 && i < r; ++i) {
        chords[i] += weight * std::max(t_[k * r + i], 0.0);
      }
    }
    double best = std::numeric_limits<double>::infinity();
    Small at{}, found{};
    std::fill_n(at.begin(), r, 1.0);
    const auto take = [&](const Small& q) {
      const double bound = vertices_.shortest_above(q, found);
      if (bound < best) {
        best = bound;
        lambda = found;
      }
      if (*std::max_element(found.begin(), found.end()) > 0) at = found;
    };
    for (int round = 0; round < line_rounds; ++round) {
      const Small q = with_lines(chords, output, sign, at);
      for (std::size_t i = 0; i < r; ++i) sum[i] += q[i] / line_rounds;
      take(q);
    }
    take(sum);  // the mean of supporting lines is one: σ between 0 and 1
    return best;
  }

 private:
  /// Adds the supporting lines that touch at Σ atᵢvᵢ.
  Small with_lines(Small q, std::size_t output, double sign, const Small& at) const {
    const std::size_t r = samples_.rank;
    for (std::size_t k = 0; k < cone_.crossing.size(); ++k) {
      const double weight = sign * samples_.weights_of(cone_.crossing[k])[output];
      const double* t = t_.data() + k * r;
      if (!(weight < 0) || !(dot(t, at.data(), r) > 0)) continue;
      for (std::size_t i = 0; i < r; ++i) q[i] += weight * t[i];
    }
    return q;
  }

  const UnitSamples& samples_;
  const Cone& cone_;
  const Vertices& vertices_;
  const std::vector<double>& t_;
};

/// Moves samples that are active in the whole cone from `crossing` to `linear`, drops those that
/// are active nowhere, and returns the tₖᵢ of the others.
std::vector<double> sort_samples(const UnitSamples& s, Cone& cone) {
  const std::size_t r = s.rank;
  std::vector<double> t(cone.crossing.size() * r);
  std::size_t kept = 0;
  for (const std::uint32_t k : cone.crossing) {
    double low = std::numeric_limits<double>::infinity(), high = -low;
    double* row = t.data() + kept * r;
    for (std::size_t i = 0; i < r; ++i) {
      row[i] = dot(s.row(k), cone.vertices.data() + i * r, r);
      low = std::min(low, row[i]);
      high = std::max(high, row[i]);
    }
    if (low < 0 && high > 0) {
      cone.crossing[kept++] = k;
    } else if (high > 0) {
      for (std::size_t o = 0; o < s.outputs; ++o) {
        for (std::size_t j = 0; j < r; ++j) {
          cone.linear[o * r + j] += s.weights_of(k)[o] * s.row(k)[j];
        }
      }
    }
  }
  cone.crossing.resize(kept);
  t.resize(kept * r);
  return t;
}

/// The price at a unit vector of the cone, from its sorted samples.
double price_inside(const UnitSamples& s, const Cone& cone, const double* u) {
  double squares = 0, last = 0;
  for (std::size_t o = 0; o < s.outputs; ++o) {
    double price = dot(cone.linear.data() + o * s.rank, u, s.rank);
    for (const std::uint32_t k : cone.crossing) {
      price += s.weights_of(k)[o] * std::max(dot(s.row(k), u, s.rank), 0.0);
    }
    squares += price * price;
    last = price;
  }
  return s.outputs == 1 ? cone.sign * last : std::sqrt(squares);
}

}  // namespace

void bound_cone(const UnitSamples& samples, Cone& cone) {
  const std::size_t r = samples.rank;
  const std::vector<double> t = sort_samples(samples, cone);
  const Vertices vertices(cone, r);
  const OutputBound output_bound(samples, cone, vertices, t);

  cone.direction.assign(vertices.centre().begin(), vertices.centre().begin() + r);
  cone.value = price_inside(samples, cone, cone.direction.data());
  const auto try_direction = [&](const Small& lambda) {
    Small u{};
    for (std::size_t i = 0; i < r; ++i) {
      for (std::size_t j = 0; j < r; ++j) u[j] += lambda[i] * vertices.vertex(i)[j];
    }
    const double length = std::sqrt(dot(u.data(), u.data(), r));
    if (!(length > 0)) return;
    for (std::size_t j = 0; j < r; ++j) u[j] /= length;
    const double value = price_inside(samples, cone, u.data());
    if (!(value > cone.value)) return;
    cone.value = value;
    cone.direction.assign(u.begin(), u.begin() + r);
  };

  double squares = 0;
  Small lambda{};
  for (std::size_t o = 0; o < samples.outputs; ++o) {
    double most = 0;
    for (const double sign : {1.0, -1.0}) {
      if (samples.outputs == 1 && sign != cone.sign) continue;
      most = std::max(most, output_bound.of(o, sign, lambda));
      try_direction(lambda);
    }
    squares += most * most;
  }
  cone.bound = std::sqrt(squares);
}

Edge longest_edge(const Cone& cone, std::size_t rank) {
  Edge edge;
  for (std::size_t i = 0; i < rank; ++i) {
    for (std::size_t j = i + 1; j < rank; ++j) {
      const double* v = cone.vertices.data();
      const double cosine = dot(v + i * rank, v + j * rank, rank);
      if (cosine < edge.cosine) edge = {i, j, cosine};
    }
  }
  return edge;
}

Cone half_cone(const Cone& cone, std::size_t rank, const Edge& edge, std::size_t replaced) {
  Cone half = cone;
  half.depth = cone.depth + 1;
  const double* first = cone.vertices.data() + edge.first * rank;
  const double* second = cone.vertices.data() + edge.second * rank;
  double* middle = half.vertices.data() + replaced * rank;
  double squares = 0;
  Small sum{};
  for (std::size_t j = 0; j < rank; ++j) {
    sum[j] = first[j] + second[j];
    squares += sum[j] * sum[j];
  }
  for (std::size_t j = 0; j < rank; ++j) middle[j] = sum[j] / std::sqrt(squares);
  return half;
}

}  // namespace secondorder::convex_relu
