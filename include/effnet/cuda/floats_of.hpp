#pragma once

#include <effnet/core/config.hpp>

namespace effnet::cuda {

/// Floats that a thread moves at once: channels next to each other.
template <int Width>
struct alignas(Width * sizeof(float)) floats_of {
  static_assert(Width == 1 || Width == 2 || Width == 4, "16 bytes are the widest access");

  float at[Width];

  EFFNET_HD float& operator[](int i) { return at[i]; }
  EFFNET_HD const float& operator[](int i) const { return at[i]; }
};

}  // namespace effnet::cuda
