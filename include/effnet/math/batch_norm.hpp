#pragma once

#include <cmath>
#include <cstddef>

#include <effnet/core/config.hpp>

namespace effnet::math {

/// What batch norm multiplies a channel with and adds to it, from its statistics.
struct norm_factors {
  float inverse;  ///< 1 / sqrt(variance + eps)
  float scale;    ///< weight * inverse
  float shift;    ///< bias - mean * scale
};

EFFNET_HD inline norm_factors norm_factors_of(float mean, float variance, float weight, float bias,
                                              float eps) {
  const double inverse = 1 / std::sqrt(static_cast<double>(variance) + static_cast<double>(eps));
  const double scale = static_cast<double>(weight) * inverse;
  return {static_cast<float>(inverse), static_cast<float>(scale),
          static_cast<float>(static_cast<double>(bias) - static_cast<double>(mean) * scale)};
}

/// By how much the unbiased variance of `pixels` numbers is larger than the biased one; 1 for one
/// number, which has none.
EFFNET_HD inline double unbiased_correction(std::size_t pixels) {
  return pixels > 1 ? static_cast<double>(pixels) / static_cast<double>(pixels - 1) : 1.0;
}

/// running + momentum * (batch - running).
EFFNET_HD inline float moved_statistic(float running, double batch, float momentum) {
  const double from = static_cast<double>(running);
  return static_cast<float>(from + static_cast<double>(momentum) * (batch - from));
}

/// The four rows of `norm_constants`, mean, inverse, scale and shift, for all channels.
inline void fill_norm_constants(const float* mean, const float* variance, const float* weight,
                                const float* bias, float eps, int channels, float* rows) {
  for (int c = 0; c < channels; ++c) {
    const norm_factors f = norm_factors_of(mean[c], variance[c], weight[c], bias[c], eps);
    rows[c] = mean[c];
    rows[channels + c] = f.inverse;
    rows[2 * channels + c] = f.scale;
    rows[3 * channels + c] = f.shift;
  }
}

/// Moves the running statistics of all channels; `correction` turns the batch's biased variance
/// into what the running one follows.
inline void move_statistics(const float* mean, const float* variance, double correction,
                            int channels, float momentum, float* running_mean, float* running_var) {
  for (int c = 0; c < channels; ++c) {
    running_mean[c] = moved_statistic(running_mean[c], static_cast<double>(mean[c]), momentum);
    running_var[c] =
        moved_statistic(running_var[c], static_cast<double>(variance[c]) * correction, momentum);
  }
}

}  // namespace effnet::math
