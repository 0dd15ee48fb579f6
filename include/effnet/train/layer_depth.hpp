#pragma once

#include <effnet/arch/layers.hpp>

namespace effnet {

/// How far a layer is from the classifier, which is 0: the head's convolution is 1 where there is
/// one, then every block is one more, up to the stem.
constexpr int depth_from_classifier(const network_spec& spec, const layer& at) {
  const int head = spec.head > 0 ? 1 : 0;
  switch (at.role) {
    case layer_role::classifier:
      return 0;
    case layer_role::head:
      return 1;
    case layer_role::stem:
      return head + block_count(spec) + 1;
    default:
      return head + block_count(spec) - at.flat_block;
  }
}

}  // namespace effnet
