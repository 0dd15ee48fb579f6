#pragma once

#include <thrust/for_each.h>
#include <thrust/iterator/counting_iterator.h>

#include <cstddef>

namespace effnet::cuda {

/// Calls `function(i)` for every i below `count`, by Thrust on the system that `policy` names.
template <class Policy, class Function>
void thrust_for_each(const Policy& policy, std::size_t count, const Function& function) {
  thrust::for_each_n(policy, thrust::counting_iterator<std::size_t>(0), count, function);
}

}  // namespace effnet::cuda
