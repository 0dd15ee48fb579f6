#pragma once

#include <cstddef>
#include <vector>

#include <effnet/search/block_times.hpp>
#include <effnet/search/fitted_line.hpp>
#include <effnet/search/prediction_error.hpp>

namespace effnet {

/// Times of networks, in seconds, from the times of their blocks: an additive model, put right by a
/// line through whole networks that were timed.
struct calibrated_times {
  block_times blocks;
  line by;
  prediction_error error;  ///< on the networks of the line

  /// Throws `spec_error` for a network with a block that was not timed.
  double of(const network_spec& spec, int size) const { return by.at(blocks.of(spec, size)); }

  /// Fits the line; `seconds_of(spec, height, width)` measures a network, such as `measured_step`.
  template <class SecondsOf>
  void calibrate(const std::vector<network_spec>& networks, int size, SecondsOf&& seconds_of) {
    std::vector<double> sums, whole;
    for (const network_spec& spec : networks) {
      sums.push_back(blocks.of(spec, size));
      whole.push_back(seconds_of(spec, size, size));
    }
    by = fitted_line(sums, whole);
    for (double& sum : sums) sum = by.at(sum);
    error = error_of(sums, whole);
  }
};

}  // namespace effnet
