#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <effnet/search/search_space.hpp>

namespace effnet {

/// Times of the networks of a search space (of training steps, or of inferences) as sums: each
/// block of a shape is timed once, between the same cheap layers. What stands around the blocks is
/// timed as one. Networks are then compared by numbers that no noise of theirs moves.
class block_times {
 public:
  using entries = std::map<std::string, double>;

  block_times() = default;
  explicit block_times(entries seconds) : seconds_(std::move(seconds)) {}

  /// Seconds by shape, for a file.
  const entries& seconds() const { return seconds_; }

  /// Of a network on square images. Throws `spec_error` for one with a block that was not timed.
  double of(const network_spec& spec, int size) const {
    double sum = 0;
    for_each_shape(spec, size, [&](const std::string& key, const auto&...) {
      const auto found = seconds_.find(key);
      if (found == seconds_.end())
        throw spec_error(sentence("network '", std::string_view(spec.name),
                                  "' has a shape that was not timed: ", key));
      sum += found->second;
    });
    return sum;
  }

  /// Times what the network has and is not there yet: `seconds_of(spec, height, width)` measures a
  /// network, such as `measured_step`.
  template <class SecondsOf>
  void add(const network_spec& spec, int size, SecondsOf&& seconds_of) {
    for_each_shape(spec, size, [&](const std::string& key, const auto&... of) {
      if (!seconds_.contains(key)) seconds_[key] = timed(spec, seconds_of, of...);
    });
  }
  /// The shapes of a network that `add` would time.
  std::vector<std::string> missing(const network_spec& spec, int size) const {
    std::vector<std::string> keys;
    for_each_shape(spec, size, [&](const std::string& key, const auto&...) {
      if (!seconds_.contains(key)) keys.push_back(key);
    });
    return keys;
  }

 private:
  static constexpr int narrow = 8;  ///< channels of the layers around a timed block

  /// What stands around the blocks.
  struct ends {
    int size, last;  ///< image side, channels of the last stage
  };

  /// Calls `visit(key, block, side)` for every block, and `visit(key, ends)`.
  template <class Visitor>
  static void for_each_shape(const network_spec& spec, int size, Visitor&& visit) {
    int side = strided(size, 2), in = spec.stem;
    if (spec.stem_pool) side = strided(side, 2);
    for (const stage_spec& row : spec.stages)
      for (int i = 0; i < row.repeats; ++i) {
        const block_spec block = block_of(row, i);
        visit(key_of(block, side), block, side);
        side = strided(side, block.stride), in = block.out;
      }
    visit(sentence("stem ", spec.stem, ", ", in, "-", spec.head, "-", spec.classes, " @", size,
                   " to ", side),
          ends{size, in});
  }
  static std::string key_of(const block_spec& b, int side) {
    const std::string_view op = b.op == block_op::mbconv         ? "mbconv"
                                : b.op == block_op::fused_mbconv ? "fused_mbconv"
                                                                 : "bottleneck";
    return sentence(op, " k", b.kernel, " s", b.stride, " x", b.expand, ' ', b.in, '-', b.out,
                    " se", b.se, " @", side);
  }

  /// A chain of cheap layers that brings images of a fitting side to `side`, `in` channels wide,
  /// then what `add` appends, and a narrow end.
  template <class Add>
  static std::pair<network_spec, int> between_narrow_layers(const network_spec& like, int side,
                                                            int in, int out, const Add& add) {
    network_spec spec{.name = "timed",
                      .in_channels = like.in_channels,
                      .stem = narrow,
                      .stages = {},
                      .head = 0,
                      .classes = 2,
                      .act = like.act};
    int image = 2 * side;
    const auto pointwise = [&](int from, int to, int stride) {
      spec.stages.push_back(fused_mbconv{.kernel = 1, .stride = stride, .in = from, .out = to});
    };
    for (; image < 32; image *= 2) pointwise(narrow, narrow, 2);
    pointwise(narrow, in, 1);
    add(spec);
    pointwise(out, narrow, 1);
    return {spec, image};
  }
  template <class SecondsOf>
  double timed(const network_spec& like, SecondsOf& seconds_of, const block_spec& block, int side) {
    const auto with = between_narrow_layers(like, side, block.in, block.out, [&](auto& spec) {
      spec.stages.push_back(
          {block.op, 1, block.kernel, block.stride, block.expand, block.in, block.out, block.se});
    });
    // The layers around it are the same for all blocks of a source, but for their end.
    const auto [around, is_new] = around_.try_emplace({side, block.in});
    if (is_new) {
      const auto without =
          between_narrow_layers(like, side, block.in, block.in, [](const auto&) {});
      around->second = seconds_of(without.first, without.second, without.second);
    }
    return std::max(0.0, seconds_of(with.first, with.second, with.second) - around->second);
  }
  /// The network with the cheapest stages that lead from its stem to its head.
  template <class SecondsOf>
  static double timed(const network_spec& like, SecondsOf& seconds_of, const ends& of) {
    network_spec spec = like;
    spec.stages = {};
    int in = like.stem;
    for (const stage_spec& row : like.stages) {
      if (row.stride == 1) continue;
      spec.stages.push_back(fused_mbconv{.kernel = 1, .stride = 2, .in = in, .out = narrow});
      in = narrow;
    }
    spec.stages.push_back(fused_mbconv{.kernel = 1, .in = in, .out = of.last});
    return seconds_of(spec, of.size, of.size);
  }

  entries seconds_;
  std::map<std::pair<int, int>, double> around_;  // by side and channels
};

}  // namespace effnet
