#pragma once

#include <cstddef>

#include <effnet/cuda/channel_block.hpp>

namespace effnet::cuda {

/// A block's tile of a matrix product in fp32: `rows` x `columns` results, sums over `depth` at a
/// time, which stand in shared memory with the depth outermost. A thread makes 4 x 4 results.
struct product_tile {
  static constexpr int rows = 64, columns = 64, depth = 16, side = 4;
  static constexpr unsigned threads = rows / side * (columns / side);
  static constexpr std::size_t stride = rows + 4;  ///< keeps rows of 16 bytes, and banks apart
  static constexpr std::size_t floats = 2 * depth * stride;  ///< of both sources
  static_assert(rows == columns);

  struct sums {
    floats_of<side> of[side];  ///< [row][column]
  };

  EFFNET_HD static std::size_t left_at(int k, int row) {
    return static_cast<std::size_t>(k) * stride + static_cast<std::size_t>(row);
  }
  EFFNET_HD static std::size_t right_at(int k, int column) {
    return depth * stride + left_at(k, column);
  }
  /// A thread's first row and column.
  EFFNET_HD static int row_of(const thread_place& at) {
    return static_cast<int>(at.in_block.x / (columns / side)) * side;
  }
  EFFNET_HD static int column_of(const thread_place& at) {
    return static_cast<int>(at.in_block.x % (columns / side)) * side;
  }

  EFFNET_HD static void multiply(const thread_place& at, const shared_memory& shared, sums& to) {
    for (int k = 0; k < depth; ++k) {
      const auto left = shared.template load<side>(left_at(k, row_of(at)));
      const auto right = shared.template load<side>(right_at(k, column_of(at)));
      for (int i = 0; i < side; ++i)
        for (int j = 0; j < side; ++j) to.of[i][j] += left[i] * right[j];
    }
  }
};

}  // namespace effnet::cuda
