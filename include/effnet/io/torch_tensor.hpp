#pragma once

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

#include <effnet/core/raw_tensor.hpp>
#include <effnet/io/in_quotes.hpp>
#include <effnet/io/pickle_value.hpp>

namespace effnet::detail {

/// A tensor of a PyTorch pickle before its bytes are known: extents and strides, in elements, over
/// the storage `key`.
struct torch_tensor {
  dtype type = dtype::f32;
  std::string_view key;
  std::int64_t stored = 0;  ///< elements of the storage
  std::int64_t offset = 0;
  std::vector<std::int64_t> shape, strides;
};

inline std::optional<dtype> storage_type(std::string_view name) {
  using enum dtype;
  constexpr std::pair<std::string_view, dtype> known[] = {
      {"torch.FloatStorage", f32},   {"torch.HalfStorage", f16}, {"torch.BFloat16Storage", bf16},
      {"torch.DoubleStorage", f64},  {"torch.LongStorage", i64}, {"torch.IntStorage", i32},
      {"torch.ShortStorage", i16},   {"torch.CharStorage", i8},  {"torch.ByteStorage", u8},
      {"torch.BoolStorage", boolean}};
  for (const auto& [spelling, type] : known)
    if (spelling == name) return type;
  return std::nullopt;
}

/// Takes apart a tensor value of the unpickler; `what` names it for messages. Throws `file_error`
/// where its numbers make no sense or reach beyond its storage.
inline torch_tensor torch_tensor_from(const pickle_value& value, const std::string& what) {
  const auto fail = [&](std::string_view reason) { throw file_error(sentence(what, ' ', reason)); };
  const auto integers = [&](const pickle_value& from, std::vector<std::int64_t>& to) {
    if (from.is != pickle_value::kind::tuple || from.items.size() > 16)
      fail("has extents that are no tuple of at most 16 numbers");
    for (const pickle_value* item : from.items) {
      if (item->is != pickle_value::kind::integer || item->integer < 0)
        fail("has an extent or stride that is no number from 0");
      to.push_back(item->integer);
    }
  };
  const pickle_value& storage = *value.items[0];
  torch_tensor tensor;
  const std::optional<dtype> type = storage_type(storage.items[1]->text);
  if (!type) fail(sentence("is stored as ", in_quotes(storage.items[1]->text)));
  tensor.type = *type;
  tensor.key = storage.items[2]->text;
  tensor.stored = storage.items[4]->integer;
  if (tensor.stored < 0 || tensor.stored > INT64_MAX / 8) fail("has a storage of impossible size");
  if (value.items[1]->is != pickle_value::kind::integer || value.items[1]->integer < 0)
    fail("has an offset that is no number from 0");
  tensor.offset = value.items[1]->integer;
  integers(*value.items[2], tensor.shape);
  integers(*value.items[3], tensor.strides);
  if (tensor.shape.size() != tensor.strides.size()) fail("has as many extents as strides");

  bool empty = false;
  for (std::int64_t extent : tensor.shape) empty = empty || extent == 0;
  std::int64_t room = tensor.stored - tensor.offset;  // elements from the first one on
  if (room < (empty ? 0 : 1)) fail("begins beyond its storage");
  for (std::size_t i = 0; i < tensor.shape.size() && !empty; ++i) {
    const std::int64_t steps = tensor.shape[i] - 1, stride = tensor.strides[i];
    if (steps > 0 && stride > (room - 1) / steps)
      fail(sentence("of shape ", shape_text(tensor.shape), " reaches beyond its storage of ",
                    tensor.stored, " elements"));
    room -= steps * stride;
  }
  return tensor;
}

/// Whether the elements lie one after another, outermost extent slowest.
inline bool is_contiguous(const torch_tensor& tensor) {
  for (std::int64_t extent : tensor.shape)
    if (extent == 0) return true;
  std::int64_t expected = 1;
  for (std::size_t i = tensor.shape.size(); i-- > 0;) {
    if (tensor.shape[i] == 1) continue;
    if (tensor.strides[i] != expected) return false;
    expected *= tensor.shape[i];  // within the storage, so it cannot overflow
  }
  return true;
}

/// The tensor over the bytes of its storage: a range of them, or a copy in order where they are
/// strided (channels_last). `copied` sums up the copies of a file; they may not exceed `most`.
inline raw_tensor with_storage(const torch_tensor& from, std::span<const std::byte> storage,
                               const std::shared_ptr<const void>& owner, const std::string& what,
                               std::size_t& copied, std::size_t most) {
  const std::size_t width = size_of(from.type);
  if (storage.size() / width < static_cast<std::size_t>(from.stored))
    throw file_error(sentence(what, " has a storage of ", storage.size(), " bytes, expected ",
                              static_cast<std::size_t>(from.stored) * width,
                              "; the file is truncated or damaged"));
  raw_tensor tensor{.type = from.type, .shape = from.shape, .data = storage.data(), .owner = owner};
  const std::byte* first = storage.data() + static_cast<std::size_t>(from.offset) * width;
  if (is_contiguous(from)) {
    tensor.data = first;
    return tensor;
  }
  std::size_t elements = 1;  // an extent may repeat elements (stride 0): bound the product
  for (std::int64_t extent : from.shape) {
    if (static_cast<std::size_t>(extent) > (most - copied) / width / elements)
      throw file_error(sentence(what, " of shape ", shape_text(from.shape),
                                " repeats its elements; save a contiguous copy"));
    elements *= static_cast<std::size_t>(extent);
  }
  auto buffer = std::make_shared<std::vector<std::byte>>(elements * width);
  copied += buffer->size();
  std::vector<std::int64_t> index(from.shape.size(), 0);
  for (std::size_t i = 0; i < elements; ++i) {
    std::int64_t at = 0;
    for (std::size_t k = 0; k < index.size(); ++k) at += index[k] * from.strides[k];
    std::memcpy(buffer->data() + i * width, first + static_cast<std::size_t>(at) * width, width);
    for (std::size_t k = index.size(); k-- > 0;) {
      if (++index[k] < from.shape[k]) break;
      index[k] = 0;
    }
  }
  tensor.data = buffer->data();
  tensor.owner = std::move(buffer);
  return tensor;
}

}  // namespace effnet::detail
