#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <effnet/arch/layers.hpp>

namespace effnet {

/// What a stored tensor is to its layer.
enum class tensor_part {
  weight,
  bias,
  bn_weight,
  bn_bias,
  bn_running_mean,
  bn_running_var,
  bn_num_batches,  ///< PyTorch's counter, an integer scalar; many files leave it out
};

/// One tensor of a network as checkpoints store it: convolutions OIHW (depthwise C,1,k,k),
/// fully connected layers (out, in), all else one extent.
struct tensor_spec {
  layer of;
  tensor_part part = tensor_part::weight;
  std::array<std::int64_t, 4> extents{};
  int rank = 0;  ///< how many of `extents` count; 0: a scalar

  constexpr std::size_t elements() const {
    std::size_t count = 1;
    for (int i = 0; i < rank; ++i)
      count *= static_cast<std::size_t>(extents[static_cast<std::size_t>(i)]);
    return count;
  }
};

/// Calls `visit(tensor_spec)` for every tensor, in the order of PyTorch's state dict.
template <class Visitor>
constexpr void for_each_tensor(const network_spec& spec, Visitor&& visit) {
  for_each_layer(spec, [&](const layer& l) {
    if (l.role == layer_role::classifier)
      visit(tensor_spec{l, tensor_part::weight, {l.out, l.in}, 2});
    else
      visit(tensor_spec{l, tensor_part::weight, {l.out, l.in / l.groups, l.kernel, l.kernel}, 4});
    if (l.bias) visit(tensor_spec{l, tensor_part::bias, {l.out}, 1});
    if (l.batch_norm) {
      using enum tensor_part;
      for (tensor_part part : {bn_weight, bn_bias, bn_running_mean, bn_running_var})
        visit(tensor_spec{l, part, {l.out}, 1});
      visit(tensor_spec{l, bn_num_batches, {}, 0});
    }
  });
}

/// Entries of a state dict, `num_batches_tracked` included.
constexpr std::size_t count_tensors(const network_spec& spec) {
  std::size_t count = 0;
  for_each_tensor(spec, [&](const tensor_spec&) { ++count; });
  return count;
}

}  // namespace effnet
