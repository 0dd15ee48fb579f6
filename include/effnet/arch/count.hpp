#pragma once

#include <algorithm>
#include <cstdint>

#include <effnet/arch/layers.hpp>

namespace effnet {

/// Trainable numbers of one layer: weights, biases, batch-norm scale and shift.
constexpr std::int64_t count_parameters(const layer& l) {
  return static_cast<std::int64_t>(l.weights()) + (l.bias ? l.out : 0) +
         (l.batch_norm ? 2 * std::int64_t{l.out} : 0);
}

/// Multiply-adds of one layer for one image: convolutions and fully connected layers only, biases,
/// batch norm and element functions not counted.
constexpr std::int64_t count_macs(const layer& l) {
  return static_cast<std::int64_t>(l.weights()) * l.dst_h * l.dst_w;
}

/// Trainable parameters of a network.
constexpr std::int64_t count_parameters(const network_spec& spec) {
  std::int64_t count = 0;
  for_each_layer(spec, [&](const layer& l) { count += count_parameters(l); });
  return count;
}

/// Moving means and variances: what is stored beside the trainable parameters.
constexpr std::int64_t count_bn_statistics(const network_spec& spec) {
  std::int64_t count = 0;
  for_each_layer(spec,
                 [&](const layer& l) { count += l.batch_norm ? 2 * std::int64_t{l.out} : 0; });
  return count;
}

constexpr int count_bn_layers(const network_spec& spec) {
  int count = 0;
  for_each_layer(spec, [&](const layer& l) { count += l.batch_norm; });
  return count;
}

/// Multiply-adds for one image of `height` x `width` pixels.
constexpr std::int64_t count_macs(const network_spec& spec, int height, int width) {
  std::int64_t count = 0;
  for_each_layer(spec, height, width, [&](const layer& l) { count += count_macs(l); });
  return count;
}
constexpr std::int64_t count_macs(const network_spec& spec, int size) {
  return count_macs(spec, size, size);
}

/// Float32 activations of a forward pass, in bytes.
struct activation_bytes {
  std::int64_t stored = 0;   ///< every layer's output: what training has to keep or recompute
  std::int64_t largest = 0;  ///< the largest source and destination pair: no inference needs less
};

constexpr activation_bytes count_activations(const network_spec& spec, int batch, int height,
                                             int width) {
  activation_bytes bytes;
  for_each_layer(spec, height, width, [&](const layer& l) {
    const std::int64_t src = std::int64_t{4} * batch * l.src_h * l.src_w * l.in;
    const std::int64_t dst = std::int64_t{4} * batch * l.dst_h * l.dst_w * l.out;
    bytes.stored += dst;
    bytes.largest = std::max(bytes.largest, src + dst);
  });
  return bytes;
}

}  // namespace effnet
