// Counter-based random numbers: Philox4x32-10 of Salmon, Moraes, Dror, Shaw, "Parallel random
// numbers: as easy as 1, 2, 3" (SC 2011). The n-th number of a stream depends on (seed, stream, n)
// alone, so CPU and GPU, and any number of threads, draw the same ones.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>

#include "base/host_device.hpp"

namespace secondorder {

class Philox {
 public:
  /// `stream` tells apart the uses of one seed (gates, sketches, splits).
  SECONDORDER_HOST_DEVICE Philox(std::uint64_t seed, std::uint64_t stream)
      : seed_(seed), stream_(stream) {}

  /// The four 32-bit words of counter `index`.
  SECONDORDER_HOST_DEVICE std::array<std::uint32_t, 4> words(std::uint64_t index) const {
    std::uint32_t c0 = static_cast<std::uint32_t>(index);
    std::uint32_t c1 = static_cast<std::uint32_t>(index >> 32);
    std::uint32_t c2 = static_cast<std::uint32_t>(stream_);
    std::uint32_t c3 = static_cast<std::uint32_t>(stream_ >> 32);
    std::uint32_t k0 = static_cast<std::uint32_t>(seed_);
    std::uint32_t k1 = static_cast<std::uint32_t>(seed_ >> 32);
    for (int round = 0; round < 10; ++round) {
      const std::uint64_t m0 = std::uint64_t{0xD2511F53U} * c0;
      const std::uint64_t m1 = std::uint64_t{0xCD9E8D57U} * c2;
      c0 = static_cast<std::uint32_t>(m1 >> 32) ^ c1 ^ k0;
      c1 = static_cast<std::uint32_t>(m1);
      c2 = static_cast<std::uint32_t>(m0 >> 32) ^ c3 ^ k1;
      c3 = static_cast<std::uint32_t>(m0);
      k0 += 0x9E3779B9U;
      k1 += 0xBB67AE85U;
    }
    return {c0, c1, c2, c3};
  }

  /// Uniform in (0, 1), 53 bits.
  SECONDORDER_HOST_DEVICE double uniform(std::uint64_t index) const {
    const auto w = words(index);
    return unit(w[0], w[1]);
  }

  /// Standard normal, by Box and Muller.
  SECONDORDER_HOST_DEVICE double normal(std::uint64_t index) const {
    const auto w = words(index);
    constexpr double two_pi = 6.283185307179586476925286766559;
    return std::sqrt(-2.0 * std::log(unit(w[0], w[1]))) * std::cos(two_pi * unit(w[2], w[3]));
  }

  /// Uniform integer in [0, bound); the bias of scaling 53 bits is below bound / 2^53.
  SECONDORDER_HOST_DEVICE std::uint64_t below(std::uint64_t index, std::uint64_t bound) const {
    return static_cast<std::uint64_t>(uniform(index) * static_cast<double>(bound));
  }

 private:
  SECONDORDER_HOST_DEVICE static double unit(std::uint32_t high, std::uint32_t low) {
    const std::uint64_t bits = ((std::uint64_t{high} << 32) | low) >> 11;
    return (static_cast<double>(bits) + 0.5) * 0x1.0p-53;
  }

  std::uint64_t seed_;
  std::uint64_t stream_;
};

}  // namespace secondorder
