#pragma once

#include <cstddef>

#include <effnet/core/config.hpp>

namespace effnet::testing {

/// Adds one to every number of its piece.
struct add_one_to_pieces {
  float* numbers;
  std::size_t length;

  EFFNET_HD void operator()(std::size_t piece, std::size_t lane, std::size_t lanes) const {
    for (std::size_t i = lane; i < length; i += lanes) numbers[piece * length + i] += 1;
  }
};

}  // namespace effnet::testing
