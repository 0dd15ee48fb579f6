#pragma once

#include <cstddef>

namespace effnet {

/// The next multiple of `to`, which is at least `count`.
constexpr std::size_t rounded_up(std::size_t count, std::size_t to) {
  return (count + to - 1) / to * to;
}

}  // namespace effnet
