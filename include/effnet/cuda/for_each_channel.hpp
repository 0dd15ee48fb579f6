#pragma once

#include <algorithm>
#include <cstddef>

#include <effnet/core/shape.hpp>
#include <effnet/cuda/kernel.hpp>

namespace effnet::cuda {

/// Where a function of `for_each_channel` stands: `Width` channels of a pixel.
struct element_place {
  std::size_t image, pixel, channel;  ///< the pixel within the image
  std::size_t element;                ///< the first among all
};

/// Calls `function.template operator()<Width>(element_place)` for all elements of a tensor, `Width`
/// channels at a time.
template <class Function, int Width>
struct for_each_channel {
  static constexpr const char* name = Function::name;
  static constexpr unsigned most_threads = 256;

  shape4 tensor;
  Function function;

  using registers = no_registers;

  launch_shape shape() const {
    constexpr std::size_t most_blocks = 1 << 16;
    const std::size_t blocks = (groups() + most_threads - 1) / most_threads;
    return {.grid = {static_cast<unsigned>(std::clamp<std::size_t>(blocks, 1, most_blocks))},
            .block = {most_threads}};
  }
  EFFNET_HD int phases() const { return 1; }
  EFFNET_HD void run(int, const thread_place& at, registers&, const shared_memory&) const {
    const std::size_t channels = static_cast<std::size_t>(tensor.c);
    const std::size_t pixels =
        static_cast<std::size_t>(tensor.h) * static_cast<std::size_t>(tensor.w);
    const std::size_t step = std::size_t{at.grid.x} * at.block.x;
    for (std::size_t i = std::size_t{at.in_grid.x} * at.block.x + at.in_block.x; i < groups();
         i += step) {
      const std::size_t element = i * Width, pixel = element / channels;
      function.template operator()<Width>(element_place{.image = pixel / pixels,
                                                        .pixel = pixel % pixels,
                                                        .channel = element % channels,
                                                        .element = element});
    }
  }

 private:
  EFFNET_HD std::size_t groups() const { return tensor.elements() / Width; }
};

}  // namespace effnet::cuda
