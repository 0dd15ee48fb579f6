#pragma once

#include <effnet/search/search_space.hpp>

/// The search spaces of the papers, on any skeleton.
namespace effnet {

namespace detail {
inline std::vector<int> in_order(std::vector<int> values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}
}  // namespace detail

/// EfficientNetV2, section 3.2: MBConv or Fused-MBConv, kernel 3 or 5, expansion 1, 4 or 6, and the
/// number of layers, stage by stage; channels are the skeleton's, and nothing skips by pooling.
/// How many layers were tried is not published: here half as many as the skeleton's, as many, and
/// half as many again; a stage of stride 1 behind the first may also be left out, as the last one
/// of EfficientNetV2-S was.
inline search_space v2_space(const network_spec& skeleton) {
  std::vector<stage_choices> stages;
  for (const stage_spec& row : skeleton.stages) {
    std::vector<int> repeats = {(row.repeats + 1) / 2, row.repeats, (3 * row.repeats + 1) / 2};
    if (row.stride == 1 && !stages.empty()) repeats.push_back(0);
    stages.push_back({.ops = {{block_op::mbconv}, {block_op::fused_mbconv}},
                      .repeats = detail::in_order(std::move(repeats)),
                      .kernels = {3, 5},
                      .expands = {1, 4, 6},
                      .ses = {0.25f}});
  }
  return search_space(skeleton, std::move(stages));
}

/// MnasNet, section 4.1, from which EfficientNet-B0 was found: convolution (a Fused-MBConv of
/// expansion 1), depthwise separable convolution (an MBConv of expansion 1) or MBConv of expansion
/// 3 or 6, kernel 3 or 5, squeeze-excite or none, 0.75, 1 or 1.25 times the skeleton's channels,
/// and a layer more or less. A block's input is added wherever shapes agree; the pooled and the
/// missing skip of that paper are left out: none of its networks has one.
inline search_space mnasnet_space(const network_spec& skeleton) {
  std::vector<stage_choices> stages;
  for (const stage_spec& row : skeleton.stages)
    stages.push_back(
        {.ops = {{block_op::fused_mbconv, 1}, {block_op::mbconv, 1}, {block_op::mbconv}},
         .repeats = detail::in_order({std::max(1, row.repeats - 1), row.repeats, row.repeats + 1}),
         .kernels = {3, 5},
         .expands = {3, 6},
         .ses = {0, 0.25f},
         .widths = {0.75, 1, 1.25}});
  return search_space(skeleton, std::move(stages));
}

}  // namespace effnet
