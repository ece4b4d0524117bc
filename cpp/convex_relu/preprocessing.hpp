// From raw samples x to the features z that the solver sees.
//   s(x) = (x − mean)/scale          (entries with scale 0, constant columns, become 0)
//   z(x) = [featureScale·C·s(x), biasValue]
// with C the principal components, or the identity. Gates live in s-space, weights in z-space.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "algebra/cpu/cpu_algebra.hpp"
#include "convex_relu/data.hpp"
#include "convex_relu/options.hpp"

namespace secondorder::convex_relu {

/// Dense float64 algebra on the host, for what is done once around a run.
using HostAlgebra = CpuAlgebra<double>;

struct Preprocessing {
  std::vector<double> mean, scale;  ///< d
  std::vector<double> components;   ///< k × d, row-major; empty for the identity
  double feature_scale = 1;
  double bias_value = 0;  ///< 0: no bias feature

  std::size_t raw_features() const { return mean.size(); }
  std::size_t kept() const {
    return components.empty() ? mean.size() : components.size() / mean.size();
  }
  /// f, the length of z
  std::size_t features() const { return kept() + (bias_value != 0 ? 1 : 0); }

  /// s-space rows [first, first + s.rows) of the data.
  void standardize(const DataView& data, std::size_t first, HostAlgebra& host,
                   View<double> s) const;
  /// z (rows × f) from s (rows × d).
  void features_of(ConstView<double> s, HostAlgebra& host, View<double> z) const;
};

/// Rows of a block that hosts read at once.
inline constexpr std::size_t host_block = 4096;

/// Calls body(first, s) for consecutive blocks of s-space rows.
void for_each_block(const DataView& data, const Preprocessing& preprocessing, HostAlgebra& host,
                    const std::function<void(std::size_t first, ConstView<double> s)>& body);

/// Means, scales and components of the data.
Preprocessing fit_preprocessing(const DataView& data, const Options& options, HostAlgebra& host);

}  // namespace secondorder::convex_relu
