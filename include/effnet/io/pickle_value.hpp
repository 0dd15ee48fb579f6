#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string_view>
#include <utility>
#include <vector>

namespace effnet::detail {

/// A Python object as far as state dicts need one. Text points into the pickle. Values refer to
/// each other by pointer and belong to one `pickle_heap`, so that sharing and cycles are harmless.
struct pickle_value {
  enum class kind : std::uint8_t {
    none,
    boolean,
    integer,
    big_integer,  ///< more than 64 bits: `text` has its little-endian bytes
    real,         ///< `integer` has its bits
    text,
    bytes,
    tuple,
    list,
    dict,    ///< `items` alternate key and value
    global,  ///< a class or function that is known by name
    storage,
    tensor,
    opaque,  ///< made by a known class, of no interest (torch.device)
  };
  kind is = kind::none;
  std::int64_t integer = 0;
  std::string_view text;
  /// Elements of a tuple or list; of a dict in pairs; of a storage its persistent id; of a tensor
  /// storage, offset, size, strides.
  std::vector<pickle_value*> items;

  bool is_text(std::string_view wanted) const { return is == kind::text && text == wanted; }
};

/// Owns the values of the pickles of one file. Bounded, since a hostile pickle makes a value with
/// every byte: a state dict has some 40 a tensor, a million at most.
class pickle_heap {
 public:
  explicit pickle_heap(std::size_t file_bytes)
      : most_(std::min(most, (1u << 16) + file_bytes / 16)) {}

  pickle_value* make(pickle_value::kind kind) {
    pickle_value& value = values_.emplace_back();
    value.is = kind;
    return &value;
  }
  template <class Visitor>
  void for_each(Visitor&& visit) const {
    for (const pickle_value& value : values_) visit(value);
  }
  bool full() const { return values_.size() >= most_; }

 private:
  static constexpr std::size_t most = 1u << 20;
  std::size_t most_;
  std::deque<pickle_value> values_;
};

}  // namespace effnet::detail
