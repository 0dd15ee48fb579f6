#pragma once

#include <algorithm>
#include <cstddef>

#include <effnet/cpu/depthwise_ring.hpp>
#include <effnet/cpu/panels.hpp>

namespace effnet::cpu {

/// What the depthwise kernels of training read: a source as it is, or still to be normalised.
struct depthwise_source {
  const float* plain = nullptr;
  const normalised* becomes = nullptr;  ///< where there is no plain one
};

/// Panels of channels in groups, whose source rows are made in rings side by side: pieces of a
/// pixel that are too short cost a page each, but the rings should stay in the first cache.
class depthwise_groups {
 public:
  depthwise_groups(const conv_problem& problem, isa best)
      : panels_(static_cast<std::size_t>(problem.out), best), ring_(problem, 1, best) {
    constexpr std::size_t cached = 8 * 1024, most = 4;
    together_ = std::clamp<std::size_t>(cached / ring_.floats(), 1, most);
    together_ = std::min(together_, panels_.count());
  }

  const class panels& panels() const { return panels_; }
  std::size_t count() const { return (panels_.count() + together_ - 1) / together_; }
  /// What `pass` needs as `memory`.
  std::size_t floats() const { return together_ * ring_.floats(); }

  /// Calls `use(y, panel, rows)` for the rows [first, last) of an image's results and each panel of
  /// a group, as `depthwise_ring` does.
  template <class Use>
  void pass(const depthwise_source& src, std::size_t image, std::size_t group, std::size_t first,
            std::size_t last, float* memory, const Use& use) const {
    const std::size_t begin = group * together_;
    const std::size_t count = std::min(together_, panels_.count() - begin);
    const auto make = [&](std::size_t y, std::size_t i) {
      const depthwise_ring::panel at{image, panels_.first(begin + i), panels_.channels(begin + i)};
      float* own = memory + i * ring_.floats();
      if (src.becomes != nullptr)
        ring_.normalise_rows(*src.becomes, at, y, y + 1, own);
      else
        ring_.copy_rows(src.plain, at, y, y + 1, own);
    };
    ring_.pass(
        memory, count, first, last,
        [&](std::size_t from, std::size_t to) {
          for (std::size_t y = from; y < to; ++y)
            for (std::size_t i = 0; i < count; ++i) make(y, i);
        },
        [&](std::size_t y, std::size_t ring, const float* const* rows) {
          use(y, begin + ring, rows);
        });
  }

 private:
  class panels panels_;
  depthwise_ring ring_;
  std::size_t together_ = 1;
};

}  // namespace effnet::cpu
