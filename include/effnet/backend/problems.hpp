#pragma once

#include <effnet/arch/convention.hpp>
#include <effnet/arch/layers.hpp>
#include <effnet/core/shape.hpp>

namespace effnet {

/// Rows and columns of zeros around an image.
struct padding {
  int top = 0, left = 0, bottom = 0, right = 0;
  friend constexpr bool operator==(const padding&, const padding&) = default;
};

/// What a rule adds before and after one axis, as {before, after}; `kernel` is odd.
constexpr std::array<int, 2> axis_padding(padding_rule rule, int size, int kernel, int stride) {
  if (rule == padding_rule::symmetric) return {(kernel - 1) / 2, (kernel - 1) / 2};
  const int wanted = (strided(size, stride) - 1) * stride + kernel - size;
  const int total = wanted > 0 ? wanted : 0;
  return {total / 2, total - total / 2};
}

/// A convolution of one shape: dense (`groups` 1) or depthwise (`groups` = in = out channels). A
/// fully connected layer is a 1x1 on one pixel.
struct conv_problem {
  shape4 src;
  int out = 0;
  int kernel = 1;
  int stride = 1;
  int groups = 1;
  padding pad;

  constexpr shape4 dst() const {
    return {src.n, (src.h + pad.top + pad.bottom - kernel) / stride + 1,
            (src.w + pad.left + pad.right - kernel) / stride + 1, out};
  }
  constexpr std::size_t weights() const {
    return static_cast<std::size_t>(out) * static_cast<std::size_t>(src.c / groups) *
           static_cast<std::size_t>(kernel) * static_cast<std::size_t>(kernel);
  }
  /// Multiply-adds.
  constexpr std::size_t macs() const {
    return dst().elements() / static_cast<std::size_t>(out) * weights();
  }
  constexpr bool depthwise() const { return groups > 1; }
  constexpr bool fully_connected() const {
    return src.h == 1 && src.w == 1 && kernel == 1 && groups == 1;
  }

  friend constexpr bool operator==(const conv_problem&, const conv_problem&) = default;
};

/// The problem that a network's layer poses for a source of shape `src`.
constexpr conv_problem problem_of(const layer& l, padding_rule rule, shape4 src) {
  const auto rows = axis_padding(rule, src.h, l.kernel, l.stride);
  const auto columns = axis_padding(rule, src.w, l.kernel, l.stride);
  return {.src = src,
          .out = l.out,
          .kernel = l.kernel,
          .stride = l.stride,
          .groups = l.groups,
          .pad = {rows[0], columns[0], rows[1], columns[1]}};
}

/// What follows a convolution before its result is stored:
/// dst = after(before(conv + bias) + (add_dst ? dst : 0)).
struct epilogue {
  activation before = activation::identity;
  bool add_dst = false;  ///< the residual stands in dst already
  activation after = activation::identity;

  friend constexpr bool operator==(const epilogue&, const epilogue&) = default;
};

/// Max pooling of a square window; what lies outside the image is never the maximum.
struct max_pool_problem {
  shape4 src;
  int kernel = 3;
  int stride = 2;
  padding pad;

  constexpr shape4 dst() const {
    return {src.n, (src.h + pad.top + pad.bottom - kernel) / stride + 1,
            (src.w + pad.left + pad.right - kernel) / stride + 1, src.c};
  }
};

}  // namespace effnet
