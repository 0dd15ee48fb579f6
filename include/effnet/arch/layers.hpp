#pragma once

#include <cstddef>

#include <effnet/arch/network_spec.hpp>

namespace effnet {

/// What a layer with weights does in its block.
enum class layer_role {
  stem,
  expand,     ///< 1x1 of an MBConv
  depthwise,  ///< kxk, one group a channel
  fused,      ///< kxk of a Fused-MBConv
  squeeze,    ///< first 1x1 of squeeze-excite, on pooled channels
  excite,     ///< second 1x1 of squeeze-excite
  project,    ///< 1x1 without activation
  reduce,     ///< first 1x1 of a bottleneck
  spatial,    ///< 3x3 of a bottleneck
  restore,    ///< last 1x1 of a bottleneck; its activation follows the addition
  shortcut,   ///< strided 1x1 beside a bottleneck
  head,
  classifier,
};

/// One block of a stage: `stage_spec` with `repeats` taken apart.
struct block_spec {
  block_op op = block_op::mbconv;
  int kernel = 3, stride = 1, expand = 1, in = 0, out = 0;
  float se = 0;

  constexpr int expanded() const { return op == block_op::bottleneck ? out / expand : in * expand; }
  /// From the block's input channels, not the expanded ones (efficientnet_builder.py).
  constexpr int squeezed() const {
    const int width = static_cast<int>(static_cast<double>(in) * static_cast<double>(se));
    return width > 1 ? width : 1;
  }
  constexpr bool has_se() const { return se > 0; }
  constexpr bool keeps_shape() const { return stride == 1 && in == out; }
  /// MBConv and Fused-MBConv add their input only where shapes agree; a bottleneck always does.
  constexpr bool has_skip() const { return op == block_op::bottleneck || keeps_shape(); }
};

/// Block `index` of a stage.
constexpr block_spec block_of(const stage_spec& s, int index) {
  return index == 0 ? block_spec{s.op, s.kernel, s.stride, s.expand, s.in, s.out, s.se}
                    : block_spec{s.op, s.kernel, 1, s.expand, s.out, s.out, s.se};
}

/// Number of blocks in the whole network: L of stochastic depth.
constexpr int block_count(const network_spec& spec) {
  int count = 0;
  for (const stage_spec& stage : spec.stages) count += stage.repeats;
  return count;
}

/// A convolution or fully connected layer, with where it stands and what it reads.
struct layer {
  layer_role role = layer_role::stem;
  int stage = -1;  ///< from 0; -1 outside the stages
  int block = 0;   ///< within the stage
  int flat_block = 0;
  int in = 0, out = 0, kernel = 1, stride = 1, groups = 1;
  bool bias = false;        ///< own bias: squeeze, excite, classifier
  bool batch_norm = false;  ///< every other one
  activation act = activation::identity;
  int src_h = 0, src_w = 0, dst_h = 0, dst_w = 0;  ///< pixels; 0 where no image size was given

  constexpr std::size_t weights() const {
    return static_cast<std::size_t>(out) * static_cast<std::size_t>(in / groups) *
           static_cast<std::size_t>(kernel) * static_cast<std::size_t>(kernel);
  }
};

/// Both padding rules give ceil(size / stride) for the odd kernels that are allowed.
constexpr int strided(int size, int stride) {
  return (size + stride - 1) / stride;
}

namespace detail {

/// Follows the image size along the layers of one network.
template <class Visitor>
struct layer_walk {
  Visitor& visit;
  int h = 0, w = 0;  ///< of the activation that the next layer reads
  int stage = -1, block = 0, flat_block = 0;

  constexpr void convolution(layer_role role, int in, int out, int kernel, int stride, int groups,
                             activation act) {
    emit({.role = role,
          .in = in,
          .out = out,
          .kernel = kernel,
          .stride = stride,
          .groups = groups,
          .batch_norm = true,
          .act = act});
  }
  constexpr void emit(layer l) {
    l.stage = stage, l.block = block, l.flat_block = flat_block;
    l.src_h = h, l.src_w = w;
    h = l.dst_h = strided(h, l.stride);
    w = l.dst_w = strided(w, l.stride);
    visit(l);
  }
  /// Squeeze-excite sees the pooled channels: one pixel an image.
  constexpr void squeeze_excite(int channels, int squeezed, activation act) {
    const int keep_h = h, keep_w = w;
    h = w = keep_h > 0 ? 1 : 0;
    emit({.role = layer_role::squeeze, .in = channels, .out = squeezed, .bias = true, .act = act});
    emit({.role = layer_role::excite,
          .in = squeezed,
          .out = channels,
          .bias = true,
          .act = activation::sigmoid});
    h = keep_h, w = keep_w;
  }
  constexpr void walk(const block_spec& b, activation act) {
    using enum layer_role;
    const int wide = b.expanded();
    switch (b.op) {
      case block_op::mbconv:
        if (b.expand != 1) convolution(expand, b.in, wide, 1, 1, 1, act);
        convolution(depthwise, wide, wide, b.kernel, b.stride, wide, act);
        if (b.has_se()) squeeze_excite(wide, b.squeezed(), act);
        convolution(project, wide, b.out, 1, 1, 1, activation::identity);
        break;
      case block_op::fused_mbconv:
        convolution(fused, b.in, b.expand == 1 ? b.out : wide, b.kernel, b.stride, 1, act);
        if (b.has_se()) squeeze_excite(b.expand == 1 ? b.out : wide, b.squeezed(), act);
        if (b.expand != 1) convolution(project, wide, b.out, 1, 1, 1, activation::identity);
        break;
      case block_op::bottleneck: {
        const int block_h = h, block_w = w;
        convolution(reduce, b.in, wide, 1, 1, 1, act);
        convolution(spatial, wide, wide, b.kernel, b.stride, 1, act);
        convolution(restore, wide, b.out, 1, 1, 1, activation::identity);
        if (!b.keeps_shape()) {
          h = block_h, w = block_w;
          convolution(shortcut, b.in, b.out, 1, b.stride, 1, activation::identity);
        }
        break;
      }
    }
  }
};

}  // namespace detail

/// Calls `visit(layer)` for every layer with weights, in the order in which PyTorch's state dicts
/// of these networks list them. With an image size the layers carry their extents.
template <class Visitor>
constexpr void for_each_layer(const network_spec& spec, int height, int width, Visitor&& visit) {
  detail::layer_walk<Visitor> at{visit, height, width};
  at.convolution(layer_role::stem, spec.in_channels, spec.stem, spec.stem_kernel, 2, 1, spec.act);
  if (spec.stem_pool) at.h = strided(at.h, 2), at.w = strided(at.w, 2);
  for (const stage_spec& row : spec.stages) {
    ++at.stage;
    for (at.block = 0; at.block < row.repeats; ++at.block, ++at.flat_block)
      at.walk(block_of(row, at.block), spec.act);
  }
  at.stage = -1, at.block = 0;
  if (spec.head > 0)
    at.convolution(layer_role::head, spec.stages.back().out, spec.head, 1, 1, 1, spec.act);
  at.h = at.w = height > 0 ? 1 : 0;
  at.emit(
      {.role = layer_role::classifier, .in = spec.features(), .out = spec.classes, .bias = true});
}

template <class Visitor>
constexpr void for_each_layer(const network_spec& spec, Visitor&& visit) {
  for_each_layer(spec, 0, 0, visit);
}

}  // namespace effnet
