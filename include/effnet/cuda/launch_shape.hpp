#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <effnet/core/config.hpp>
#include <effnet/core/error.hpp>

namespace effnet::cuda {

/// Extents of a grid or a block, or a place in one.
struct extent3 {
  unsigned x = 1, y = 1, z = 1;

  constexpr std::size_t count() const { return std::size_t{x} * y * z; }
  friend constexpr bool operator==(const extent3&, const extent3&) = default;
};

/// How a kernel is started.
struct launch_shape {
  extent3 grid, block;
  std::size_t shared_bytes = 0;
};

/// Where a thread stands.
struct thread_place {
  extent3 grid, block;        ///< extents
  extent3 in_grid, in_block;  ///< of its block, and its own within that
};

/// What every architecture from compute capability 7.5 to 12 takes of one launch (CUDA C++
/// Programming Guide, appendix on compute capabilities). More than 48 KiB of shared memory would
/// have to be asked for.
struct launch_limits {
  std::size_t block_threads = 1024;
  unsigned block_x = 1024, block_y = 1024, block_z = 64;
  unsigned grid_x = 2147483647, grid_y = 65535, grid_z = 65535;
  std::size_t shared_bytes = 48 * 1024;
};

/// What is wrong with a launch, as the rest of a sentence; "" where nothing is.
inline std::string launch_violation(const launch_shape& s, const launch_limits& most = {}) {
  if (s.grid.count() == 0 || s.block.count() == 0) return "has an empty grid or block";
  if (s.block.count() > most.block_threads)
    return sentence("has ", s.block.count(), " threads a block; at most ", most.block_threads,
                    " are allowed");
  if (s.block.x > most.block_x || s.block.y > most.block_y || s.block.z > most.block_z)
    return sentence("has blocks of ", s.block.x, " x ", s.block.y, " x ", s.block.z, " threads");
  if (s.grid.x > most.grid_x || s.grid.y > most.grid_y || s.grid.z > most.grid_z)
    return sentence("has a grid of ", s.grid.x, " x ", s.grid.y, " x ", s.grid.z, " blocks");
  if (s.shared_bytes > most.shared_bytes)
    return sentence("takes ", s.shared_bytes, " bytes of shared memory a block; at most ",
                    most.shared_bytes, " are allowed");
  return "";
}

/// How many parts of `size` cover `count`.
constexpr unsigned parts_of(std::size_t count, std::size_t size) {
  return static_cast<unsigned>((count + size - 1) / size);
}

}  // namespace effnet::cuda
