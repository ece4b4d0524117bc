// What an algebra's memory holds, as vectors on the host.
#pragma once

#include <type_traits>
#include <vector>

#include "algebra/algebra.hpp"

namespace secondorder {

template <class Real>
std::vector<Real> downloaded(Algebra<Real>& algebra, std::type_identity_t<ConstView<Real>> view) {
  std::vector<Real> values(view.size());
  algebra.download(view, values);
  return values;
}

template <class Real>
std::vector<double> downloaded_as_double(Algebra<Real>& algebra,
                                         std::type_identity_t<ConstView<Real>> view) {
  const std::vector<Real> values = downloaded(algebra, view);
  return {values.begin(), values.end()};
}

}  // namespace secondorder
