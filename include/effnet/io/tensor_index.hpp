#pragma once

#include <algorithm>
#include <cstdint>
#include <effnet/arch/models.hpp>
#include <effnet/core/raw_tensor.hpp>
#include <effnet/io/naming.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace effnet {

namespace detail {

/// Finds the tensors of a file by name in logarithmic time. The file must outlive it.
class tensor_index {
 public:
  explicit tensor_index(const state_dict& dict) {
    for (const auto& [name, tensor] : dict.tensors) sorted_.emplace_back(name, &tensor);
    std::ranges::sort(sorted_, {}, &entry::first);
  }
  const raw_tensor* find(std::string_view name) const {
    const auto found = std::ranges::lower_bound(sorted_, name, {}, &entry::first);
    return found != sorted_.end() && found->first == name ? found->second : nullptr;
  }

 private:
  using entry = std::pair<std::string_view, const raw_tensor*>;
  std::vector<entry> sorted_;
};

/// PyTorch counts batches in a scalar; some files keep it as one element.
inline bool has_shape(const raw_tensor& tensor, const tensor_spec& expected) {
  const auto rank = static_cast<std::size_t>(expected.rank);
  if (expected.part == tensor_part::bn_num_batches && tensor.shape.size() == 1)
    return tensor.shape[0] == 1;
  return std::ranges::equal(tensor.shape, std::span(expected.extents).first(rank));
}

inline std::optional<naming> detect_naming(const tensor_index& index, const network_spec& spec) {
  std::optional<naming> best;
  std::size_t most = 0;
  // ResNets are spelled alike everywhere: torchvision's conventions are the published ones
  for (naming names : {naming::torchvision, naming::timm, naming::lukemelas}) {
    if (!can_name(names, spec)) continue;
    std::size_t found = 0;
    for_each_tensor(spec, [&](const tensor_spec& t) {
      if (index.find(tensor_name(names, spec, t)) != nullptr) ++found;
    });
    if (found > most) most = found, best = names;
  }
  return best;
}

inline network_spec spec_for_file(const tensor_index& index, naming names, network_spec spec) {
  std::int64_t classes = 0, channels = 0;
  for_each_tensor(spec, [&](const tensor_spec& t) {
    const bool classifier = t.of.role == layer_role::classifier;
    if (t.part != tensor_part::weight || (!classifier && t.of.role != layer_role::stem)) return;
    const raw_tensor* found = index.find(tensor_name(names, spec, t));
    if (found == nullptr || found->shape.size() != static_cast<std::size_t>(t.rank)) return;
    (classifier ? classes : channels) = found->shape[classifier ? 0 : 1];
  });
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
    for_each_tensor(spec, [&](const tensor_spec& t) {
      if (!fits) return;
      const raw_tensor* tensor = index.find(tensor_name(*names, spec, t));
      if (tensor != nullptr)
        ++found, fits = detail::has_shape(*tensor, t);
      else
        fits = t.part == tensor_part::bn_num_batches;
    });
    if (fits && found == dict.tensors.size()) matches.push_back(spec);
  }
  return matches;
}

}  // namespace effnet
