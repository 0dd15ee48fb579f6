#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <effnet/backend/problems.hpp>
#include <effnet/nn/layer_text.hpp>

/// A convolution as a network runs it.
struct network_conv {
  std::string layer;  ///< "stage2.block1.fused", counted from 1: the first that it is
  effnet::conv_problem problem;
  effnet::epilogue then;
  int layers = 1;  ///< how many layers of the network it is
};

/// An op without weights.
struct network_op {
  enum kind { activation, copy, add, scale_channels, global_pool, max_pool } what;
  std::string layer;   ///< the first after whose convolution, or for which, it runs
  effnet::shape4 src;  ///< of max pooling and the mean; of the others also dst
};

/// "stage2.block1.fused", "stem".
inline std::string row_name(const effnet::layer& l) {
  const std::string role(effnet::role_text(l.role));
  return l.stage < 0 ? role
                     : effnet::sentence("stage", l.stage + 1, ".block", l.block + 1, '.', role);
}

/// What the blocks of `nn` let the convolution do while it stores.
inline effnet::epilogue epilogue_of(const effnet::network_spec& spec, const effnet::layer& l) {
  if (l.stage < 0) return {.before = l.act};
  const effnet::block_spec block =
      effnet::block_of(spec.stages[static_cast<std::size_t>(l.stage)], l.block);
  switch (l.role) {
    case effnet::layer_role::project:
      return {.add_dst = block.has_skip()};
    case effnet::layer_role::fused:
      return {.before = l.act, .add_dst = block.expand == 1 && block.has_skip() && !block.has_se()};
    case effnet::layer_role::restore:
      return {.add_dst = true, .after = spec.act};
    default:
      return {.before = l.act};
  }
}

/// Every distinct convolution of a network, in its order.
inline std::vector<network_conv> distinct_convs(const effnet::network_spec& spec, int size,
                                                int batch, effnet::padding_rule rule) {
  std::vector<network_conv> convs;
  effnet::for_each_layer(spec, size, size, [&](const effnet::layer& l) {
    network_conv next{.layer = row_name(l),
                      .problem = effnet::problem_of(l, rule, {batch, l.src_h, l.src_w, l.in}),
                      .then = epilogue_of(spec, l)};
    const auto seen = std::ranges::find_if(convs, [&](const network_conv& c) {
      return c.problem == next.problem && c.then == next.then;
    });
    if (seen != convs.end())
      ++seen->layers;
    else
      convs.push_back(std::move(next));
  });
  return convs;
}

/// Every distinct op without weights of a network, in its order: also activations and residuals,
/// which backends run apart where they cannot fuse them.
inline std::vector<network_op> distinct_ops(const effnet::network_spec& spec, int size, int batch) {
  using enum effnet::layer_role;
  std::vector<network_op> ops;
  const auto add = [&](network_op::kind what, const effnet::layer& l, const effnet::shape4& src) {
    const bool seen = std::ranges::any_of(
        ops, [&](const network_op& op) { return op.what == what && op.src == src; });
    if (!seen) ops.push_back({what, row_name(l), src});
  };
  effnet::shape4 map;  // what squeeze-excite and the classifier pool
  effnet::for_each_layer(spec, size, size, [&](const effnet::layer& l) {
    if (l.role == squeeze || l.role == classifier) add(network_op::global_pool, l, map);
    if (l.role == excite) add(network_op::scale_channels, l, map);
    if (!l.batch_norm) return;
    map = {batch, l.dst_h, l.dst_w, l.out};
    const effnet::epilogue then = epilogue_of(spec, l);
    if (then.before != effnet::activation::identity || then.after != effnet::activation::identity)
      add(network_op::activation, l, map);
    if (then.add_dst) add(network_op::add, l, map);
    if (then.add_dst && l.role == fused) add(network_op::copy, l, map);
    if (l.role == stem && spec.stem_pool) add(network_op::max_pool, l, map);
  });
  return ops;
}
