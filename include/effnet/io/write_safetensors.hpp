#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include <effnet/core/raw_tensor.hpp>
#include <effnet/io/atomic_file.hpp>
#include <effnet/io/json_cursor.hpp>
#include <effnet/io/name_map.hpp>

namespace effnet {

namespace detail {

/// Indices of the tensors in the order of their data: wide elements first, else as listed, so that
/// every tensor is aligned to its element (PyTorch refuses to view others).
inline std::vector<std::size_t> data_order(const state_dict& dict) {
  std::vector<std::size_t> order;
  for (std::size_t width : {8u, 4u, 2u, 1u})
    for (std::size_t i = 0; i < dict.tensors.size(); ++i)
      if (size_of(dict.tensors[i].second.type) == width) order.push_back(i);
  return order;
}

inline void check_unique_names(const state_dict& dict, const std::string& path) {
  name_map names;
  for (const auto& [name, tensor] : dict.tensors)
    if (!names.emplace(name, names.size()).second)
      throw file_error(sentence("cannot write ", path_in_quotes(path), ": two tensors are named ",
                                in_quotes(name)));
}

/// The 8 bytes of length and the header, padded with spaces to a multiple of 8.
inline std::string safetensors_header(const state_dict& dict,
                                      const std::vector<std::size_t>& order) {
  std::vector<std::uint64_t> begins(order.size());
  std::uint64_t next = 0;
  for (std::size_t i : order) {
    begins[i] = next;
    next += dict.tensors[i].second.bytes();
  }
  std::string json = "{";
  if (!dict.metadata.empty()) {
    json += "\"__metadata__\":{";
    for (bool first = true; const auto& [key, value] : dict.metadata) {
      if (!first) json += ',';
      first = false;
      append_json(json, key);
      json += ':';
      append_json(json, value);
    }
    json += '}';
  }
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto& [name, tensor] = dict.tensors[i];
    if (json.size() > 1) json += ',';
    append_json(json, name);
    json += sentence(":{\"dtype\":\"", name_of(tensor.type), "\",\"shape\":[");
    for (std::size_t k = 0; k < tensor.shape.size(); ++k)
      json += sentence(k > 0 ? "," : "", tensor.shape[k]);
    json += sentence("],\"data_offsets\":[", begins[i], ",", begins[i] + tensor.bytes(), "]}");
  }
  json += '}';
  json.append((8 - json.size() % 8) % 8, ' ');
  const std::uint64_t length = json.size();
  std::string header(sizeof length, '\0');
  std::memcpy(header.data(), &length, sizeof length);
  return header + json;
}

}  // namespace detail

/// Writes `dict` as safetensors: the header lists the tensors in their order, the same content
/// gives the same bytes, and the file is there whole or not at all. Throws `file_error`.
inline void write_safetensors(const std::string& path, const state_dict& dict) {
  detail::check_unique_names(dict, path);
  for (const auto& [name, tensor] : dict.tensors) {
    if (name == "__metadata__")
      throw file_error(
          sentence("cannot write ", path_in_quotes(path), ": a tensor is named ", in_quotes(name)));
    if (tensor.data == nullptr && tensor.bytes() > 0)
      throw file_error(sentence("cannot write ", path_in_quotes(path), ": tensor ", in_quotes(name),
                                " has no data"));
  }
  const std::vector<std::size_t> order = detail::data_order(dict);
  const std::string header = detail::safetensors_header(dict, order);
  atomic_file file(path);
  file.write(header);
  for (std::size_t i : order) {
    const raw_tensor& tensor = dict.tensors[i].second;
    file.write({tensor.data, tensor.bytes()});
    release_pages(tensor);
  }
  file.commit();
}

}  // namespace effnet
