#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace effnet {

/// What a training step on images of one shape needs, in bytes, known before anything is allocated.
struct memory_plan {
  struct row {
    std::string name;       ///< "stem", "stage 1", ..., "head"
    std::size_t saved = 0;  ///< activations that wait for the backward pass
    std::size_t peak = 0;   ///< all that lives at once while the stage runs, forward or backward
  };
  std::vector<row> rows;
  std::size_t activations = 0;  ///< the arena: the largest peak, and what its layout loses
  std::size_t scratch = 0;      ///< workspace that all ops share
  std::size_t values = 0;       ///< weights and running statistics
  std::size_t gradients = 0;
  std::size_t packed = 0;  ///< copies of the weights in the layouts of the kernels, about

  std::size_t total() const { return activations + scratch + values + gradients + packed; }
};

}  // namespace effnet
