#include "convex_relu/gate_maximum.hpp"

#include <algorithm>
#include <cmath>

#include "convex_relu/gate_climb.hpp"

namespace secondorder::convex_relu {

namespace {

/// Cones that are bounded together, at most; by the samples alone, so that the search does not
/// depend on the number of threads. A batch takes some 20 ms at most.
std::size_t batch_size(const UnitSamples& s) {
  const std::size_t operations = s.rows() * s.rank * (s.rank + 6 * s.outputs) + 1;
  return std::clamp<std::size_t>((std::size_t{1} << 23) / operations, 2, 128);
}

/// Cones with a shorter longest edge are not split: their directions agree to all digits.
constexpr double least_split_cosine = 1 - 1e-13;

class Search {
 public:
  Search(const UnitSamples& samples, const GateSearch& search, HostAlgebra& host,
         const RunControl* control)
      : s_(samples),
        search_(search),
        host_(host),
        control_(control),
        batch_(batch_size(samples)),
        best_(samples.rank, search.directions) {}

  GateMaximum run() {
    plant();
    while (!done()) {
      if (out_of_budget()) return finish(false);
      branch();
    }
    return finish(true);
  }

 private:
  /// The orthants, with each sign of a single output.
  void plant() {
    std::vector<Cone> roots;
    for (const int sign : {1, -1}) {
      if (sign < 0 && s_.outputs > 1) continue;
      for (std::size_t orthant = 0; orthant < std::size_t{1} << s_.rank; ++orthant) {
        Cone root;
        root.sign = sign;
        root.vertices.assign(s_.rank * s_.rank, 0);
        for (std::size_t i = 0; i < s_.rank; ++i) {
          root.vertices[i * s_.rank + i] = (orthant >> i & 1U) != 0 ? -1 : 1;
        }
        root.linear.assign(s_.outputs * s_.rank, 0);
        for (std::uint32_t k = 0; k < s_.rows(); ++k) root.crossing.push_back(k);
        root.bound = std::numeric_limits<double>::infinity();
        roots.push_back(std::move(root));
      }
    }
    for (std::size_t first = 0; first < roots.size(); first += batch_) {
      if (first > 0 && out_of_time()) {  // what was not bounded has no bound
        for (; first < roots.size(); ++first) open(std::move(roots[first]));
        return;
      }
      const auto begin = roots.begin() + static_cast<std::ptrdiff_t>(first);
      const std::size_t count = std::min(batch_, roots.size() - first);
      add({std::make_move_iterator(begin),
           std::make_move_iterator(begin + static_cast<std::ptrdiff_t>(count))});
    }
  }

  /// Halves the cones of the highest bounds.
  void branch() {
    std::vector<Cone> halves;
    while (halves.size() < batch_ && !open_.empty() && open_.front().bound > wanted()) {
      std::pop_heap(open_.begin(), open_.end(), lower_bound_first);
      const Cone cone = std::move(open_.back());
      open_.pop_back();
      bytes_ -= cone.bytes();
      const Edge edge = longest_edge(cone, s_.rank);
      if (edge.cosine > least_split_cosine) {
        closed_ = std::max(closed_, cone.bound);
        continue;
      }
      halves.push_back(half_cone(cone, s_.rank, edge, edge.first));
      halves.push_back(half_cone(cone, s_.rank, edge, edge.second));
    }
    add(std::move(halves));
  }

  /// Bounds cones on the team, and opens those that may hold a better direction.
  void add(std::vector<Cone> cones) {
    host_.for_blocks(cones.size(), 2, [&](std::size_t first, std::size_t last) {
      for (std::size_t i = first; i < last; ++i) {
        const double parent = cones[i].bound;
        bound_cone(s_, cones[i]);
        // A NaN, from samples beyond the range of float64, must not close a cone.
        cones[i].bound = cones[i].bound <= parent ? cones[i].bound : parent;
      }
    });
    nodes_ += cones.size();
    const Cone* best = nullptr;
    for (const Cone& cone : cones) {
      depth_ = std::max(depth_, cone.depth);
      if (cone.value > lower_ && (best == nullptr || cone.value > best->value)) best = &cone;
    }
    if (best != nullptr) improve(best->direction, best->sign);
    for (const Cone& cone : cones) {
      if (cone.value * s_.scale > search_.enough) best_.offer(cone.direction, cone.value);
    }
    for (Cone& cone : cones) {
      if (cone.bound <= wanted()) {
        closed_ = std::max(closed_, cone.bound);
        continue;
      }
      open(std::move(cone));
    }
    peak_bytes_ = std::max(peak_bytes_, bytes_);
  }

  void open(Cone cone) {
    cone.direction = {};
    cone.crossing.shrink_to_fit();
    bytes_ += cone.bytes();
    open_.push_back(std::move(cone));
    std::push_heap(open_.begin(), open_.end(), lower_bound_first);
  }

  void improve(std::vector<double> u, int sign) {
    const double price = climb(s_, u, sign);
    lower_ = std::max(lower_, price);
    best_.offer(u, price);
  }

  /// Cones bounded by this need no splitting.
  double wanted() const {
    return std::max(lower_ * (1 + search_.tolerance), search_.enough / s_.scale);
  }
  bool done() const { return open_.empty() || open_.front().bound <= wanted(); }

  bool out_of_budget() const {
    return nodes_ >= search_.nodes || bytes_ > search_.bytes || out_of_time();
  }

  bool out_of_time() const {
    return (control_ != nullptr && control_->out_of_time()) ||
           started_.seconds() >= search_.seconds;
  }

  GateMaximum finish(bool complete) {
    GateMaximum result;
    const double open = open_.empty() ? 0 : open_.front().bound;
    const auto n = static_cast<double>(s_.rows()), r = static_cast<double>(s_.rank);
    const double margin = 8 * std::sqrt(r * static_cast<double>(s_.outputs)) *
                          (n + 32 * r + 16 * static_cast<double>(depth_)) *
                          std::numeric_limits<double>::epsilon();
    const double upper = std::max(open, closed_) + margin;
    // No price exceeds 1, whatever has gone wrong in between.
    result.upper = (upper < 1 + margin ? upper : 1 + margin) * s_.scale;
    for (double& price : best_.prices) price *= s_.scale;
    result.directions = std::move(best_.directions);
    result.prices = std::move(best_.prices);
    result.lower = result.prices.empty() ? 0 : result.prices.front();
    result.nodes = nodes_;
    result.peak_bytes = peak_bytes_;
    result.complete = complete;
    return result;
  }

  static bool lower_bound_first(const Cone& a, const Cone& b) { return a.bound < b.bound; }

  const UnitSamples& s_;
  const GateSearch& search_;
  HostAlgebra& host_;
  const RunControl* control_;
  std::size_t batch_;
  RunControl started_;
  std::vector<Cone> open_;  ///< a heap, the highest bound first
  double closed_ = 0;       ///< highest bound of the cones that were given up
  double lower_ = 0;        ///< without the scale, as all bounds
  BestDirections best_;
  std::size_t nodes_ = 0, bytes_ = 0, peak_bytes_ = 0;
  std::uint32_t depth_ = 0;
};

}  // namespace

GateMaximum maximize_gate(const UnitSamples& samples, const GateSearch& search, HostAlgebra& host,
                          const RunControl* control) {
  if (samples.rows() == 0) {
    GateMaximum nothing;
    nothing.upper =
        samples.scale;  // 0, infinite or NaN: of no samples, or none that can be bounded
    nothing.complete = samples.scale == 0;
    return nothing;
  }
  return Search(samples, search, host, control).run();
}

}  // namespace secondorder::convex_relu
