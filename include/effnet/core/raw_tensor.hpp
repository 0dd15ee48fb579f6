#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <effnet/core/dtype.hpp>
#include <effnet/core/error.hpp>

namespace effnet {

/// A tensor as a file holds it: element type, extents (outermost first), little-endian bytes
/// without gaps. It keeps alive what owns the bytes (a mapping, a vector) and never changes them.
struct raw_tensor {
  dtype type = dtype::f32;
  std::vector<std::int64_t> shape;
  const std::byte* data = nullptr;
  std::shared_ptr<const void> owner;

  std::size_t elements() const {
    std::size_t count = 1;
    for (std::int64_t extent : shape) count *= static_cast<std::size_t>(extent);
    return count;
  }
  std::size_t bytes() const { return elements() * size_of(type); }
};

inline std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += sentence(i ? ", " : "", shape[i]);
  return text + "]";
}

/// Named tensors in the order of their file, and the file's text metadata.
struct state_dict {
  std::vector<std::pair<std::string, raw_tensor>> tensors;
  std::map<std::string, std::string> metadata;
  std::string path;  ///< where it came from, for messages

  const raw_tensor* find(std::string_view name) const {
    for (const auto& [key, tensor] : tensors)
      if (key == name) return &tensor;
    return nullptr;
  }
};

}  // namespace effnet
