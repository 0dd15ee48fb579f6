#pragma once

#include <array>
#include <cstddef>

namespace effnet::math {

/// In double, in eight sums side by side: the order is the same whatever the instruction set.
inline double sum_of_squares(const float* values, std::size_t count) {
  constexpr std::size_t lanes = 8;
  std::array<double, lanes> sums{};
  const std::size_t whole = count / lanes * lanes;
  for (std::size_t i = 0; i < whole; i += lanes)
    for (std::size_t k = 0; k < lanes; ++k) {
      const double value = static_cast<double>(values[i + k]);
      sums[k] += value * value;
    }
  double sum = 0;
  for (std::size_t i = whole; i < count; ++i)
    sum += static_cast<double>(values[i]) * static_cast<double>(values[i]);
  for (double lane : sums) sum += lane;
  return sum;
}

}  // namespace effnet::math
