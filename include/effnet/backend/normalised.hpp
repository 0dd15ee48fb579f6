#pragma once

#include <cstddef>

#include <effnet/arch/network_spec.hpp>
#include <effnet/core/tensor_view.hpp>

namespace effnet {

/// Where batch norm keeps what it needs of a channel: four rows, one number a channel.
struct norm_constants {
  static constexpr std::size_t rows = 4;

  const float* mean = nullptr;     ///< of the batch, or the running one
  const float* inverse = nullptr;  ///< 1 / sqrt(variance + eps)
  const float* scale = nullptr;    ///< weight * inverse
  const float* shift = nullptr;    ///< bias - mean * scale

  norm_constants() = default;
  /// `memory` holds the rows one after the other.
  norm_constants(const float* memory, int channels)
      : mean(memory),
        inverse(memory + channels),
        scale(inverse + channels),
        shift(scale + channels) {}
};

/// A convolution's result and what is made of it whenever somebody reads it:
/// act(scale[c] * src + shift[c]) * gate[n,c] * keep[n]. Training stores `src` alone and computes
/// the rest again in the backward pass.
struct normalised {
  const_tensor_view src;
  norm_constants constants;
  activation act = activation::identity;
  const float* gate = nullptr;  ///< squeeze-excite's, [n, 1, 1, c]; null: 1
  const float* keep = nullptr;  ///< stochastic depth's, [n], 0 or 1 / survival; null: 1
};

}  // namespace effnet
