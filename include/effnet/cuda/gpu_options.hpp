#pragma once

#include <cstddef>

namespace effnet::cuda {

/// How a `gpu_backend` runs, beside what it multiplies. Which dense convolutions a device's
/// libraries (cuBLASLt, cuDNN) take is a fixed function of their shape, of the products and of
/// these; own kernels run the rest, and all where a device has no libraries. The numbers are
/// estimates: none of them was measured on a device.
struct gpu_options {
  /// Passes are recorded as graphs. Not for a profiler that is to see every op start by itself, or
  /// a debugger.
  bool graphs = true;
  bool libraries = true;  ///< false: own kernels run everything
  /// Multiply-adds below which own kernels run: the time of small ones is that of starting them.
  std::size_t least_macs = 4'000'000;
  /// What both channel counts must be a multiple of: rows of narrower maps cannot be moved 16 bytes
  /// at a time, and libraries lose their fast kernels with that.
  int channel_multiple = 8;
  /// Multiply-adds a result (taps times source channels) from which a library runs where own
  /// kernels would apply an activation while they store, and behind a library it takes a pass over
  /// the result.
  int least_depth_before_pass = 256;
};

}  // namespace effnet::cuda
