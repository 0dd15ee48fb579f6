#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>

#include <effnet/core/raw_tensor.hpp>
#include <effnet/io/naming.hpp>
#include <effnet/io/tensor_index.hpp>
#include <effnet/io/weight_metadata.hpp>
#include <effnet/io/write_safetensors.hpp>
#include <effnet/nn/tensors_of.hpp>
#include <effnet/nn/weights.hpp>

namespace effnet {

/// The tensors under their names in a naming, in state-dict order, with their bytes and types as
/// they were read; absent ones stay absent. Metadata: convention and labels, beside `metadata`.
/// Throws `weight_error` where the naming has no names for the network.
inline state_dict state_dict_of(const weights& from, naming names,
                                std::map<std::string, std::string> metadata = {}) {
  state_dict dict;
  dict.metadata = std::move(metadata);
  write_metadata(dict.metadata, from);
  std::size_t next = 0;
  for (const tensor_spec& t : tensors_of(from.spec)) {
    if (next >= from.tensors.size())
      throw weight_error(sentence("the weights of ", std::string_view(from.spec.name), " have ",
                                  from.tensors.size(), " tensors, expected ",
                                  count_tensors(from.spec)));
    const raw_tensor& tensor = from.tensors[next++];
    if (tensor.data != nullptr) dict.tensors.emplace_back(tensor_name(names, from.spec, t), tensor);
  }
  return dict;
}

/// Writes weights as a safetensors file: reading it back gives the same tensors bit for bit, and so
/// does writing it in another naming and back. Throws `weight_error` or `file_error`.
inline void write_weights(const std::string& path, const weights& from, naming names,
                          std::map<std::string, std::string> metadata = {}) {
  write_safetensors(path, state_dict_of(from, names, std::move(metadata)));
}

}  // namespace effnet
