#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <vector>

namespace effnet {

/// How long an image takes, by its side: about a + b * side^2. It learns from the steps that were
/// made, and tells of sizes that have not come yet, so that the time left counts on later, larger
/// stages to be slower.
class cost_model {
 public:
  /// Step after step. The newest steps count most, so that a busy machine is noticed, and a first
  /// step that plans kernels is forgotten.
  void add(int side, std::int64_t images, double seconds) {
    if (images < 1 || !(seconds >= 0) || !std::isfinite(seconds)) return;
    const double found = seconds / static_cast<double>(images);
    const auto place = std::find_if(sizes_.begin(), sizes_.end(),
                                    [&](const measured& m) { return m.side == side; });
    if (place == sizes_.end()) {
      sizes_.push_back({side, 1, found});
      return;
    }
    // The mean of the first steps but the very first, later a moving one.
    constexpr double slowest = 0.05;
    place->seconds +=
        (found - place->seconds) * (place->steps == 1 ? 1 : std::max(slowest, 1 / place->steps));
    place->steps += 1;
  }

  bool knows() const { return !sizes_.empty(); }

  /// Seconds an image; 0 where nothing is known. A size that was measured is what it was.
  double seconds_per_image(int side) const {
    for (const measured& m : sizes_)
      if (m.side == side) return m.seconds;
    if (sizes_.empty()) return 0;
    const auto square = [](int s) { return static_cast<double>(s) * s; };
    if (sizes_.size() == 1) return sizes_[0].seconds * square(side) / square(sizes_[0].side);
    // Least squares of relative differences: small images must count as much as large ones.
    double w = 0, wx = 0, wxx = 0, wy = 0, wxy = 0;
    for (const measured& m : sizes_) {
      const double y = std::max(m.seconds, 1e-12), x = square(m.side), weight = 1 / (y * y);
      w += weight, wx += weight * x, wxx += weight * x * x;
      wy += weight * y, wxy += weight * x * y;
    }
    const double slope = (w * wxy - wx * wy) / (w * wxx - wx * wx);
    const double fixed = (wy - slope * wx) / w;
    if (slope >= 0 && fixed >= 0) return fixed + slope * square(side);
    // Noise, or a busy machine: from the nearest size, by the pixels.
    const auto nearest =
        std::min_element(sizes_.begin(), sizes_.end(), [&](const measured& l, const measured& r) {
          return std::abs(l.side - side) < std::abs(r.side - side);
        });
    return nearest->seconds * square(side) / square(nearest->side);
  }

 private:
  struct measured {
    int side = 0;
    double steps = 0, seconds = 0;
  };
  std::vector<measured> sizes_;
};

}  // namespace effnet
