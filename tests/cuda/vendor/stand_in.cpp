#include "stand_in.hpp"

#include <cstdint>
#include <cstring>

#include <effnet/math/rounding.hpp>

namespace effnet::testing::stand_in {

float load(number type, const void* from, std::size_t i) {
  if (type == number::f32) return static_cast<const float*>(from)[i];
  const std::uint16_t bits = static_cast<const std::uint16_t*>(from)[i];
  return type == number::bf16 ? math::lower_of_pair(bits) : math::from_fp16_bits(bits);
}
void store(number type, void* to, std::size_t i, float value) {
  if (type == number::f32)
    static_cast<float*>(to)[i] = value;
  else
    static_cast<std::uint16_t*>(to)[i] = static_cast<std::uint16_t>(
        type == number::bf16 ? math::bf16_bits(value) : math::fp16_bits(value));
}
void spoil(void* workspace, std::size_t bytes) {
  if (bytes > 0) std::memset(workspace, 0xff, bytes);
}

}  // namespace effnet::testing::stand_in
