#pragma once

#include <vector>

#include <effnet/math/rounding.hpp>

#include "device_vector.hpp"

namespace effnet::testing {

/// Numbers as maps of type `type` hold them.
inline std::vector<float> as_stored(dtype type, std::vector<float> values) {
  for (float& x : values) {
    if (type == dtype::bf16) x = math::lower_of_pair(math::bf16_bits(x));
    if (type == dtype::f16) x = math::from_fp16_bits(math::fp16_bits(x));
  }
  return values;
}
template <backend B>
std::vector<float> as_stored(const B& on, std::vector<float> values) {
  return as_stored(map_type(on), std::move(values));
}
/// How far two numbers may lie apart that were rounded to `type`, relative to the larger; `exact`
/// where nothing is rounded.
inline double rounding_step(dtype type, double exact) {
  if (type == dtype::bf16) return 1.0 / 128;
  if (type == dtype::f16) return 1.0 / 1024;
  return exact;
}

/// A map in a backend's memory, in the type in which the backend stores maps.
template <backend B>
class device_map {
 public:
  device_map(const B& on, const std::vector<float>& from)
      : type_(map_type(on)), count_(from.size()), numbers_(on, packed(from)) {}

  float* data() const { return numbers_.data(); }
  tensor_view view(const shape4& shape) const { return {data(), shape, type_}; }
  std::vector<float> host() const {
    const std::vector<float> raw = numbers_.host();
    std::vector<float> values(count_);
    widen(type_, reinterpret_cast<const std::byte*>(raw.data()), count_, values.data());
    return values;
  }

 private:
  /// Two numbers take the place of a float.
  std::vector<float> packed(const std::vector<float>& values) const {
    if (type_ == dtype::f32) return values;
    std::vector<float> raw((count_ + 1) / 2);
    for (std::size_t i = 0; i < count_; ++i) {
      const auto bits = static_cast<std::uint16_t>(
          type_ == dtype::bf16 ? math::bf16_bits(values[i]) : math::fp16_bits(values[i]));
      std::memcpy(reinterpret_cast<std::byte*>(raw.data()) + i * sizeof bits, &bits, sizeof bits);
    }
    return raw;
  }

  dtype type_;
  std::size_t count_;
  device_vector<B> numbers_;
};

}  // namespace effnet::testing
