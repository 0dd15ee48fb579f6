#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include <effnet/search.hpp>

#include "progress_bar.hpp"

namespace example {

/// What is timed for a model of times.
struct timed_networks {
  std::vector<effnet::network_spec> of_blocks;  ///< whose blocks are timed
  std::vector<effnet::network_spec> whole;      ///< that put the sums of blocks right
  std::vector<effnet::network_spec> unseen;     ///< that the model is compared with
};

/// The model, and the seconds of what it has not seen. All is timed in three rounds, of which the
/// shortest counts.
inline std::pair<effnet::calibrated_times, std::vector<double>> timed_in_rounds(
    const timed_networks& of, int size, const effnet::repeated_timings::measure& seconds_of,
    bool shown) {
  constexpr std::size_t rounds = 3;
  std::pair<effnet::calibrated_times, std::vector<double>> made;
  const auto make = [&](effnet::repeated_timings& timings) {
    made = {};
    for (const effnet::network_spec& spec : of.of_blocks)
      made.first.blocks.add(spec, size, timings);
    made.first.calibrate(of.whole, size, timings);
    for (const effnet::network_spec& spec : of.unseen)
      made.second.push_back(timings(spec, size, size));
  };
  effnet::repeated_timings counted([](const auto&, int, int) { return 1.0; });
  make(counted);
  progress_bar progress("timings", rounds * counted.count(), shown);
  effnet::repeated_timings timings([&](const effnet::network_spec& spec, int height, int width) {
    const double seconds = seconds_of(spec, height, width);
    progress.advance();
    return seconds;
  });
  make(timings);
  for (std::size_t round = 1; round < rounds; ++round) timings.again();
  make(timings);
  progress.clear();
  return made;
}

}  // namespace example
