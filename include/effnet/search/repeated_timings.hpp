#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

#include <effnet/arch/network_spec.hpp>

namespace effnet {

/// Times of networks, of which the shortest counts: machines have slow moments that outlast any one
/// timing, and rounds some time apart see past them.
class repeated_timings {
 public:
  using measure = std::function<double(const network_spec&, int height, int width)>;

  /// `seconds_of` measures a network, such as `measured_step`.
  explicit repeated_timings(measure seconds_of) : seconds_of_(std::move(seconds_of)) {}

  /// Seconds; measures what was not asked for before.
  double operator()(const network_spec& spec, int height, int width) {
    for (const timed& one : timed_)
      if (one.height == height && one.width == width && one.spec == spec) return one.seconds;
    timed_.push_back({spec, height, width, seconds_of_(spec, height, width)});
    return timed_.back().seconds;
  }
  /// Measures everything once more.
  void again() {
    for (timed& one : timed_)
      one.seconds = std::min(one.seconds, seconds_of_(one.spec, one.height, one.width));
  }
  /// Networks.
  std::size_t count() const { return timed_.size(); }

 private:
  struct timed {
    network_spec spec;
    int height, width;
    double seconds;
  };

  measure seconds_of_;
  std::vector<timed> timed_;
};

}  // namespace effnet
