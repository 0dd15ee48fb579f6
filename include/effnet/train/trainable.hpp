#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <effnet/nn/training_network.hpp>

namespace effnet {

/// What a trainer asks of a network: `training_network`, or anything else with its tensors in its
/// device's memory.
template <class Network>
concept trainable = requires(Network& net, const Network& fixed, std::size_t i,
                             const training_batch& batch, const float* host, float* memory,
                             const float_run* runs, double* sums,
                             void (*body)(std::size_t, std::size_t, std::size_t)) {
  { fixed.spec() } -> std::convertible_to<const network_spec&>;
  { fixed.rule() } -> std::convertible_to<const convention&>;
  { fixed.labels() } -> std::convertible_to<const std::vector<std::string>&>;
  { fixed.tensors() } -> std::convertible_to<const std::vector<tensor_spec>&>;
  { net.values(i) } -> std::same_as<std::span<float>>;
  { net.gradient(i) } -> std::same_as<std::span<float>>;
  { fixed.trained(i) } -> std::same_as<bool>;
  { net.forward_backward(batch) } -> std::same_as<double>;
  net.values_changed();
  { fixed.first_non_finite() } -> std::convertible_to<std::string>;
  { fixed.snapshot() } -> std::same_as<weights>;
  fixed.device().enter();
  fixed.device().upload(host, memory, std::size_t{});
  fixed.device().download(host, memory, std::size_t{});
  fixed.device().for_each_piece(std::size_t{}, body);
  fixed.device().squares_of_runs(runs, std::size_t{}, sums);
};

}  // namespace effnet
