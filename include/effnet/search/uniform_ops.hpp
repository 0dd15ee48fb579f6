#pragma once

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <utility>

#include <effnet/arch/count.hpp>
#include <effnet/arch/scaling.hpp>
#include <effnet/arch/validate.hpp>

namespace effnet {

/// The network with one operator in all stages; an MBConv gets squeeze-excite of `se`.
inline network_spec with_op(network_spec spec, block_op op, float se = 0.25f) {
  for (stage_spec& row : spec.stages) {
    row.op = op;
    row.se = op == block_op::mbconv ? se : 0.0f;
  }
  validate(spec);
  return spec;
}

/// The network as wide as it takes to have about `parameters`: of all widths in steps of 1/64, up
/// to 8 times, the one that comes nearest.
inline network_spec of_parameters(const network_spec& spec, std::int64_t parameters) {
  const auto scaled = [&](int step) {
    return compound_scaled(spec, {.width = step / 64.0,
                                  .resolution = spec.eval_size,
                                  .train_resolution = spec.train_size,
                                  .dropout = spec.dropout});
  };
  std::pair<std::int64_t, network_spec> nearest{std::abs(count_parameters(spec) - parameters),
                                                spec};
  for (int step = 1; step <= 8 * 64; ++step) {
    const network_spec other = scaled(step);
    const std::int64_t has = count_parameters(other);
    if (std::abs(has - parameters) < nearest.first) nearest = {std::abs(has - parameters), other};
    if (has > 2 * parameters) break;
  }
  return nearest.second;
}

}  // namespace effnet
