#pragma once

#include <cstddef>

#include <effnet/backend/problems.hpp>
#include <effnet/cuda/channel_block.hpp>

namespace effnet::cuda {

/// Which pixels a dense convolution multiplies with which tap, for its result...
struct forward_windows {
  conv_problem problem;

  EFFNET_HD shape4 to() const { return problem.dst(); }
  EFFNET_HD shape4 from() const { return problem.src; }
  /// Whether pixel (y, x) of the result has a source pixel at a tap, and which.
  EFFNET_HD bool find(int y, int x, int tap, int& from_y, int& from_x) const {
    from_y = y * problem.stride - problem.pad.top + tap / problem.kernel;
    from_x = x * problem.stride - problem.pad.left + tap % problem.kernel;
    return from_y >= 0 && from_y < problem.src.h && from_x >= 0 && from_x < problem.src.w;
  }
};

/// ... and for the gradient of its source, which gathers from that of its result.
struct backward_windows {
  conv_problem problem;

  EFFNET_HD shape4 to() const { return problem.src; }
  EFFNET_HD shape4 from() const { return problem.dst(); }
  EFFNET_HD bool find(int y, int x, int tap, int& from_y, int& from_x) const {
    const int padded_y = y + problem.pad.top - tap / problem.kernel;
    const int padded_x = x + problem.pad.left - tap % problem.kernel;
    from_y = padded_y / problem.stride, from_x = padded_x / problem.stride;
    const shape4 d = problem.dst();
    return padded_y >= 0 && padded_x >= 0 && padded_y % problem.stride == 0 &&
           padded_x % problem.stride == 0 && from_y < d.h && from_x < d.w;
  }
};

}  // namespace effnet::cuda
