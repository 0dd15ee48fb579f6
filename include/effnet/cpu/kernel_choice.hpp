#pragma once

#include <effnet/cpu/cpu_options.hpp>
#include <effnet/cpu/pointwise.hpp>
#include <effnet/cpu/window_rows.hpp>
#include <effnet/cpu/winograd.hpp>

/// Which kernel a convolution runs on: functions of its shape and the options alone, so that equal
/// plans run equal kernels on every machine and number of threads.
namespace effnet::cpu {

/// Whether Winograd should be faster than direct convolution. Costs are in multiply-adds of the
/// inner loops: what tiles waste at an image's edges, sums over rows of a matrix too low for its
/// kernel, transforms, and `moved` for what a pair of channels costs in memory at each point.
constexpr bool winograd_pays(const conv_problem& p, double tiles, double moved) {
  const double in = p.src.c, out = p.out;
  constexpr double efficiency = 0.7;         // of the products, beside direct convolution's
  constexpr double source = 6, result = 10;  // one transformed value
  const double products = in * out * (tiles / efficiency + moved);
  const double transforms = tiles * (source * in + result * out);
  return 36 * (products + transforms) < static_cast<double>(p.macs());
}
constexpr double winograd_tiles(const conv_problem& p) {
  const shape4 d = p.dst();
  return static_cast<double>(d.n) * ((d.h + 3) / 4) * ((d.w + 3) / 4);
}

/// Weights four times as large are read again by each chunk of tiles.
constexpr bool prefers_winograd(const conv_problem& p) {
  constexpr double read = 8;  // one weight, from the third cache
  const double tiles = winograd_tiles(p);
  return has_winograd(p) && winograd_pays(p, tiles, read * (tiles / 48 + 1));
}

/// Of the gradient by the weights: its sums, 36 for every pair of channels, are written, read and
/// transformed once, which costs the more the less of them the third cache holds.
constexpr bool prefers_winograd_weight_gradient(const conv_problem& p) {
  const double megabytes = 36.0 * p.src.c * p.out * sizeof(float) / 1e6;
  return has_winograd(p) && winograd_pays(p, winograd_tiles(p), 18 + 1.4 * megabytes);
}

/// Own 1x1 and window kernels win by what follows the product: SiLU in half of oneDNN's time. Bare
/// products are faster there.
constexpr bool has_slow_activation(const epilogue& then) {
  const auto slow = [](activation act) {
    return act == activation::silu || act == activation::sigmoid;
  };
  return slow(then.before) || slow(then.after);
}

/// What a 1x1 convolution multiplies. Squeeze-excite's layers and the classifier, which read one
/// pixel an image, stay in fp32.
constexpr products products_of(const conv_problem& p, const cpu_options& options) {
  const bool image = p.src.h * p.src.w > 1;
  return options.bf16 && is_pointwise(p) && image ? products::bf16 : products::fp32;
}

/// Dense convolutions of few channels, as a network's first layer, or of a stride.
constexpr bool prefers_windows(const conv_problem& p, const epilogue& then) {
  return has_windows(p) && has_slow_activation(then) && (p.stride > 1 || p.src.c <= 4);
}
/// Of a stride, but for a first layer: few channels fill no register there.
constexpr bool prefers_window_data_gradient(const conv_problem& p) {
  return has_windows(p) && p.stride > 1 && p.src.c > 4;
}
/// The same; its sums, written by every row of results, should stay in the cache.
constexpr bool prefers_window_weight_gradient(const conv_problem& p) {
  return has_windows(p) && p.stride > 1 && p.src.c > 4 && p.src.c <= 128;
}

inline kernel_kind kernel_for(const conv_problem& p, const epilogue& then,
                              const cpu_options& options) {
  if (products_of(p, options) == products::bf16) return kernel_kind::pointwise;
  if (options.winograd && prefers_winograd(p)) return kernel_kind::winograd;
  if (prefers_windows(p, then)) return kernel_kind::window;
  if (has_slow_activation(then) && is_pointwise(p)) return kernel_kind::pointwise;
  return kernel_kind::direct;
}

/// Whether the gradient by the source is a convolution too: of stride 1, and of no more padding
/// than its kernel reaches over.
constexpr bool is_turnable(const conv_problem& p) {
  const int last = p.kernel - 1;
  return p.stride == 1 && p.pad.top <= last && p.pad.left <= last && p.pad.bottom <= last &&
         p.pad.right <= last;
}

/// Own depthwise gradients by the source: oneDNN is faster where rows are short and channels many.
constexpr bool prefers_depthwise_data_gradient(const conv_problem& p) {
  return p.depthwise() && is_turnable(p) && p.src.w >= 16;
}

/// The convolution that makes the gradient by the source of one of stride 1: from the gradient of
/// the result, with the filters turned.
constexpr conv_problem turned(const conv_problem& p) {
  const int last = p.kernel - 1;
  return {.src = p.dst(),
          .out = p.src.c,
          .kernel = p.kernel,
          .stride = 1,
          .groups = p.groups,
          .pad = {last - p.pad.top, last - p.pad.left, last - p.pad.bottom, last - p.pad.right}};
}

}  // namespace effnet::cpu
