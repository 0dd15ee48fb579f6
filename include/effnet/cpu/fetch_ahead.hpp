#pragma once

#include <cstddef>

#include <effnet/cpu/vector.hpp>

namespace effnet::cpu {

/// Fetches two blocks of memory into the second cache, a few lines at a time, while something else
/// is computed: the hardware does not see where a block ends and the next begins.
class fetch_ahead {
 public:
  struct block {
    const float* first;
    std::size_t rows, columns, step;  ///< in floats
  };
  /// `times`: how often `fetch` will be called.
  fetch_ahead(const block& a, const block& b, std::size_t times) : blocks_{a, b} {
    const std::size_t lines = lines_of(a) + lines_of(b);
    at_a_time_ = (lines + times - 1) / times;
  }

  void fetch() {
    for (std::size_t i = 0; i < at_a_time_ && at_ < 2; ++i) {
      block& b = blocks_[at_];
      if (b.rows > 0) __builtin_prefetch(b.first + column_, 0, 2);
      column_ += channel_block;
      if (column_ < b.columns) continue;
      column_ = 0;
      b.first += b.step;
      if (b.rows <= 1)
        ++at_;
      else
        --b.rows;
    }
  }

 private:
  static std::size_t lines_of(const block& b) {
    return b.rows * ((b.columns + channel_block - 1) / channel_block);
  }

  block blocks_[2];
  std::size_t at_a_time_, at_ = 0, column_ = 0;
};

}  // namespace effnet::cpu
