#pragma once

#include <effnet/core/error.hpp>

namespace effnet::cuda {

/// A kernel that did what it must not while the processor drove it.
struct kernel_fault : error {
  using error::error;
};

}  // namespace effnet::cuda
