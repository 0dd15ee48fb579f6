#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <effnet/arch/tensors.hpp>
#include <effnet/core/raw_tensor.hpp>
#include <effnet/io/name_map.hpp>
#include <effnet/io/naming.hpp>
#include <effnet/nn/tensors_of.hpp>

namespace effnet {

namespace detail {

/// Finds the tensors of a file by name in logarithmic time. The file must outlive it.
class tensor_index {
 public:
  explicit tensor_index(const state_dict& dict) : dict_(dict) {
    for (std::size_t i = 0; i < dict.tensors.size(); ++i) index_.emplace(dict.tensors[i].first, i);
  }
  const raw_tensor* find(std::string_view name) const {
    const auto found = index_.find(name);
    return found == index_.end() ? nullptr : &dict_.tensors[found->second].second;
  }

 private:
  const state_dict& dict_;
  name_map index_;
};

/// PyTorch counts batches in a scalar; some files keep it as one element.
inline bool has_shape(const raw_tensor& tensor, const tensor_spec& expected) {
  const auto rank = static_cast<std::size_t>(expected.rank);
  if (expected.part == tensor_part::bn_num_batches && tensor.shape.size() == 1)
    return tensor.shape[0] == 1;
  if (tensor.shape.size() != rank) return false;
  for (std::size_t i = 0; i < rank; ++i)
    if (tensor.shape[i] != expected.extents[i]) return false;
  return true;
}

inline std::optional<naming> detect_naming(const tensor_index& index, const network_spec& spec) {
  std::optional<naming> best;
  std::size_t most = 0;
  const std::vector<tensor_spec> tensors = tensors_of(spec);
  // ResNets are spelled alike everywhere: torchvision's conventions are the published ones
  for (naming names : {naming::torchvision, naming::timm, naming::lukemelas}) {
    if (!can_name(names, spec)) continue;
    std::size_t found = 0;
    for (const tensor_spec& t : tensors)
      if (index.find(tensor_name(names, spec, t)) != nullptr) ++found;
    if (found > most) most = found, best = names;
  }
  return best;
}

inline network_spec spec_for_file(const tensor_index& index, naming names, network_spec spec) {
  std::int64_t classes = 0, channels = 0;
  for (const tensor_spec& t : tensors_of(spec)) {
    const bool classifier = t.of.role == layer_role::classifier;
    if (t.part != tensor_part::weight || (!classifier && t.of.role != layer_role::stem)) continue;
    const raw_tensor* found = index.find(tensor_name(names, spec, t));
    if (found == nullptr || found->shape.size() != static_cast<std::size_t>(t.rank)) continue;
    (classifier ? classes : channels) = found->shape[classifier ? 0 : 1];
  }
  constexpr std::int64_t most = 1 << 20;
  if (classes > 0 && classes <= most) spec.classes = static_cast<int>(classes);
  if (channels > 0 && channels <= most) spec.in_channels = static_cast<int>(channels);
  return spec;
}

}  // namespace detail

/// The naming in which most of the network's tensors are in the file; nothing where none is.
inline std::optional<naming> detect_naming(const state_dict& dict, const network_spec& spec) {
  return detail::detect_naming(detail::tensor_index(dict), spec);
}

/// The same table with the number of classes and of input planes that the file's classifier and
/// stem have.
inline network_spec spec_for_file(const state_dict& dict, const network_spec& spec) {
  const detail::tensor_index index(dict);
  const std::optional<naming> names = detail::detect_naming(index, spec);
  return names ? detail::spec_for_file(index, *names, spec) : spec;
}

}  // namespace effnet
