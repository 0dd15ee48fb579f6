#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include <effnet/core/rounded_up.hpp>

namespace effnet {

/// Lays buffers with known lifetimes out in one block of memory before it exists: `acquire` and
/// `release` are called in the order of execution, and `peak` is what the block needs.
class arena_plan {
 public:
  static constexpr std::size_t alignment = 64;

  /// Offset of a buffer that lives from now on: the lowest gap that holds it.
  std::size_t acquire(std::size_t bytes) {
    bytes = std::max(alignment, rounded_up(bytes, alignment));
    std::size_t offset = 0;
    auto at = live_.begin();
    for (; at != live_.end() && at->offset - offset < bytes; ++at) offset = at->offset + at->bytes;
    live_.insert(at, {offset, bytes});
    live_bytes_ += bytes;
    peak_ = std::max(peak_, offset + bytes);
    return offset;
  }

  /// Ends the life of the buffer at `offset`.
  void release(std::size_t offset) {
    const auto at = std::find_if(live_.begin(), live_.end(),
                                 [&](const extent& e) { return e.offset == offset; });
    if (at == live_.end()) return;
    live_bytes_ -= at->bytes;
    live_.erase(at);
  }

  std::size_t peak() const { return peak_; }
  /// What the buffers hold that live now.
  std::size_t live_bytes() const { return live_bytes_; }

 private:
  struct extent {
    std::size_t offset, bytes;
  };
  std::vector<extent> live_;  // by offset, never overlapping
  std::size_t peak_ = 0, live_bytes_ = 0;
};

}  // namespace effnet
