#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include <effnet/core/dtype.hpp>

using namespace effnet;

TEST_CASE("core: half and bfloat16 widen exactly") {
  CHECK(float_from_half(0x3C00) == 1.0f);
  CHECK(float_from_half(0xC000) == -2.0f);
  CHECK(float_from_half(0x7BFF) == 65504.0f);
  CHECK(float_from_half(0x0001) == 0x1p-24f);
  CHECK(float_from_half(0x03FF) == 1023 * 0x1p-24f);
  CHECK(float_from_half(0x0400) == 0x1p-14f);
  CHECK(float_from_half(0x7C00) == std::numeric_limits<float>::infinity());
  CHECK(std::isnan(float_from_half(0x7E00)));
  CHECK(std::signbit(float_from_half(0x8000)));
  CHECK(float_from_bfloat16(0x3FC0) == 1.5f);
  CHECK(float_from_bfloat16(0xFF80) == -std::numeric_limits<float>::infinity());
}

TEST_CASE("core: widening reads unaligned bytes of every floating type") {
  alignas(8) std::byte bytes[64] = {};
  const double values[] = {1.25, -3};
  std::memcpy(bytes + 1, values, sizeof values);
  float widened[2];
  widen(dtype::f64, bytes + 1, 2, widened);
  CHECK(widened[0] == 1.25f);
  CHECK(widened[1] == -3.0f);
  const std::uint16_t halves[] = {0x3C00, 0x3800};
  std::memcpy(bytes + 3, halves, sizeof halves);
  widen(dtype::f16, bytes + 3, 2, widened);
  CHECK(widened[0] == 1.0f);
  CHECK(widened[1] == 0.5f);
}
