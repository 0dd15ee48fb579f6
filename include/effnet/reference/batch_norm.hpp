#pragma once

#include <cmath>
#include <vector>

#include <effnet/core/tensor_view.hpp>

namespace effnet::reference {

/// Statistics of one training batch, a number a channel; `variance` is the biased one.
struct batch_statistics {
  std::vector<float> mean, variance;
};

/// Batch norm in training: dst = (src - mean) / sqrt(variance + eps) * scale + shift, with mean and
/// biased variance over n, h, w of this batch (two passes, in double). `scale` and `shift` have one
/// number a channel. `dst` may be `src`.
inline batch_statistics batch_norm_forward(const_tensor_view src, const float* scale,
                                           const float* shift, float eps, tensor_view dst) {
  const auto channels = static_cast<std::size_t>(src.shape.c);
  const std::size_t pixels = src.shape.elements() / channels;
  batch_statistics found{std::vector<float>(channels), std::vector<float>(channels)};
  for (std::size_t c = 0; c < channels; ++c) {
    double sum = 0, squares = 0;
    for (std::size_t p = 0; p < pixels; ++p) sum += double{src.data[p * channels + c]};
    const double mean = sum / static_cast<double>(pixels);
    for (std::size_t p = 0; p < pixels; ++p) {
      const double centred = double{src.data[p * channels + c]} - mean;
      squares += centred * centred;
    }
    const double variance = squares / static_cast<double>(pixels);
    const double factor = double{scale[c]} / std::sqrt(variance + double{eps});
    for (std::size_t p = 0; p < pixels; ++p) {
      const std::size_t i = p * channels + c;
      dst.data[i] = static_cast<float>((double{src.data[i]} - mean) * factor + double{shift[c]});
    }
    found.mean[c] = static_cast<float>(mean);
    found.variance[c] = static_cast<float>(variance);
  }
  return found;
}

/// Its backward, through the batch's own statistics: with x = (src - mean) / sqrt(variance + eps),
/// diff_shift = sum(diff_dst), diff_scale = sum(diff_dst * x), and
/// diff_src = scale / sqrt(variance + eps) * (diff_dst - diff_shift / m - x * diff_scale / m)
/// for m pixels. Overwrites all three; `diff_src` may be `diff_dst`.
inline void batch_norm_backward(const_tensor_view src, const batch_statistics& batch,
                                const float* scale, float eps, const_tensor_view diff_dst,
                                tensor_view diff_src, float* diff_scale, float* diff_shift) {
  const auto channels = static_cast<std::size_t>(src.shape.c);
  const std::size_t pixels = src.shape.elements() / channels;
  const double count = static_cast<double>(pixels);
  for (std::size_t c = 0; c < channels; ++c) {
    const double mean = double{batch.mean[c]};
    const double factor = 1 / std::sqrt(double{batch.variance[c]} + double{eps});
    const auto normalised = [&](std::size_t i) { return (double{src.data[i]} - mean) * factor; };
    double shift_sum = 0, scale_sum = 0;
    for (std::size_t i = c; i < pixels * channels; i += channels) {
      shift_sum += double{diff_dst.data[i]};
      scale_sum += double{diff_dst.data[i]} * normalised(i);
    }
    for (std::size_t i = c; i < pixels * channels; i += channels)
      diff_src.data[i] = static_cast<float>(
          double{scale[c]} * factor *
          (double{diff_dst.data[i]} - shift_sum / count - normalised(i) * scale_sum / count));
    diff_scale[c] = static_cast<float>(scale_sum);
    diff_shift[c] = static_cast<float>(shift_sum);
  }
}

/// How a batch moves the running statistics: running += momentum * (batch - running). PyTorch and
/// fused TensorFlow keep the unbiased variance (count / (count - 1)), TensorFlow on TPU the biased.
enum class running_variance { unbiased, biased };

inline void update_running_statistics(const batch_statistics& batch, std::size_t pixels,
                                      float momentum, running_variance rule, float* running_mean,
                                      float* running_var) {
  const double correction = rule == running_variance::unbiased && pixels > 1
                                ? static_cast<double>(pixels) / static_cast<double>(pixels - 1)
                                : 1.0;
  const auto move = [&](float& running, double towards) {
    running = static_cast<float>(double{running} + double{momentum} * (towards - double{running}));
  };
  for (std::size_t c = 0; c < batch.mean.size(); ++c) {
    move(running_mean[c], double{batch.mean[c]});
    move(running_var[c], double{batch.variance[c]} * correction);
  }
}

}  // namespace effnet::reference
