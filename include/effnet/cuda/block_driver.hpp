#pragma once

#include <vector>

#include <effnet/cuda/kernel.hpp>

namespace effnet::cuda {

/// Runs kernels on the processor, one block after the other and phase by phase, every access
/// checked. What a device would leave to chance (threads that race within a phase, shared memory
/// that was never written) is a `kernel_fault` with kernel, block, thread and phase.
class block_driver {
 public:
  block_driver() = default;
  /// Without the barrier behind phase `dropped`: what a test breaks to see that it is missed.
  static block_driver without_barrier(int dropped) {
    block_driver broken;
    broken.dropped_ = dropped;
    return broken;
  }

  template <kernel K>
  void run(const K& k) const {
    const launch_shape shape = k.shape();
    if (const std::string wrong = launch_violation(shape); !wrong.empty())
      throw kernel_fault(sentence("kernel ", std::string_view(K::name), ' ', wrong));
    if (shape.block.count() > K::most_threads)
      throw kernel_fault(sentence("kernel ", std::string_view(K::name), " has ",
                                  shape.block.count(), " threads a block, but says it has at most ",
                                  unsigned{K::most_threads}));
    if (warp_kernel<K> && shape.block.count() % warp_lanes != 0)
      throw kernel_fault(sentence("kernel ", std::string_view(K::name), " has ",
                                  shape.block.count(), " threads a block, not whole warps"));
    std::vector<typename K::registers> own(shape.block.count());
    checked_shared_memory memory;
    thread_place at{shape.grid, shape.block, {}, {}};
    for (at.in_grid.z = 0; at.in_grid.z < shape.grid.z; ++at.in_grid.z)
      for (at.in_grid.y = 0; at.in_grid.y < shape.grid.y; ++at.in_grid.y)
        for (at.in_grid.x = 0; at.in_grid.x < shape.grid.x; ++at.in_grid.x) {
          own.assign(own.size(), {});
          memory.begin(shape.shared_bytes / sizeof(float));
          run_block(k, at, own, memory);
        }
  }

 private:
  template <kernel K>
  void run_block(const K& k, thread_place at, std::vector<typename K::registers>& own,
                 checked_shared_memory& memory) const {
    std::vector<thread_place> places(own.size(), at);
    for (std::size_t i = 0; i < own.size(); ++i)
      places[i].in_block = {static_cast<unsigned>(i % at.block.x),
                            static_cast<unsigned>(i / at.block.x % at.block.y),
                            static_cast<unsigned>(i / at.block.x / at.block.y)};
    // What does not wait for each other: a thread, or a warp.
    const std::size_t group = warp_kernel<K> ? warp_lanes : 1, groups = own.size() / group;
    const int phases = k.phases();
    for (int first = 0; first < phases;) {
      const int last = first == dropped_ && first + 1 < phases ? first + 2 : first + 1;
      // Forwards and backwards, for no order may matter.
      const bool backwards = (first + static_cast<int>(at.in_grid.x)) % 2 != 0;
      for (std::size_t i = 0; i < groups; ++i) {
        const std::size_t begin = group * (backwards ? groups - 1 - i : i);
        for (int phase = first; phase < last; ++phase) {
          for (std::size_t j = 0; j < group; ++j) {
            const std::size_t thread = begin + (backwards ? group - 1 - j : j);
            memory.enter(static_cast<unsigned>(thread));
            checked(k, phase, places[thread],
                    [&] { k.run(phase, places[thread], own[thread], shared_memory(memory)); });
          }
          if constexpr (warp_kernel<K>)
            checked(k, phase, places[begin], [&] {
              const warp together(&places[begin], &own[begin], memory, static_cast<unsigned>(begin),
                                  backwards);
              k.run_warp(phase, together, shared_memory(memory));
            });
        }
      }
      memory.barrier();
      first = last;
    }
  }

  /// Tells of a fault where it happened; for a warp, its first thread.
  template <kernel K, class Run>
  static void checked(const K&, int phase, const thread_place& at, const Run& run) {
    try {
      run();
    } catch (const kernel_fault& fault) {
      const auto place = [](const extent3& p) {
        return sentence('(', p.x, ", ", p.y, ", ", p.z, ')');
      };
      throw kernel_fault(sentence("kernel ", std::string_view(K::name), ", block ",
                                  place(at.in_grid), ", thread ", place(at.in_block), ", phase ",
                                  phase, ": ", std::string_view(fault.what())));
    }
  }

  int dropped_ = -1;
};

}  // namespace effnet::cuda
