#pragma once

#include <algorithm>
#include <cstddef>

#include <effnet/cpu/panel_product.hpp>

namespace effnet::cpu {

/// Output channels in panels for `multiply`: two registers wide, and one where the last has no
/// more. Packed weights hold [panel][depth][columns of the panel], with zeros where a last register
/// is not full.
class panels {
 public:
  panels(std::size_t channels, isa best)
      : channels_(channels),
        lanes_(lanes_of_isa(best)),
        count_((channels + width() - 1) / width()) {}

  std::size_t width() const { return 2 * lanes_; }
  std::size_t count() const { return count_; }
  /// Channels in front of a panel.
  std::size_t first(std::size_t panel) const { return panel * width(); }
  /// Channels of a panel.
  std::size_t channels(std::size_t panel) const {
    return std::min(width(), channels_ - first(panel));
  }
  std::size_t registers(std::size_t panel) const { return channels(panel) > lanes_ ? 2 : 1; }
  std::size_t columns(std::size_t panel) const { return registers(panel) * lanes_; }
  /// Columns of all panels.
  std::size_t all_columns() const {
    return count_ == 0 ? 0 : first(count_ - 1) + columns(count_ - 1);
  }

  /// The lines of a panel's packed weights, to be fetched while another is multiplied.
  fetched_lines lines(std::size_t panel, const float* weights) const {
    return lines(panel, weights, columns(panel));
  }
  /// The same with `step` floats from one k to the next.
  fetched_lines lines(std::size_t panel, const float* weights, std::size_t step) const {
    return {.first = weights,
            .depth_step = step,
            .tile_step = channel_block,
            .tiles = (columns(panel) + channel_block - 1) / channel_block};
  }

  /// Fills packed weights of one panel from `weight(channel, k)`.
  template <class Weight>
  void pack(std::size_t panel, std::size_t depth, const Weight& weight, float* to) const {
    const std::size_t wide = columns(panel), real = channels(panel), from = first(panel);
    for (std::size_t k = 0; k < depth; ++k)
      for (std::size_t c = 0; c < wide; ++c) *to++ = c < real ? weight(from + c, k) : 0.0f;
  }
  /// The same from `depth` floats of a row a channel, `step` floats apart, `rows` being the panel's
  /// first.
  void pack_rows(std::size_t panel, std::size_t depth, const float* rows, std::size_t step,
                 float* to) const {
    constexpr std::size_t block = 64;  // of k: what is written across stays in the first cache
    const std::size_t wide = columns(panel), real = channels(panel), squares = real / 4 * 4;
    for (std::size_t k = 0; k < depth; k += block) {
      const std::size_t last = std::min(depth, k + block), whole = k + (last - k) / 4 * 4;
      for (std::size_t c = 0; c < real; ++c)
        for (std::size_t i = last; i < std::min(depth, last + block); i += channel_block)
          __builtin_prefetch(rows + c * step + i);
      for (std::size_t c = 0; c < squares; c += 4)
        for (std::size_t i = k; i < whole; i += 4)
          transpose_square(rows + c * step + i, step, to + i * wide + c, wide);
      for (std::size_t c = 0; c < real; ++c)
        for (std::size_t i = c < squares ? whole : k; i < last; ++i)
          to[i * wide + c] = rows[c * step + i];
      for (std::size_t i = k; i < last && real < wide; ++i)
        std::fill(to + i * wide + real, to + (i + 1) * wide, 0.0f);
    }
  }

 private:
  /// Four rows of four floats into four columns.
  static void transpose_square(const float* from, std::size_t step, float* to,
                               std::size_t to_step) {
    floats4 a, b, c, d;
    load(from, a), load(from + step, b), load(from + 2 * step, c), load(from + 3 * step, d);
    const floats4 ab = __builtin_shufflevector(a, b, 0, 4, 1, 5);
    const floats4 cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
    const floats4 ab2 = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    const floats4 cd2 = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    store(floats4(__builtin_shufflevector(ab, cd, 0, 1, 4, 5)), to);
    store(floats4(__builtin_shufflevector(ab, cd, 2, 3, 6, 7)), to + to_step);
    store(floats4(__builtin_shufflevector(ab2, cd2, 0, 1, 4, 5)), to + 2 * to_step);
    store(floats4(__builtin_shufflevector(ab2, cd2, 2, 3, 6, 7)), to + 3 * to_step);
  }

  std::size_t channels_, lanes_, count_;
};

}  // namespace effnet::cpu
