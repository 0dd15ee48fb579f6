#pragma once

#include <effnet/arch/tensors.hpp>

namespace effnet {

/// Which tensors weight decay applies to. The two generations of released code differ.
enum class decay_set {
  all_but_batch_norm,  ///< V1 (tensorflow/tpu): squeeze-excite and classifier biases decay too
  kernels,             ///< V2 (google/automl main.py): names without bias, gamma or beta
};

/// Whether an optimizer moves the tensor; the others are statistics that batch norm moves.
constexpr bool is_trained(const tensor_spec& tensor) {
  switch (tensor.part) {
    case tensor_part::weight:
    case tensor_part::bias:
    case tensor_part::bn_weight:
    case tensor_part::bn_bias:
      return true;
    case tensor_part::bn_running_mean:
    case tensor_part::bn_running_var:
    case tensor_part::bn_num_batches:
      return false;
  }
  return false;
}

/// Whether the tensor belongs to the set. Convolutions of every kind, depthwise included, and the
/// fully connected layer count as kernels.
constexpr bool decays(decay_set set, const tensor_spec& tensor) {
  return tensor.part == tensor_part::weight ||
         (tensor.part == tensor_part::bias && set == decay_set::all_but_batch_norm);
}

}  // namespace effnet
