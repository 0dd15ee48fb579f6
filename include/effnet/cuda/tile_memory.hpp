#pragma once

#include <algorithm>
#include <cstddef>

#include <effnet/cuda/launch_shape.hpp>
#include <effnet/cuda/shared_memory.hpp>

namespace effnet::cuda {

/// What the tiles of a matrix product share: where both sources stand in shared memory, the depth
/// outermost, in rows of `Stride` floats; then, in their place, the results; and in which phases of
/// a kernel that comes about. There is room for two parts of the depth: while one is multiplied the
/// next is loaded. Neighbouring threads store neighbouring results.
template <int Rows, int Columns, int Depth, int Stride>
struct tile_memory {
  static_assert(Rows == Columns && Stride >= Rows);

  static constexpr int rows = Rows, columns = Columns, depth = Depth;
  static constexpr int result_stride = Columns + 4;
  static constexpr std::size_t floats = std::max(4 * Depth * Stride, Rows* result_stride);

  EFFNET_HD static std::size_t left_at(int part, int k, int row) {
    return static_cast<std::size_t>((part % 2 * 2 * Depth + k) * Stride + row);
  }
  EFFNET_HD static std::size_t right_at(int part, int k, int column) {
    return left_at(part, Depth + k, column);
  }
  EFFNET_HD static std::size_t result_at(int row, int column) {
    return static_cast<std::size_t>(row * result_stride + column);
  }

  /// One phase more than parts of the depth, one that leaves the sums and one that stores them.
  EFFNET_HD static int phases(int parts) { return parts + 3; }
  /// A thread's share of a phase: `load(part)` of a part of the depth, or `store(row, column, sum)`
  /// of the results.
  template <class Load, class Store>
  EFFNET_HD static void run(int phase, int parts, const thread_place& at,
                            const shared_memory& shared, const Load& load, const Store& store) {
    if (phase < parts) load(phase);
    if (phase < parts + 2) return;
    for (int i = static_cast<int>(at.in_block.x); i < Rows * Columns;
         i += static_cast<int>(at.block.x))
      store(i / Columns, i % Columns, shared.load(result_at(i / Columns, i % Columns)));
  }
  /// A warp's, with a tile's ways to multiply and to leave its sums.
  template <class Tile, class Warp>
  EFFNET_HD static void run_warp(int phase, int parts, const Warp& together,
                                 const shared_memory& shared) {
    if (phase > 0 && phase <= parts) Tile::multiply(phase - 1, together, shared);
    if (phase == parts + 1) Tile::leave_sums(together, shared);
  }
};

}  // namespace effnet::cuda
