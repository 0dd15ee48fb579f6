#pragma once

#include <optional>

#include <effnet/backend/problems.hpp>
#include <effnet/cuda/gpu_options.hpp>

/// Which convolutions are offered to a device's libraries.
namespace effnet::cuda {

constexpr bool worth_a_library(const conv_problem& p, const gpu_options& options) {
  return options.libraries && !p.depthwise() && p.macs() >= options.least_macs &&
         p.src.c % options.channel_multiple == 0 && p.out % options.channel_multiple == 0;
}

/// Whether it is one product of matrices, pixels by channels, that stand in memory as they are.
constexpr bool is_matrix_product(const conv_problem& p) {
  const bool every_pixel = p.stride == 1 || (p.src.h == 1 && p.src.w == 1);
  return !p.depthwise() && p.kernel == 1 && every_pixel && p.pad == padding{};
}

/// Libraries know one number of rows and one of columns for both sides, which TensorFlow's "SAME"
/// has not where it strides over even sizes.
constexpr bool is_padded_alike(const conv_problem& p) {
  return p.pad.top == p.pad.bottom && p.pad.left == p.pad.right;
}

/// The one activation of an epilogue that comes last, behind the residual; nothing where another
/// stands before it.
constexpr std::optional<activation> last_activation(const epilogue& then) {
  if (then.before == activation::identity) return then.after;
  if (!then.add_dst && then.after == activation::identity) return then.before;
  return std::nullopt;
}

/// Whether a pass over the result costs little beside the convolution.
constexpr bool worth_a_pass(const conv_problem& p, const gpu_options& options) {
  return p.kernel * p.kernel * p.src.c >= options.least_depth_before_pass;
}

}  // namespace effnet::cuda
