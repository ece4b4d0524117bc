#include "convex_relu/pricing.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_set>

#include "algebra/download.hpp"
#include "algebra/philox.hpp"

namespace secondorder::convex_relu {

namespace {

/// Streams of the seed, beside those of the gates.
enum Stream : std::uint64_t { direction_stream = 16, sample_stream = 17 };

/// Mixes the signs of a neuron's outputs into its pattern's number.
std::uint64_t with_signs(std::uint64_t pattern, std::span<const double> output) {
  if (pattern == 0) return 0;
  for (const double value : output) pattern = pattern * 0x9E3779B97F4A7C15U + (value < 0 ? 1 : 2);
  return pattern == 0 ? 1 : pattern;
}

}  // namespace

template <class Real>
Pricing<Real>::Pricing(Algebra<Real>& algebra, Arena& arena, const Samples<Real>& samples,
                       const NetworkObjective<Real>& network, std::size_t width, std::uint64_t seed)
    : algebra_(algebra), samples_(samples), network_(network), seed_(seed) {
  const std::size_t most = most_candidates(width), r = samples.x.cols, c = samples.y.cols;
  u_ = arena.matrix<Real>(most, r);
  g_ = arena.matrix<Real>(most, r);
  q_ = arena.matrix<Real>(most, c);
  a_ = arena.matrix<Real>(most, c);
  bits_ = arena.gate_bits(samples.x.rows, most);
}

template <class Real>
Prices Pricing<Real>::operator()(const Neurons& known, ConstView<Real> nu, double threshold,
                                 std::size_t limit, std::uint64_t draw) {
  const std::size_t r = samples_.x.cols, c = samples_.y.cols;
  const Candidates found = ascend(starts(known, draw), nu);
  std::vector<std::size_t> order(found.price.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t i, std::size_t j) { return found.price[i] > found.price[j]; });
  Prices prices{{r, c, {}, {}}, {}, found.price[order.front()] / samples_.beta};
  Neurons dear{r, c, {}, {}};
  for (const std::size_t i : order) {
    if (!(found.price[i] > threshold * samples_.beta)) break;
    dear.append({found.u.data() + i * r, r}, {found.q.data() + i * c, c});
    for (std::size_t o = 0; o < c; ++o) dear.b[dear.b.size() - c + o] /= -found.price[i];
  }
  if (dear.count() == 0) return prices;
  std::unordered_set<std::uint64_t> seen;
  for (const std::uint64_t pattern : signed_patterns(known)) seen.insert(pattern);
  const std::vector<std::uint64_t> patterns = signed_patterns(dear);
  for (std::size_t i = 0; i < dear.count() && prices.values.size() < limit; ++i) {
    if (patterns[i] == 0 || !seen.insert(patterns[i]).second) continue;
    prices.neurons.append(dear.direction(i), dear.output(i));
    prices.values.push_back(found.price[order[i]] / samples_.beta);
  }
  return prices;
}

/// The network's own directions, Gaussian ones, samples, and differences of samples.
template <class Real>
std::vector<double> Pricing<Real>::starts(const Neurons& known, std::uint64_t draw) {
  const std::size_t r = samples_.x.cols, n = samples_.x.rows;
  std::vector<double> u = known.u;
  u.reserve(u.size() + fresh_starts * r);
  const Philox directions(seed_, direction_stream), pairs(seed_, sample_stream);
  for (std::size_t i = 0; i < fresh_starts / 2 * r; ++i) {
    u.push_back(directions.normal(draw * (fresh_starts / 2 * r) + i));
  }
  const auto sample = [&](std::size_t index) {
    return downloaded_as_double(algebra_,
                                samples_.x.block(pairs.below(draw * fresh_starts + index, n), 1));
  };
  for (std::size_t i = 0; i < fresh_starts / 4; ++i) {
    const std::vector<double> one = sample(2 * i), other = sample(2 * i + 1);
    u.insert(u.end(), one.begin(), one.end());
    for (std::size_t j = 0; j < r; ++j) u.push_back(one[j] - other[j]);
  }
  return u;
}

/// Steps along the normalized gradient of q(u)ᵀa on the sphere, every start once towards each side
/// a = ±q/‖q‖: held there for half of the steps, then a follows q. Gives each ascent's best point.
template <class Real>
typename Pricing<Real>::Candidates Pricing<Real>::ascend(const std::vector<double>& starts,
                                                         ConstView<Real> nu) {
  const std::size_t r = samples_.x.cols, c = samples_.y.cols, half = starts.size() / r,
                    count = 2 * half;
  const View<Real> u = u_.block(0, count), g = g_.block(0, count), q = q_.block(0, count),
                   a = a_.block(0, count);
  const std::vector<Real> first(starts.begin(), starts.end());
  algebra_.upload(first, u.block(0, half));
  algebra_.upload(first, u.block(half, half));
  algebra_.normalize_rows(u);
  algebra_.fill(a, 1);
  network_.activation_products(u, a, nu, q, g);
  algebra_.copy(q, a);
  algebra_.normalize_rows(a);
  algebra_.axpby(0, a.block(half, half), -1, a.block(half, half));
  Candidates best{std::vector<double>(count * r), std::vector<double>(count * c),
                  std::vector<double>(count, -1)};
  for (std::size_t step = 0; step < ascent_steps; ++step) {
    algebra_.checkpoint();
    const bool early = step < ascent_steps / 2;
    network_.activation_products(u, a, nu, q, g);
    note_best(count, best);
    if (!early) {
      algebra_.copy(q, a);
      algebra_.normalize_rows(a);
    }
    algebra_.normalize_rows(g);
    algebra_.axpby(early ? Real(1) : Real(0.3), g, 1, u);
    algebra_.normalize_rows(u);
  }
  network_.activation_products(u, a, nu, q, g);
  note_best(count, best);
  return best;
}

template <class Real>
void Pricing<Real>::note_best(std::size_t count, Candidates& best) {
  const std::size_t r = u_.cols, c = q_.cols;
  std::vector<double> price(count);
  algebra_.group_norms(q_.block(0, count), 1, price);
  const std::vector<double> u = downloaded_as_double(algebra_, u_.block(0, count)),
                            q = downloaded_as_double(algebra_, q_.block(0, count));
  for (std::size_t i = 0; i < count; ++i) {
    if (!(price[i] > best.price[i])) continue;
    best.price[i] = price[i];
    std::copy_n(u.data() + i * r, r, best.u.data() + i * r);
    std::copy_n(q.data() + i * c, c, best.q.data() + i * c);
  }
}

template <class Real>
std::vector<std::uint64_t> Pricing<Real>::signed_patterns(const Neurons& neurons) {
  const std::size_t count = neurons.count();
  if (count == 0) return {};
  const std::vector<Real> directions(neurons.u.begin(), neurons.u.end());
  const View<Real> u = u_.block(0, count);
  algebra_.upload(directions, u);
  const GateBits bits{bits_.words, bits_.rows, count};
  algebra_.open_gates(samples_.x, u, bits);
  std::vector<std::uint64_t> words(bits.rows * bits.stride());
  algebra_.download(bits, words);
  std::vector<std::uint64_t> patterns = pattern_fingerprints({words.data(), bits.rows, count});
  for (std::size_t j = 0; j < count; ++j) patterns[j] = with_signs(patterns[j], neurons.output(j));
  return patterns;
}

template class Pricing<float>;
template class Pricing<double>;

}  // namespace secondorder::convex_relu
