#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <effnet/core/rng.hpp>

namespace effnet {

namespace detail {

/// Number `index` of what step `step` draws for `purpose`, uniform in [0, 1).
inline double drawn_in_step(std::uint64_t seed, std::uint64_t step, std::uint64_t purpose,
                            std::uint64_t index) {
  const std::uint64_t key = mix64(mix64(mix64(seed) ^ purpose) ^ step);
  return static_cast<double>(mix64(key ^ mix64(index)) >> 11) * 0x1p-53;
}

}  // namespace detail

/// Dropout's factors for a batch of features [n, `features`]: 0 with `probability`, otherwise
/// 1 / (1 - probability). They depend on an image's place in the step's batch, not on how the batch
/// is taken apart.
inline void draw_dropout_mask(std::uint64_t seed, std::uint64_t step, int first_image, int features,
                              float probability, std::vector<float>& mask) {
  constexpr std::uint64_t purpose = 0x64726f70;  // "drop"
  const float kept = 1.0f / (1.0f - probability);
  const std::uint64_t first =
      static_cast<std::uint64_t>(first_image) * static_cast<std::uint64_t>(features);
  for (std::size_t i = 0; i < mask.size(); ++i)
    mask[i] =
        detail::drawn_in_step(seed, step, purpose, first + i) < static_cast<double>(probability)
            ? 0.0f
            : kept;
}

/// The probability with which block `index` of `blocks` survives, from 0: 1 - p * index / blocks
/// for p = `last_dropped` (google/automl effnetv2_model.py, tensorflow/tpu efficientnet_model.py).
inline double survival_of(int index, int blocks, double last_dropped) {
  return 1 - last_dropped * index / blocks;
}

/// Stochastic depth's factors, [blocks, images]: 1 / survival where an image goes through the
/// block, 0 where the shortcut alone is left (Huang et al. 2016, a draw for every image).
inline void draw_kept_blocks(std::uint64_t seed, std::uint64_t step, int first_image, int images,
                             int blocks, float last_dropped, std::vector<float>& keep) {
  constexpr std::uint64_t purpose = 0x64657074;  // "dept"
  std::size_t at = 0;
  for (int block = 0; block < blocks; ++block) {
    const double survival = survival_of(block, blocks, static_cast<double>(last_dropped));
    for (int i = 0; i < images; ++i, ++at) {
      const std::uint64_t index =
          (static_cast<std::uint64_t>(block) << 32) + static_cast<std::uint64_t>(first_image + i);
      keep[at] = detail::drawn_in_step(seed, step, purpose, index) < survival
                     ? static_cast<float>(1 / survival)
                     : 0.0f;
    }
  }
}

}  // namespace effnet
