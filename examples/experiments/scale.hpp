#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

#include <effnet/arch/scaling.hpp>

namespace example {

/// How large the experiments are: a look at whether all runs, what a small machine does in an
/// afternoon, and the published sizes.
enum class scale_name { smoke, mini, full };

inline constexpr std::string_view scale_names[] = {"smoke", "mini", "full"};

/// A number at each scale.
template <class Number>
struct by_scale {
  Number smoke, mini, full;
};

/// Shares of a published network's channels and layers that a smaller one keeps.
struct narrowing {
  double width = 0.5, depth = 0.5;
};

/// The scale of a set of experiments, and what follows from it.
struct scale {
  scale_name name = scale_name::mini;

  bool is_full() const { return name == scale_name::full; }
  template <class Number>
  Number pick(const by_scale<Number>& of) const {
    return name == scale_name::smoke ? of.smoke : name == scale_name::mini ? of.mini : of.full;
  }
  int number(const by_scale<int>& of) const { return pick(of); }

  /// A published network as it is; below full scale of the same structure with fewer channels and
  /// layers, for images of `size` and ten classes.
  effnet::network_spec network(const effnet::network_spec& published, const narrowing& by,
                               int size) const {
    if (is_full()) return published;
    const bool tiny = name == scale_name::smoke;
    const effnet::network_spec few = effnet::with_classes(published, 10);
    return effnet::compound_scaled(few, {.width = tiny ? 0.2 : by.width,
                                         .depth = tiny ? 0.1 : by.depth,
                                         .resolution = size,
                                         .train_resolution = size,
                                         .dropout = published.dropout});
  }
};

/// Pictures to reckon with where none are at hand: those of ImageNet, or of a small set.
inline std::size_t pictures_of(const scale& at) {
  return at.is_full() ? 1'281'167 : 5'000;
}

}  // namespace example
