// Updates of the weights that stay against the dense equality-constrained quadratic program.
#include "mfac/removal.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "base/error.hpp"
#include "fisher_reference.hpp"

using namespace secondorder;
using namespace secondorder::mfac;
using namespace secondorder::test;

namespace {

struct Case {
  std::size_t rows, dimension, block;
  double scale, damping;
  std::vector<float> gradients, weights;

  Case(std::size_t m, std::size_t d, std::size_t b, double s, double lambda, Random& random)
      : rows(m), dimension(d), block(b), scale(s), damping(lambda), gradients(m * d), weights(d) {
    for (float& g : gradients) g = static_cast<float>(s * random.normal());
    for (float& w : weights) w = static_cast<float>(random.normal());
  }

  std::unique_ptr<FisherBlocks> blocks() const {
    FisherBlocksOptions options;
    options.dimension = dimension;
    options.block_size = block;
    options.damping = damping;
    auto made = std::make_unique<FisherBlocks>(options);
    made->add(gradients, rows);
    made->factor(control());
    return made;
  }
  static const RunControl& control() {
    static RunControl two;
    two.threads = 2;
    return two;
  }
};

std::vector<std::uint32_t> pick(std::size_t dimension, double part, Random& random) {
  std::vector<std::uint32_t> chosen;
  for (std::uint32_t i = 0; i < dimension; ++i) {
    if (random.uniform() < part) chosen.push_back(i);
  }
  return chosen;
}

/// Worst error of δ by block, and of the loss.
struct Errors {
  double delta = 0, loss = 0;
};

Errors joint_errors(const Case& c, const std::vector<std::uint32_t>& removed) {
  const auto blocks = c.blocks();
  std::vector<double> values, delta(c.dimension, 0.0);
  for (const std::uint32_t q : removed) values.push_back(c.weights[q]);
  const double loss = blocks->remove(removed, values, true, delta, Case::control());
  Errors errors;
  Exact total = 0;
  for (std::size_t first = 0; first < c.dimension; first += c.block) {
    const std::size_t size = std::min(c.block, c.dimension - first);
    std::vector<std::size_t> local;
    for (const std::uint32_t q : removed) {
      if (q >= first && q < first + size) local.push_back(q - first);
    }
    const ExactMatrix h = ExactMatrix::fisher(c.gradients, c.dimension, first, size, c.damping);
    const ExactRemoval want(h, local, std::span(c.weights).subspan(first, size));
    total += want.loss;
    const auto got = std::span<const double>(delta).subspan(first, size);
    errors.delta = std::max(errors.delta, relative(got, want.delta));
    for (const std::size_t q : local) CHECK(got[q] == -static_cast<double>(c.weights[first + q]));
  }
  errors.loss = total == 0 ? std::abs(loss) : relative(loss, total);
  return errors;
}

ErrorCode code_of(FisherBlocks& blocks, std::span<const float> weights,
                  const std::vector<std::uint32_t>& remove) {
  try {
    remove_weights(blocks, weights, remove, true, Case::control());
  } catch (const Error& error) {
    return error.code;
  }
  return ErrorCode::internal;
}

}  // namespace

TEST_SUITE("removal") {
  TEST_CASE("the joint update is the constrained minimum, in every form and for any share") {
    Random random(21);
    // direct: few kept and few removed; with gradients: fewer kept than rows, few and many removed
    const std::size_t sizes[][3] = {{80, 60, 30}, {40, 60, 30}, {16, 90, 60}, {10, 120, 120},
                                    {1, 30, 30},  {1, 7, 1},    {9, 64, 64}};
    for (const auto& [m, d, b] : sizes) {
      for (const auto& [scale, damping] : {std::pair(1.0, 1e-3), std::pair(30.0, 1e-6)}) {
        for (const double part : {0.0, 0.02, 0.1, 0.4, 0.6, 0.95, 1.0}) {
          CAPTURE(m);
          CAPTURE(d);
          CAPTURE(b);
          CAPTURE(scale);
          CAPTURE(part);
          const Case c(m, d, b, scale, damping, random);
          const Errors errors = joint_errors(c, pick(d, part, random));
          CHECK(errors.delta <= 1e-9);
          CHECK(errors.loss <= 1e-9);
        }
      }
    }
  }

  TEST_CASE("gradients that are zero, or the same") {
    Random random(22);
    for (const std::size_t m : {5U, 60U}) {
      Case c(m, 40, 40, 0, 1e-3, random);
      const auto removed = pick(40, 0.5, random);
      CHECK(joint_errors(c, removed).delta <= 1e-12);
      for (std::size_t i = 0; i < m; ++i) {
        for (std::size_t j = 0; j < 40; ++j) c.gradients[i * 40 + j] = static_cast<float>(j) - 20;
      }
      CHECK(joint_errors(c, removed).delta <= 1e-9);
      CHECK(joint_errors(c, removed).loss <= 1e-9);
    }
  }

  TEST_CASE("the joint update raises the loss no more than the independent one really does") {
    Random random(23);
    for (const std::size_t m : {20U, 100U}) {
      const Case c(m, 80, 80, 1, 1e-2, random);
      const auto blocks = c.blocks();
      const auto removed = pick(80, 0.4, random);
      const ExactMatrix h = ExactMatrix::fisher(c.gradients, 80, 0, 80, c.damping);
      const auto real_loss = [&](const Removal& removal) {
        std::vector<Exact> delta(80);
        for (std::size_t i = 0; i < 80; ++i) {
          delta[i] = static_cast<Exact>(removal.weights[i]) - c.weights[i];
        }
        const std::vector<Exact> hd = h.times(delta);
        Exact sum = 0;
        for (std::size_t i = 0; i < 80; ++i) sum += delta[i] * hd[i] / 2;
        return static_cast<double>(sum);
      };
      const Removal joint = remove_weights(*blocks, c.weights, removed, true, Case::control());
      const Removal single = remove_weights(*blocks, c.weights, removed, false, Case::control());
      CHECK(joint.loss_increase == doctest::Approx(real_loss(joint)).epsilon(1e-5));
      CHECK(real_loss(joint) < real_loss(single));
      for (const std::uint32_t q : removed) {
        CHECK(joint.weights[q] == 0);
        CHECK(single.weights[q] == 0);
      }
    }
  }

  TEST_CASE("the independent update is the sum of single ones, by the dense inverse") {
    Random random(24);
    for (const std::size_t m : {20U, 70U}) {
      const Case c(m, 50, 25, 1, 1e-2, random);
      const auto blocks = c.blocks();
      const auto removed = pick(50, 0.3, random);
      const Removal got = remove_weights(*blocks, c.weights, removed, false, Case::control());
      std::vector<Exact> want(c.weights.begin(), c.weights.end());
      Exact loss = 0;
      for (const std::size_t first : {0U, 25U}) {
        const ExactMatrix inverse =
            ExactMatrix::fisher(c.gradients, 50, first, 25, c.damping).inverse();
        for (const std::uint32_t position : removed) {
          if (position < first || position >= first + 25) continue;
          const std::size_t q = position - first;
          const Exact w = c.weights[position];
          loss += w * w / (2 * inverse(q, q));
          for (std::size_t i = 0; i < 25; ++i) want[first + i] -= w / inverse(q, q) * inverse(i, q);
        }
      }
      for (const std::uint32_t q : removed) want[q] = 0;
      CHECK(got.loss_increase == doctest::Approx(static_cast<double>(loss)).epsilon(1e-11));
      CHECK(relative(std::span<const float>(got.weights), want) <= 1e-7);
    }
  }

  TEST_CASE("one weight: joint and independent are the same") {
    Random random(25);
    for (const std::size_t m : {20U, 70U}) {
      const Case c(m, 50, 50, 1, 1e-2, random);
      const auto blocks = c.blocks();
      const std::vector<std::uint32_t> one = {17};
      const Removal joint = remove_weights(*blocks, c.weights, one, true, Case::control());
      const Removal single = remove_weights(*blocks, c.weights, one, false, Case::control());
      CHECK(joint.loss_increase == doctest::Approx(single.loss_increase).epsilon(1e-10));
      for (std::size_t i = 0; i < 50; ++i) {
        CHECK(joint.weights[i] == doctest::Approx(single.weights[i]).epsilon(1e-6));
      }
    }
  }

  TEST_CASE("blocks without a removed weight keep theirs, bit for bit") {
    Random random(26);
    const Case c(30, 60, 20, 1, 1e-2, random);
    const auto blocks = c.blocks();
    for (const bool joint : {true, false}) {
      const Removal got = remove_weights(*blocks, c.weights, std::vector<std::uint32_t>{25, 22},
                                         joint, Case::control());
      for (std::size_t i = 0; i < 60; ++i) {
        if (i < 20 || i >= 40) CHECK(got.weights[i] == c.weights[i]);
      }
      const Removal nothing = remove_weights(*blocks, c.weights, {}, joint, Case::control());
      CHECK(identical(nothing.weights, c.weights));
      CHECK(nothing.loss_increase == 0);
    }
  }

  TEST_CASE("the same bits for any number of threads, and a cancelled run") {
    Random random(27);
    for (const auto& [m, b] : {std::pair(30, 20), std::pair(10, 300)}) {
      const Case c(static_cast<std::size_t>(m), 300, static_cast<std::size_t>(b), 1, 1e-3, random);
      const auto blocks = c.blocks();
      const auto removed = pick(300, 0.5, random);
      std::vector<std::vector<float>> results;
      for (const int threads : {1, 2, 4}) {
        RunControl control;
        control.threads = threads;
        results.push_back(remove_weights(*blocks, c.weights, removed, true, control).weights);
      }
      CHECK(identical(results[1], results[0]));
      CHECK(identical(results[2], results[0]));
      RunControl cancelled;
      cancelled.cancel();
      CHECK_THROWS_AS(remove_weights(*blocks, c.weights, removed, true, cancelled), Cancelled);
    }
  }

  TEST_CASE("bad input") {
    Random random(28);
    const Case c(8, 10, 5, 1, 1e-2, random);
    const auto blocks = c.blocks();
    CHECK(code_of(*blocks, c.weights, {3, 10}) == ErrorCode::invalid_argument);
    CHECK(code_of(*blocks, c.weights, {3, 1, 3}) == ErrorCode::invalid_argument);
    CHECK(code_of(*blocks, std::span(c.weights).first(9), {3}) == ErrorCode::dimension_mismatch);
    for (const float bad :
         {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
      std::vector<float> weights = c.weights;
      weights[4] = bad;
      CHECK(code_of(*blocks, weights, {3}) == ErrorCode::invalid_argument);
    }
    FisherBlocksOptions options;
    options.dimension = 10;
    options.damping = 1;
    FisherBlocks unfactored(options);
    CHECK(code_of(unfactored, c.weights, {3}) == ErrorCode::not_fitted);
  }
}
