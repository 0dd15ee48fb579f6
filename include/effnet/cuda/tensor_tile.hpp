#pragma once

#include <bit>
#include <cstdint>

#include <effnet/cuda/tile_memory.hpp>
#include <effnet/cuda/warp.hpp>

namespace effnet::cuda {

/// A block's tile of a matrix product as tensor cores make it: `rows` x `columns` results, of
/// `depth` cells at a time (see `product_fragments`), which stand in shared memory with the depth
/// outermost. Four warps make 32 x 32 results each.
template <products Of>
struct tensor_tile {
  static_assert(Of != products::fp32);

  static constexpr products of = Of;
  static constexpr int rows = 64, columns = 64, depth = 16;
  using memory = tile_memory<rows, columns, depth, rows + 8>;   // a warp reads from 32 banks
  static constexpr int numbers = Of == products::tf32 ? 1 : 2;  ///< of a cell
  static constexpr unsigned threads = 128;

  struct registers {
    float left[2][4], right[4][2];  ///< fragments of a step of eight cells
    float sums[2][4][4];
  };

  EFFNET_HD static float cell(const float (&some)[numbers]) {
#if __CUDA_ARCH__ >= 800
    std::uint32_t rounded = 0;
    if constexpr (Of == products::bf16)
      asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(rounded) : "f"(some[1]), "f"(some[0]));
    else if constexpr (Of == products::fp16)
      asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(rounded) : "f"(some[1]), "f"(some[0]));
    else
      asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(rounded) : "f"(some[0]));
    return __uint_as_float(rounded);
#else
    if constexpr (Of == products::bf16)
      return std::bit_cast<float>(math::bf16_pair(some[0], some[1]));
    else if constexpr (Of == products::fp16)
      return std::bit_cast<float>(math::fp16_bits(some[0]) | math::fp16_bits(some[1]) << 16);
    else
      return math::tf32_rounded(some[0]);
#endif
  }

  template <class Warp>
  EFFNET_HD static void multiply(int part, const Warp& together, const shared_memory& shared) {
    EFFNET_UNROLL
    for (int step = 0; step < depth; step += 8) {
      together.each_lane([&](const thread_place& at, registers& own) {
        const place p(at);
        EFFNET_UNROLL
        for (int v = 0; v < 4; ++v) {
          EFFNET_UNROLL
          for (int i = 0; i < 2; ++i)
            own.left[i][v] = shared.load(memory::left_at(part, step + p.t + 4 * (v / 2),
                                                         p.first_row + 16 * i + p.g + 8 * (v % 2)));
        }
        EFFNET_UNROLL
        for (int v = 0; v < 2; ++v) {
          EFFNET_UNROLL
          for (int j = 0; j < 4; ++j)
            own.right[j][v] = shared.load(
                memory::right_at(part, step + p.t + 4 * v, p.first_column + 8 * j + p.g));
        }
      });
      EFFNET_UNROLL
      for (int i = 0; i < 2; ++i) {
        EFFNET_UNROLL
        for (int j = 0; j < 4; ++j)
          together.template multiply<Of>([i, j](registers& own) {
            return product_fragments{own.left[i], own.right[j], own.sums[i][j]};
          });
      }
    }
  }

  /// Leaves what every lane has made in shared memory, to be stored behind a barrier.
  template <class Warp>
  EFFNET_HD static void leave_sums(const Warp& together, const shared_memory& shared) {
    together.each_lane([&](const thread_place& at, registers& own) {
      const place p(at);
      EFFNET_UNROLL
      for (int i = 0; i < 2; ++i) {
        EFFNET_UNROLL
        for (int j = 0; j < 4; ++j) {
          EFFNET_UNROLL
          for (int v = 0; v < 4; ++v)
            shared.store(memory::result_at(p.first_row + 16 * i + p.g + 8 * (v / 2),
                                           p.first_column + 8 * j + 2 * p.t + v % 2),
                         own.sums[i][j][v]);
        }
      }
    });
  }

 private:
  /// A lane in its warp, and the warp's part of the tile.
  struct place {
    int g, t, first_row, first_column;

    EFFNET_HD explicit place(const thread_place& at)
        : g(static_cast<int>(at.in_block.x % warp_lanes / 4)),
          t(static_cast<int>(at.in_block.x % 4)),
          first_row(static_cast<int>(at.in_block.x / warp_lanes / 2) * 32),
          first_column(static_cast<int>(at.in_block.x / warp_lanes % 2) * 32) {}
  };
};

}  // namespace effnet::cuda
