#pragma once

#include <cstddef>

#include <effnet/cuda/launch_shape.hpp>
#include <effnet/cuda/shared_memory.hpp>

namespace effnet::cuda {

/// Where a block's tile of a matrix product stands in shared memory once its sums are complete.
template <int Rows, int Columns>
struct tile_results {
  static constexpr int stride = Columns + 4;
  static constexpr std::size_t floats = static_cast<std::size_t>(Rows) * stride;

  EFFNET_HD static std::size_t at(int row, int column) {
    return static_cast<std::size_t>(row * stride + column);
  }
  /// Calls `body(row, column, sum)` for a thread's share of them, row by row.
  template <class Body>
  EFFNET_HD static void each(const thread_place& place, const shared_memory& shared,
                             const Body& body) {
    for (int i = static_cast<int>(place.in_block.x); i < Rows * Columns;
         i += static_cast<int>(place.block.x))
      body(i / Columns, i % Columns, shared.load(at(i / Columns, i % Columns)));
  }
};

}  // namespace effnet::cuda
