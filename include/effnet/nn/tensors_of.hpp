#pragma once

#include <vector>

#include <effnet/arch/tensors.hpp>

namespace effnet {

/// `for_each_tensor` as a list, for use at run time: its walk is compiled once, not for each use.
inline std::vector<tensor_spec> tensors_of(const network_spec& spec) {
  std::vector<tensor_spec> list;
  for_each_tensor(spec, [&](const tensor_spec& t) { list.push_back(t); });
  return list;
}

}  // namespace effnet
