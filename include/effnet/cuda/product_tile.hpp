#pragma once

#include <effnet/cuda/channel_block.hpp>
#include <effnet/cuda/tile_memory.hpp>
#include <effnet/cuda/warp.hpp>

namespace effnet::cuda {

/// A block's tile of a matrix product in fp32: `rows` x `columns` results, sums over `depth` at a
/// time, which stand in shared memory with the depth outermost. A thread makes 4 x 4 results.
struct product_tile {
  static constexpr products of = products::fp32;
  static constexpr int rows = 64, columns = 64, depth = 16, side = 4;
  using memory = tile_memory<rows, columns, depth, rows + 4>;  // rows of 16 bytes, banks apart
  static constexpr int numbers = 1;                            ///< of a float in shared memory
  static constexpr unsigned threads = rows / side * (columns / side);

  struct registers {
    floats_of<side> sums[side];  ///< [row][column]
  };

  EFFNET_HD static float cell(const float (&some)[numbers]) { return some[0]; }

  template <class Warp>
  EFFNET_HD static void multiply(int part, const Warp& together, const shared_memory& shared) {
    together.each_lane([&](const thread_place& at, registers& own) {
      for (int k = 0; k < depth; ++k) {
        const auto left = shared.template load<side>(memory::left_at(part, k, row_of(at)));
        const auto right = shared.template load<side>(memory::right_at(part, k, column_of(at)));
        EFFNET_UNROLL
        for (int i = 0; i < side; ++i) {
          EFFNET_UNROLL
          for (int j = 0; j < side; ++j) own.sums[i][j] += left[i] * right[j];
        }
      }
    });
  }
  /// Leaves what every lane has made in shared memory, to be stored behind a barrier.
  template <class Warp>
  EFFNET_HD static void leave_sums(const Warp& together, const shared_memory& shared) {
    together.each_lane([&](const thread_place& at, registers& own) {
      EFFNET_UNROLL
      for (int i = 0; i < side; ++i)
        shared.template store<side>(memory::result_at(row_of(at) + i, column_of(at)), own.sums[i]);
    });
  }

 private:
  /// A thread's first row and column.
  EFFNET_HD static int row_of(const thread_place& at) {
    return static_cast<int>(at.in_block.x / (columns / side)) * side;
  }
  EFFNET_HD static int column_of(const thread_place& at) {
    return static_cast<int>(at.in_block.x % (columns / side)) * side;
  }
};

}  // namespace effnet::cuda
