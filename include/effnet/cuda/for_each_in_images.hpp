#pragma once

#include <algorithm>
#include <cstddef>

#include <effnet/cuda/kernel.hpp>

namespace effnet::cuda {

/// Calls `function(image, i)` for every image and every i below `count`.
template <class Function>
struct for_each_in_images {
  static constexpr const char* name = Function::name;
  static constexpr unsigned most_threads = 256;

  unsigned images;
  std::size_t count;
  Function function;

  using registers = no_registers;

  launch_shape shape() const {
    constexpr unsigned most_blocks = 1 << 16, most_rows = launch_limits{}.grid_y;
    return {.grid = {std::clamp(parts_of(count, most_threads), 1u, most_blocks),
                     std::clamp(images, 1u, most_rows)},
            .block = {most_threads}};
  }
  EFFNET_HD int phases() const { return 1; }
  EFFNET_HD void run(int, const thread_place& at, registers&, const shared_memory&) const {
    const std::size_t step = std::size_t{at.grid.x} * at.block.x;
    for (unsigned image = at.in_grid.y; image < images; image += at.grid.y)
      for (std::size_t i = std::size_t{at.in_grid.x} * at.block.x + at.in_block.x; i < count;
           i += step)
        function(image, i);
  }
};

}  // namespace effnet::cuda
