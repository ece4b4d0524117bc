// Fisher blocks and gradients to test them with.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "fisher_reference.hpp"
#include "mfac/fisher_blocks.hpp"

namespace secondorder::test {

struct Shape {
  std::size_t rows, dimension, block;
};

/// Both forms, and what is special: one row, one column, one block, ragged last blocks (in either
/// form), B = m, more rows than are held at once.
inline const std::vector<Shape> shapes = {
    {1, 1, 1},     {1, 5, 2},    {7, 5, 1},     {64, 70, 32},   {40, 90, 64},
    {40, 100, 45}, {33, 66, 33}, {100, 40, 40}, {20, 100, 100}, {300, 20, 8}};

inline constexpr const char* kinds[] = {"normal", "low rank", "duplicates",
                                        "zeros",  "scales",   "one-hot"};

inline std::vector<float> make_gradients(const std::string& kind, const Shape& s, double scale,
                                         Random& random) {
  const std::size_t m = s.rows, d = s.dimension;
  std::vector<float> g(m * d, 0.0F);
  const auto fill = [&](std::size_t i, double size) {
    for (std::size_t j = 0; j < d; ++j) g[i * d + j] = static_cast<float>(size * random.normal());
  };
  for (std::size_t i = 0; i < m; ++i) {
    if (kind == "normal") {
      fill(i, scale);
    } else if (kind == "low rank") {  // few directions, each half as strong as the one before
      const std::size_t rank = std::min<std::size_t>(m, 8);
      if (i < rank) {
        fill(i, scale * std::pow(0.5, static_cast<double>(i)));
      } else {
        for (std::size_t k = 0; k < rank; ++k) {
          const auto weight = static_cast<float>(random.normal());
          for (std::size_t j = 0; j < d; ++j) g[i * d + j] += weight * g[k * d + j];
        }
      }
    } else if (kind == "duplicates") {
      if (i < 5) {
        fill(i, scale);
      } else {
        std::copy_n(g.begin() + static_cast<std::ptrdiff_t>((i % 5) * d), d,
                    g.begin() + static_cast<std::ptrdiff_t>(i * d));
      }
    } else if (kind == "zeros") {
      if (i % 3 != 0) fill(i, scale);
      for (std::size_t j = 0; j < d; j += 4) g[i * d + j] = 0;
    } else if (kind == "scales") {
      fill(i, scale * std::pow(10.0, -4 + 8 * random.uniform()));
    } else {
      g[i * d + random.below(d)] = static_cast<float>(scale * (1 + random.uniform()));
    }
  }
  return g;
}

inline mfac::FisherBlocksOptions options(
    const Shape& s, double damping,
    mfac::GradientStorage storage = mfac::GradientStorage::automatic) {
  mfac::FisherBlocksOptions o;
  o.dimension = s.dimension;
  o.block_size = s.block;
  o.damping = damping;
  o.storage = storage;
  return o;
}

inline RunControl& two_threads() {
  static RunControl control;
  control.threads = 2;
  return control;
}

inline std::unique_ptr<mfac::FisherBlocks> factored(
    const Shape& s, const std::vector<float>& g, double damping,
    mfac::GradientStorage storage = mfac::GradientStorage::automatic) {
  auto blocks = std::make_unique<mfac::FisherBlocks>(options(s, damping, storage));
  blocks->add(g, s.rows);
  blocks->factor(two_threads());
  return blocks;
}

struct Errors {
  double diagonal = 0, element = 0, solve = 0;
  bool positive = true;
};

/// Worst errors over all blocks: of the diagonal, each entry relative to itself; of elements,
/// relative to √(H⁻¹ᵢᵢ·H⁻¹ⱼⱼ); of a product.
inline Errors compare(mfac::FisherBlocks& blocks, const Shape& s, const std::vector<float>& g,
                      double damping, Random& random) {
  Errors worst;
  std::vector<double> x(s.dimension), y(s.dimension);
  for (double& value : x) value = random.normal();
  blocks.solve<double>(x, 1, y, two_threads());
  for (std::size_t first = 0; first < s.dimension; first += s.block) {
    const std::size_t size = std::min(s.block, s.dimension - first);
    const ExactMatrix inverse = ExactMatrix::fisher(g, s.dimension, first, size, damping).inverse();
    for (std::size_t i = 0; i < size; ++i) {
      const double got = blocks.diagonal()[first + i];
      worst.positive = worst.positive && got > 0;
      worst.diagonal = std::max(worst.diagonal, relative(got, inverse(i, i)));
    }
    for (int k = 0; k < 6; ++k) {
      const std::size_t i = random.below(size), j = random.below(size);
      const double got = blocks.element(first + i, first + j, two_threads());
      const double size_of = std::sqrt(static_cast<double>(inverse(i, i) * inverse(j, j)));
      const auto error = static_cast<double>(static_cast<Exact>(got) - inverse(i, j));
      worst.element = std::max(worst.element, std::abs(error) / size_of);
    }
    const std::vector<Exact> part(x.begin() + static_cast<std::ptrdiff_t>(first),
                                  x.begin() + static_cast<std::ptrdiff_t>(first + size));
    worst.solve = std::max(worst.solve, relative(std::span<const double>(y).subspan(first, size),
                                                 inverse.times(part)));
  }
  return worst;
}

template <class Body>
ErrorCode code_of(const Body& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.code;
  }
  return ErrorCode::internal;
}

}  // namespace secondorder::test
