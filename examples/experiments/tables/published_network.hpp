#pragma once

#include <effnet/arch/network_spec.hpp>

#include "experiments/scale.hpp"

namespace example {

/// A published network as it is, also on a small machine: one pass of it takes seconds. Only a look
/// at whether all runs takes a narrow one on small images.
inline effnet::network_spec published_network(const scale& at,
                                              const effnet::network_spec& network) {
  return at.name == scale_name::smoke ? at.network(network, {}, 64) : network;
}

}  // namespace example
