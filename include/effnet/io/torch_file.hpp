#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <effnet/core/file_mapping.hpp>
#include <effnet/core/raw_tensor.hpp>
#include <effnet/io/in_quotes.hpp>
#include <effnet/io/name_map.hpp>
#include <effnet/io/torch_tensor.hpp>
#include <effnet/io/unpickler.hpp>
#include <effnet/io/zip_archive.hpp>

namespace effnet {

namespace detail {

using torch_tensors = std::vector<std::pair<std::string, torch_tensor>>;

/// The storages of a file by key.
struct storage_list {
  std::vector<std::span<const std::byte>> bytes;
  name_map index;

  void add(std::string_view key, std::span<const std::byte> content) {
    if (index.emplace(key, bytes.size()).second) bytes.push_back(content);
  }
};

/// The dict that holds the tensors: a checkpoint may keep it under one of these names, the averaged
/// weights first (as timm's load_checkpoint chooses).
inline const pickle_value* find_state_dict(const pickle_value* root, std::string_view file) {
  using kind = pickle_value::kind;
  if (root->is != kind::dict)
    throw file_error(sentence(file, " holds no dict of tensors; save model.state_dict()"));
  for (int depth = 0; depth < 4; ++depth) {
    const pickle_value* inner = nullptr;
    for (std::string_view name : {"state_dict_ema", "model_ema", "state_dict", "model"}) {
      for (std::size_t i = 0; i + 1 < root->items.size() && inner == nullptr; i += 2)
        if (root->items[i]->is_text(name) && root->items[i + 1]->is == kind::dict)
          inner = root->items[i + 1];
      if (inner != nullptr) break;
    }
    if (inner == nullptr) break;
    root = inner;
  }
  return root;
}

/// Names and tensors of a state dict, without the prefix that DistributedDataParallel and
/// torch.compile put before every name. Values that are no tensors are left out.
inline torch_tensors tensors_of(const pickle_value* dict, std::string_view file) {
  using kind = pickle_value::kind;
  torch_tensors found;
  name_map last;  // a repeated key replaces, as in Python
  std::vector<std::string_view> order;
  for (std::size_t i = 0; i + 1 < dict->items.size(); i += 2) {
    const pickle_value& key = *dict->items[i];
    if (key.is != kind::text || dict->items[i + 1]->is != kind::tensor) continue;
    if (last.insert_or_assign(key.text, i + 1).second) order.push_back(key.text);
  }
  if (order.empty())
    throw file_error(sentence(file, " holds no tensors by name; save model.state_dict()"));
  std::size_t prefix = 0;
  for (std::string_view wrapper : {"module.", "_orig_mod.", "module."}) {
    bool everywhere = true;
    for (std::string_view name : order)
      everywhere = everywhere && name.substr(prefix).starts_with(wrapper);
    if (everywhere) prefix += wrapper.size();
  }
  for (std::string_view name : order)
    found.emplace_back(std::string(name.substr(prefix)),
                       torch_tensor_from(*dict->items[last[name]],
                                         sentence("tensor ", in_quotes(name), " of ", file)));
  return found;
}

inline state_dict resolve(const torch_tensors& tensors, const storage_list& storages,
                          const std::shared_ptr<const void>& owner, std::size_t file_bytes,
                          std::string_view file) {
  state_dict dict;
  std::size_t copied = 0;
  for (const auto& [name, tensor] : tensors) {
    const std::string what = sentence("tensor ", in_quotes(name), " of ", file);
    const auto storage = storages.index.find(tensor.key);
    if (storage == storages.index.end())
      throw file_error(sentence(what, " has its storage ", in_quotes(tensor.key),
                                " nowhere in the file; it is truncated or damaged"));
    dict.tensors.emplace_back(name, with_storage(tensor, storages.bytes[storage->second], owner,
                                                 what, copied, file_bytes));
  }
  return dict;
}

/// PyTorch 1.6 and later: a zip with NAME/data.pkl and NAME/data/KEY.
inline state_dict parse_torch_zip(std::span<const std::byte> bytes,
                                  const std::shared_ptr<const void>& owner, std::string_view file) {
  const zip_archive archive(bytes, file);
  constexpr std::string_view pickle_name = "data.pkl";
  std::string_view folder;
  const zip_archive::member* pickle = nullptr;
  for (const zip_archive::member& candidate : archive.members()) {
    const std::string_view name = candidate.name;
    if (name != pickle_name && !name.ends_with("/data.pkl")) continue;
    if (pickle != nullptr)
      throw file_error(sentence(file, " holds several data.pkl; expected one PyTorch file"));
    pickle = &candidate;
    folder = name.substr(0, name.size() - pickle_name.size());
  }
  if (pickle == nullptr)
    throw file_error(sentence(file, " is a zip file without data.pkl, so no PyTorch file"));
  const zip_archive::member* order = archive.find(std::string(folder) + "byteorder");
  if (order && std::string_view(reinterpret_cast<const char*>(order->content.data()),
                                order->content.size()) != "little")
    throw file_error(sentence(file, " was written on a big-endian machine; save it again"));
  pickle_heap heap(bytes.size());
  const torch_tensors tensors =
      tensors_of(find_state_dict(unpickler(pickle->content, file, heap).read(), file), file);
  storage_list storages;
  const std::string data = std::string(folder) + "data/";
  for (const auto& [name, content] : archive.members())
    if (name.starts_with(data)) storages.add(name.substr(data.size()), content);
  return resolve(tensors, storages, owner, bytes.size(), file);
}

/// The number that the files of PyTorch before 1.6 begin with: a pickle of its own, of protocol 2
/// mostly; from protocol 4 on with a frame of 9 bytes around it.
inline bool has_legacy_magic(std::string_view text) {
  constexpr std::string_view magic = "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
  if (!text.starts_with('\x80') || text.size() < 2) return false;
  text.remove_prefix(2);
  if (text.starts_with('\x95') && text.size() >= 9) text.remove_prefix(9);
  return text.starts_with(magic);
}

/// PyTorch before 1.6: pickles of a magic number, a version, facts of the machine, the state dict
/// and the storages' keys; then for each key its elements, as a count and the bytes.
inline state_dict parse_torch_legacy(std::span<const std::byte> bytes,
                                     const std::shared_ptr<const void>& owner,
                                     std::string_view file) {
  using kind = pickle_value::kind;
  pickle_heap heap(bytes.size());
  std::span<const std::byte> rest = bytes;
  const auto next = [&] {
    std::size_t consumed = 0;
    const pickle_value* value = unpickler(rest, file, heap).read(&consumed);
    rest = rest.subspan(consumed);
    return value;
  };
  next();  // the magic number
  if (const pickle_value* version = next();
      version->is != kind::integer || version->integer != 1001)
    throw file_error(sentence(file, " has an unknown version of PyTorch's format, expected 1001"));
  const pickle_value* machine = next();
  for (std::size_t i = 0; i + 1 < machine->items.size(); i += 2)
    if (machine->is == kind::dict && machine->items[i]->is_text("little_endian") &&
        machine->items[i + 1]->integer == 0)
      throw file_error(sentence(file, " was written on a big-endian machine; save it again"));
  const pickle_value* root = next();
  const pickle_value* keys = next();
  // every storage of the file is here, also those of an optimizer: widths come from the heap
  name_map widths;
  heap.for_each([&](const pickle_value& value) {
    if (value.is != kind::storage) return;
    if (const auto type = storage_type(value.items[1]->text))
      widths.emplace(value.items[2]->text, size_of(*type));
  });
  const torch_tensors tensors = tensors_of(find_state_dict(root, file), file);
  storage_list storages;
  if (keys->is != kind::list) throw file_error(sentence(file, " has no list of storages"));
  for (const pickle_value* key : keys->items) {
    const auto width = widths.find(key->text);
    const auto count = read_at<std::uint64_t>(rest, 0);
    if (key->is != kind::text || width == widths.end())
      throw file_error(
          sentence(file, " lists a storage ", in_quotes(key->text), " that nobody uses"));
    if (!count || *count > (rest.size() - sizeof *count) / width->second)
      throw file_error(sentence("storage ", in_quotes(key->text), " of ", file,
                                " is cut off; the file is truncated or damaged"));
    const std::size_t size = static_cast<std::size_t>(*count) * width->second;
    storages.add(key->text, rest.subspan(sizeof *count, size));
    rest = rest.subspan(sizeof *count + size);
  }
  return resolve(tensors, storages, owner, bytes.size(), file);
}

}  // namespace detail

/// Whether `bytes` begin as a file of torch.save does, of either format.
inline bool is_torch_file(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.size() > 8 && text[8] == '{') return false;  // safetensors, after any length
  return text.starts_with("PK\x03\x04") || detail::has_legacy_magic(text);
}

/// Reads a state dict that torch.save wrote (`.pth`, `.pt`, `.bin`; zip or legacy) from memory.
/// Nothing in the file is executed: only dicts, lists, numbers, texts and tensors are understood;
/// a class that a state dict does not need is an error that names it. A dict under state_dict_ema,
/// model_ema, state_dict or model is unwrapped (the first of these there is), and the prefixes
/// `module.` and `_orig_mod.` are removed where every name has them. Tensors point into `bytes` and
/// keep `owner` alive; strided ones are copied into order. `path` is for messages. Throws
/// `file_error`.
inline state_dict parse_torch_file(std::span<const std::byte> bytes,
                                   const std::shared_ptr<const void>& owner, std::string path) {
  if (!is_torch_file(bytes))
    throw file_error(sentence(path_in_quotes(path), " is no file of torch.save"));
  const bool is_zip = bytes.front() == std::byte{'P'};
  state_dict dict = is_zip ? detail::parse_torch_zip(bytes, owner, path_in_quotes(path))
                           : detail::parse_torch_legacy(bytes, owner, path_in_quotes(path));
  dict.path = std::move(path);
  return dict;
}

/// Maps a file of torch.save and reads it.
inline state_dict read_torch_file(const std::string& path) {
  const file_mapping mapping = map_file(path);
  return parse_torch_file(mapping.bytes, mapping.owner, path);
}

}  // namespace effnet
