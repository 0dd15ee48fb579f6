#pragma once

#include <cmath>

namespace effnet::testing {

/// The larger of two differences, or NaN from the first that is one: std::max would leave it out.
template <class Real>
Real worse(Real worst, Real difference) {
  return std::isnan(difference) || difference > worst ? difference : worst;
}

}  // namespace effnet::testing
