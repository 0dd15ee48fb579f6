#pragma once

#include <algorithm>
#include <cstddef>

#include <effnet/core/shape.hpp>
#include <effnet/cuda/global_span.hpp>
#include <effnet/cuda/launch_shape.hpp>
#include <effnet/cuda/shared_memory.hpp>

namespace effnet::cuda {

/// How many channels a thread moves at once, where every pixel starts at a multiple of 16 bytes or
/// does not.
constexpr int width_for(int channels) {
  return channels % 4 == 0 ? 4 : 1;
}

/// A block of threads over channels, x, and something else, y, whose results the rows of threads
/// add up. `Width` channels of a pixel next to each other belong to a thread.
class channel_block {
 public:
  static constexpr unsigned threads = 256;

  constexpr channel_block(int channels, int width)
      : groups_(parts_of(static_cast<std::size_t>(channels), static_cast<std::size_t>(width))) {
    // As wide as a warp, or as the channels are: what is left over idles.
    constexpr unsigned warp = 32;
    while (x_ < warp && x_ < groups_) x_ *= 2;
  }

  constexpr unsigned rows() const { return threads / x_; }
  constexpr unsigned blocks() const { return parts_of(groups_, x_); }
  constexpr extent3 extent() const { return {x_, rows(), 1}; }

 private:
  unsigned groups_, x_ = 1;
};

/// Of a thread in such a block.
template <int Width>
EFFNET_HD std::size_t first_channel(const thread_place& at) {
  return (std::size_t{at.in_grid.x} * at.block.x + at.in_block.x) * Width;
}

/// The first element of a pixel.
EFFNET_HD inline std::size_t element(const shape4& s, int n, int y, int x) {
  return ((static_cast<std::size_t>(n) * static_cast<std::size_t>(s.h) +
           static_cast<std::size_t>(y)) *
              static_cast<std::size_t>(s.w) +
          static_cast<std::size_t>(x)) *
         static_cast<std::size_t>(s.c);
}

/// Leaves a thread's numbers for its column of the block; a barrier later, `total_of_rows` adds
/// them up, in order of the rows.
template <int Width>
EFFNET_HD void leave_row(const thread_place& at, const floats_of<Width>& some,
                         const shared_memory& shared) {
  const std::size_t thread = std::size_t{at.in_block.y} * at.block.x + at.in_block.x;
  shared.template store<Width>(thread * Width, some);
}
template <int Width>
EFFNET_HD floats_of<Width> total_of_rows(const thread_place& at, const shared_memory& shared) {
  floats_of<Width> total = {};
  for (std::size_t y = 0; y < at.block.y; ++y) {
    const auto row = shared.template load<Width>((y * at.block.x + at.in_block.x) * Width);
    for (int v = 0; v < Width; ++v) total[v] += row[v];
  }
  return total;
}

}  // namespace effnet::cuda
