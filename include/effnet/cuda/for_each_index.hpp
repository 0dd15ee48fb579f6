#pragma once

#include <algorithm>
#include <cstddef>

#include <effnet/cuda/kernel.hpp>

namespace effnet::cuda {

/// Calls `function(i)` for every i below `count`.
template <class Function>
struct for_each_index {
  static constexpr const char* name = Function::name;
  static constexpr unsigned most_threads = 256;

  std::size_t count;
  Function function;

  using registers = no_registers;

  launch_shape shape() const {
    constexpr std::size_t most_blocks = 1 << 16;
    const std::size_t blocks = (count + most_threads - 1) / most_threads;
    return {.grid = {static_cast<unsigned>(std::clamp<std::size_t>(blocks, 1, most_blocks))},
            .block = {most_threads}};
  }
  EFFNET_HD int phases() const { return 1; }
  EFFNET_HD void run(int, const thread_place& at, registers&, const shared_memory&) const {
    const std::size_t step = std::size_t{at.grid.x} * at.block.x;
    for (std::size_t i = std::size_t{at.in_grid.x} * at.block.x + at.in_block.x; i < count;
         i += step)
      function(i);
  }
};

}  // namespace effnet::cuda
