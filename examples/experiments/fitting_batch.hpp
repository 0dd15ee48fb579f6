#pragma once

#include <cstddef>

#include <effnet/arch/convention_presets.hpp>
#include <effnet/arch/count.hpp>
#include <effnet/cpu_training.hpp>
#include <effnet/nn/weights.hpp>
#include <effnet/train/largest_batch.hpp>

namespace example {

/// Weights to plan with: drawing numbers for them would take longer than the plan.
inline effnet::weights zero_weights(const effnet::network_spec& network) {
  return effnet::filled_weights(
      network, effnet::convention_for(effnet::convention_name::tf, network), [](const auto&...) {});
}

/// The largest batches with which a network's training stays within some memory. Nothing is run:
/// steps are only planned.
class fitting_batch {
 public:
  fitting_batch(const effnet::network_spec& network, double gigabytes)
      : bytes_(static_cast<std::size_t>(gigabytes * 1e9)),
        beside_(3 * sizeof(float) * static_cast<std::size_t>(effnet::count_parameters(network))),
        network_(zero_weights(network)) {}

  int at(int size) {
    constexpr int most = 1 << 14;
    return effnet::largest_batch(size, 3, bytes_, beside_, most,
                                 [&](effnet::shape4 images) { return network_.plan(images); });
  }

 private:
  std::size_t bytes_;
  std::size_t beside_;  ///< RMSProp's two averages and the weights'
  effnet::training_network<effnet::cpu_training_backend> network_;
};

}  // namespace example
