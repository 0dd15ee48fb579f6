#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include <effnet/cuda/launch_shape.hpp>
#include <effnet/cuda/products.hpp>
#include <effnet/cuda/shared_memory.hpp>
#include <effnet/math/rounding.hpp>

namespace effnet::cuda {

inline constexpr unsigned warp_lanes = 32;

/// A lane's share of a product of matrices, 16 x 8 += 16 x cells by cells x 8, of eight cells: a
/// cell is a TF32 number, or a pair of 16 bits each. With g = lane / 4 and t = lane % 4 (PTX ISA,
/// "Matrix Fragments for mma.m16n8k8" and "mma.m16n8k16", which agree when counted in cells):
struct product_fragments {
  const float* left;   ///< [4]: row g + 8 * (i % 2), cell t + 4 * (i / 2)
  const float* right;  ///< [2]: cell t + 4 * i, column g
  float* sums;         ///< [4]: row g + 8 * (i / 2), column 2 * t + i % 2
};

/// A warp, for what its lanes do together. On a device each lane has its own, and the instruction;
/// the processor's has all 32.
template <class Registers>
class warp {
 public:
#if defined(__CUDACC__)
  __device__ warp(const thread_place& at, Registers& own) : places_(&at), own_(&own) {}
#endif
  /// Of 32 threads; the first of them is `first`. `backwards`: the last lane goes first.
  warp(const thread_place* places, Registers* own, checked_shared_memory& memory, unsigned first,
       bool backwards)
      : places_(places), own_(own), memory_(&memory), first_(first), backwards_(backwards) {}

  /// Calls `body(place, registers)` for every lane.
  template <class Body>
  EFFNET_HD void each_lane(const Body& body) const {
#if defined(__CUDA_ARCH__)
    body(*places_, *own_);
#else
    for (unsigned i = 0; i < warp_lanes; ++i) {
      const unsigned lane = backwards_ ? warp_lanes - 1 - i : i;
      memory_->enter(first_ + lane);
      body(places_[lane], own_[lane]);
    }
#endif
  }

  /// Multiplies what `fragments(registers)` says of every lane. `Of` is not fp32.
  template <products Of, class Fragments>
  EFFNET_HD void multiply(const Fragments& fragments) const {
#if defined(__CUDA_ARCH__)
#if __CUDA_ARCH__ >= 800
    const product_fragments f = fragments(*own_);
    const std::uint32_t a0 = __float_as_uint(f.left[0]), a1 = __float_as_uint(f.left[1]),
                        a2 = __float_as_uint(f.left[2]), a3 = __float_as_uint(f.left[3]),
                        b0 = __float_as_uint(f.right[0]), b1 = __float_as_uint(f.right[1]);
#define EFFNET_MULTIPLY_FRAGMENTS(shape_and_types)                                  \
  asm volatile("mma.sync.aligned." shape_and_types                                  \
               " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"   \
               : "+f"(f.sums[0]), "+f"(f.sums[1]), "+f"(f.sums[2]), "+f"(f.sums[3]) \
               : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1))
    if constexpr (Of == products::fp16)
      EFFNET_MULTIPLY_FRAGMENTS("m16n8k16.row.col.f32.f16.f16.f32");
    else if constexpr (Of == products::bf16)
      EFFNET_MULTIPLY_FRAGMENTS("m16n8k16.row.col.f32.bf16.bf16.f32");
    else
      EFFNET_MULTIPLY_FRAGMENTS("m16n8k8.row.col.f32.tf32.tf32.f32");
#undef EFFNET_MULTIPLY_FRAGMENTS
#endif
#else
    constexpr unsigned rows = 16, columns = 8, cells = 8;
    product_fragments f[warp_lanes];
    for (unsigned lane = 0; lane < warp_lanes; ++lane) f[lane] = fragments(own_[lane]);
    for (unsigned row = 0; row < rows; ++row)
      for (unsigned column = 0; column < columns; ++column) {
        float& sum = f[row % 8 * 4 + column / 2].sums[row / 8 * 2 + column % 2];
        double exact = double{sum};
        for (unsigned cell = 0; cell < cells; ++cell)
          exact += cell_product<Of>(f[row % 8 * 4 + cell % 4].left[row / 8 + cell / 4 * 2],
                                    f[column * 4 + cell % 4].right[cell / 4]);
        sum = static_cast<float>(exact);
      }
#endif
  }

 private:
  template <products Of>
  static double cell_product(float left, float right) {
    if constexpr (Of == products::tf32)
      return double{math::tf32_rounded(left)} * double{math::tf32_rounded(right)};
    const auto a = std::bit_cast<std::uint32_t>(left), b = std::bit_cast<std::uint32_t>(right);
    if constexpr (Of == products::fp16)
      return double{math::from_fp16_bits(a & 0xffff)} * double{math::from_fp16_bits(b & 0xffff)} +
             double{math::from_fp16_bits(a >> 16)} * double{math::from_fp16_bits(b >> 16)};
    return double{math::lower_of_pair(a)} * double{math::lower_of_pair(b)} +
           double{math::upper_of_pair(a)} * double{math::upper_of_pair(b)};
  }

  const thread_place* places_;
  Registers* own_;
  checked_shared_memory* memory_ = nullptr;
  unsigned first_ = 0;
  bool backwards_ = false;
};

}  // namespace effnet::cuda
