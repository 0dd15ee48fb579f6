#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include <effnet/arch/models.hpp>
#include <effnet/io/tensor_index.hpp>
#include <effnet/nn/tensors_of.hpp>

namespace effnet {

/// The networks known by name whose tensors are exactly those of the file, adjusted to its classes
/// and input planes.
inline std::vector<network_spec> matching_models(const state_dict& dict) {
  std::vector<network_spec> matches;
  const detail::tensor_index index(dict);
  for (const network_spec* model : models) {
    const std::optional<naming> names = detail::detect_naming(index, *model);
    if (!names) continue;
    const network_spec spec = detail::spec_for_file(index, *names, *model);
    std::size_t found = 0;
    bool fits = true;
    for (const tensor_spec& t : tensors_of(spec)) {
      const raw_tensor* tensor = index.find(tensor_name(*names, spec, t));
      if (tensor != nullptr)
        ++found, fits = detail::has_shape(*tensor, t);
      else
        fits = t.part == tensor_part::bn_num_batches;
      if (!fits) break;
    }
    if (fits && found == dict.tensors.size()) matches.push_back(spec);
  }
  return matches;
}

}  // namespace effnet
