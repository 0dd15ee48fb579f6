#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <effnet/core/file_mapping.hpp>
#include <effnet/core/raw_tensor.hpp>
#include <effnet/io/in_quotes.hpp>
#include <effnet/io/json_cursor.hpp>
#include <effnet/io/name_map.hpp>

namespace effnet {

static_assert(std::endian::native == std::endian::little, "weight files are little endian");

namespace detail {

constexpr std::optional<dtype> dtype_named(std::string_view name) {
  using enum dtype;
  for (dtype type : {f64, f32, f16, bf16, i64, i32, i16, i8, u8, boolean})
    if (name_of(type) == name) return type;
  return std::nullopt;
}

/// Elements of a shape, or nothing where the number or its bytes overflow. Extents are >= 0.
constexpr std::optional<std::uint64_t> checked_elements(const std::vector<std::int64_t>& shape) {
  constexpr std::uint64_t most = static_cast<std::uint64_t>(INT64_MAX) / 8;
  std::uint64_t count = 1;
  for (std::int64_t extent : shape) {
    const auto factor = static_cast<std::uint64_t>(extent);
    if (factor != 0 && count > most / factor) return std::nullopt;
    count *= factor;
  }
  return count;
}

/// What a header may hold at most: far above any checkpoint, and a bound for hostile files.
inline constexpr std::uint64_t most_header_bytes = 100'000'000;
inline constexpr std::size_t most_tensors = 1u << 18, most_metadata = 1u << 14, most_extents = 16;

struct safetensors_entry {
  std::uint64_t begin = 0, end = 0;
};

/// One tensor of the header: `{"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}`.
inline safetensors_entry read_entry(json_cursor& json, std::string_view file, std::string_view name,
                                    raw_tensor& tensor) {
  bool has_type = false, has_shape = false, has_offsets = false;
  std::vector<std::int64_t> offsets;
  const auto once = [&](bool& seen, std::string_view key) {
    if (seen) json.fail(sentence("'", key, "' of tensor ", in_quotes(name), " twice"));
    seen = true;
  };
  json.object([&](const std::string& key) {
    if (key == "dtype") {
      once(has_type, key);
      const std::string type = json.string();
      const std::optional<dtype> known = dtype_named(type);
      if (!known)
        throw file_error(sentence("tensor ", in_quotes(name), " of ", file,
                                  " has the element type ", in_quotes(type),
                                  ", which is not supported; convert it to F32"));
      tensor.type = *known;
    } else if (key == "shape") {
      once(has_shape, key);
      json.array([&] {
        if (tensor.shape.size() == most_extents)
          json.fail(
              sentence("tensor ", in_quotes(name), " has more than ", most_extents, " extents"));
        tensor.shape.push_back(json.integer());
      });
    } else if (key == "data_offsets") {
      once(has_offsets, key);
      json.array([&] {
        if (offsets.size() == 2) json.fail("two offsets expected");
        offsets.push_back(json.integer());
      });
    } else {
      json.fail(sentence("tensor ", in_quotes(name), " has an unknown key ", in_quotes(key)));
    }
  });
  if (!has_type || !has_shape || offsets.size() != 2)
    json.fail(
        sentence("tensor ", in_quotes(name), " needs 'dtype', 'shape' and two 'data_offsets'"));
  return {static_cast<std::uint64_t>(offsets[0]), static_cast<std::uint64_t>(offsets[1])};
}

}  // namespace detail

/// Reads safetensors from memory. Tensors point into `bytes` and keep `owner` alive; where that is
/// null the caller keeps the bytes. `path` is for messages. Tensors come in the header's order.
/// Throws `file_error`: the header must be strict JSON without repeated names, every shape must
/// agree with its byte range, and the ranges must cover the data without holes or overlaps.
inline state_dict parse_safetensors(std::span<const std::byte> bytes,
                                    const std::shared_ptr<const void>& owner, std::string path) {
  const std::string file = path_in_quotes(path);
  const auto size = static_cast<std::uint64_t>(bytes.size());
  std::uint64_t length = 0;
  if (size < sizeof length)
    throw file_error(sentence(file, " is no safetensors file: it has ", size,
                              " bytes, the length of its header alone needs 8"));
  std::memcpy(&length, bytes.data(), sizeof length);
  if (length > detail::most_header_bytes)
    throw file_error(sentence(file, " is no safetensors file, or damaged: its header would have ",
                              length, " bytes, more than 100 MB"));
  if (length > size - sizeof length)
    throw file_error(sentence(file, " is truncated: its header has ", length,
                              " bytes, the file only ", size, " in all"));
  const std::string_view header(reinterpret_cast<const char*>(bytes.data()) + sizeof length,
                                static_cast<std::size_t>(length));
  const std::span<const std::byte> data =
      bytes.subspan(sizeof length + static_cast<std::size_t>(length));
  if (!header.starts_with('{'))
    throw file_error(sentence(file, " is no safetensors file: its header does not begin with '{'"));

  state_dict dict;
  dict.path = std::move(path);
  std::vector<detail::safetensors_entry> entries;
  const std::string where = sentence("the header of ", file);
  detail::json_cursor json(header, where);
  bool has_metadata = false;
  json.object([&](std::string name) {
    if (name == "__metadata__") {
      if (std::exchange(has_metadata, true)) json.fail("'__metadata__' twice");
      json.object([&](std::string key) {
        if (dict.metadata.size() == detail::most_metadata)
          json.fail(sentence("more than ", detail::most_metadata, " metadata entries"));
        const auto [place, is_new] = dict.metadata.emplace(std::move(key), std::string());
        if (!is_new) json.fail(sentence("metadata key ", in_quotes(place->first), " twice"));
        place->second = json.string();
      });
      return;
    }
    if (entries.size() == detail::most_tensors)
      json.fail(sentence("more than ", detail::most_tensors, " tensors"));
    raw_tensor tensor;
    entries.push_back(detail::read_entry(json, file, name, tensor));
    dict.tensors.emplace_back(std::move(name), std::move(tensor));
  });
  json.end();

  for (std::size_t i = 0; i < entries.size(); ++i) {
    auto& [name, tensor] = dict.tensors[i];
    const auto [begin, end] = entries[i];
    if (begin > end || end > data.size())
      throw file_error(sentence("tensor ", in_quotes(name), " of ", file, " lies at bytes ", begin,
                                " to ", end, " of ", data.size(),
                                "; the file is truncated or damaged"));
    const std::optional<std::uint64_t> elements = detail::checked_elements(tensor.shape);
    if (!elements || *elements * size_of(tensor.type) != end - begin)
      throw file_error(sentence("tensor ", in_quotes(name), " of ", file, " has ", end - begin,
                                " bytes, which is not ", shape_text(tensor.shape), " of ",
                                name_of(tensor.type)));
    tensor.data = data.data() + begin;
    tensor.owner = owner;
  }
  detail::name_map names;
  for (const auto& [name, tensor] : dict.tensors)
    if (!names.emplace(name, names.size()).second)
      throw file_error(sentence("tensor ", in_quotes(name), " is twice in ", file));
  std::vector<std::uint32_t> order(entries.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::uint32_t>(i);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    const auto &first = entries[a], &second = entries[b];  // an empty one before its neighbour
    return first.begin != second.begin ? first.begin < second.begin : first.end < second.end;
  });
  std::uint64_t covered = 0;
  for (std::uint32_t i : order) {
    if (entries[i].begin != covered)
      throw file_error(sentence(
          "tensor ", in_quotes(dict.tensors[i].first), " of ", file,
          entries[i].begin < covered ? " overlaps another: it" : " leaves a gap before it: it",
          " begins at byte ", entries[i].begin, ", expected ", covered));
    covered = entries[i].end;
  }
  if (covered != data.size())
    throw file_error(sentence(file, " has ", data.size() - covered,
                              " bytes after its last tensor; it is damaged"));
  return dict;
}

/// Maps a safetensors file and reads it; the mapping is the tensors' owner (`release_pages`).
inline state_dict read_safetensors(const std::string& path) {
  const file_mapping mapping = map_file(path);
  return parse_safetensors(mapping.bytes, mapping.owner, path);
}

}  // namespace effnet
