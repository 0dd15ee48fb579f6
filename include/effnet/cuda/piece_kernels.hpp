#pragma once

#include <effnet/backend/training_backend.hpp>
#include <effnet/cuda/kernel.hpp>

namespace effnet::cuda {

/// Calls `body(piece, lane, lanes)`, a block a piece.
template <class Body>
struct piece_kernel {
  static constexpr const char* name = "for_each_piece";
  static constexpr unsigned most_threads = 256;
  using registers = no_registers;

  std::size_t count;
  Body body;

  launch_shape shape() const {
    return {.grid = {static_cast<unsigned>(count)}, .block = {most_threads}};
  }
  EFFNET_HD int phases() const { return 1; }
  EFFNET_HD void run(int, const thread_place& at, registers&, const shared_memory&) const {
    body(std::size_t{at.in_grid.x}, std::size_t{at.in_block.x}, std::size_t{at.block.x});
  }
};

/// Sums of squares of runs, a block a run. Threads sum up in double; between them a sum passes
/// through shared memory as two floats.
struct squares_kernel {
  static constexpr const char* name = "squares_of_runs";
  static constexpr unsigned most_threads = 256;
  using registers = no_registers;

  std::size_t count;
  const float_run* runs;
  double* sums;

  launch_shape shape() const {
    return {.grid = {static_cast<unsigned>(count)},
            .block = {most_threads},
            .shared_bytes = 2 * most_threads * sizeof(float)};
  }
  EFFNET_HD int phases() const { return 2; }
  EFFNET_HD void run(int phase, const thread_place& at, registers&,
                     const shared_memory& shared) const {
    const std::size_t self = at.in_block.x, threads = at.block.x;
    if (phase == 0) {
      const float_run some = runs[at.in_grid.x];
      double sum = 0;
      for (std::size_t i = self; i < some.count; i += threads)
        sum += static_cast<double>(some.data[i]) * static_cast<double>(some.data[i]);
      const float most = static_cast<float>(sum);
      shared.store(self, most);
      shared.store(threads + self, static_cast<float>(sum - static_cast<double>(most)));
    } else if (self == 0) {
      double sum = 0;
      for (std::size_t t = 0; t < threads; ++t)
        sum += static_cast<double>(shared.load(t)) + static_cast<double>(shared.load(threads + t));
      sums[at.in_grid.x] = sum;
    }
  }
};

}  // namespace effnet::cuda
