#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>

#include <effnet/core/rng.hpp>
#include <effnet/math/rounding.hpp>

using namespace effnet;

namespace {

/// A float of any size and sign.
float any_float(std::uint64_t i) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(uniform(1, i) * 4294967296.0));
}
/// The nearest of numbers with `bits` behind the point and exponents from `least` on, in double.
double nearest(float x, int bits, int least) {
  int exponent = 0;
  std::frexp(double{x}, &exponent);
  const double step = std::ldexp(1.0, std::max(exponent - 1, least) - bits);
  return std::nearbyint(double{x} / step) * step;  // ties to even
}

}  // namespace

TEST_CASE("math: bf16 and TF32 are the nearest numbers") {
  for (std::uint64_t i = 0; i < 200'000; ++i) {
    const float x = any_float(i);
    if (!std::isfinite(x) || std::abs(x) > 3e38f) continue;
    const double bf16 = double{math::lower_of_pair(math::bf16_bits(x))};
    CHECK_MESSAGE(bf16 == nearest(x, 7, -126), x);
    const double tf32 = double{math::tf32_rounded(x)}, exact = nearest(x, 10, -126);
    const bool tie = std::abs(double{x} - exact) == std::abs(double{x} - tf32);
    CHECK_MESSAGE((tf32 == exact || (tie && std::abs(tf32) > std::abs(exact))), x);
  }
  CHECK(math::tf32_rounded(1 + 0x1p-11f) == 1 + 0x1p-10f);  // a tie
  CHECK(math::tf32_rounded(-1 - 0x1p-11f) == -1 - 0x1p-10f);
  CHECK(math::bf16_bits(1 + 0x1p-8f) == 0x3f80u);
  CHECK(math::bf16_pair(1, -2) == 0xc0003f80u);
  CHECK(math::upper_of_pair(0xc0003f80u) == -2);
}

TEST_CASE("math: fp16 is the nearest number, and there and back is the same") {
  for (std::uint32_t half = 0; half < 65536; ++half) {
    const float x = math::from_fp16_bits(half);
    if (std::isnan(x))
      CHECK(std::isnan(math::from_fp16_bits(math::fp16_bits(x))));
    else
      CHECK(math::fp16_bits(x) == half);
  }
  for (std::uint64_t i = 0; i < 200'000; ++i) {
    const auto x =
        static_cast<float>(std::ldexp(2 * uniform(2, i) - 1, static_cast<int>(i % 45) - 28));
    const double exact = nearest(x, 10, -14);
    const float got = math::from_fp16_bits(math::fp16_bits(x));
    if (std::abs(exact) > 65504)
      CHECK(got == std::copysign(std::numeric_limits<float>::infinity(), x));
    else
      CHECK_MESSAGE(double{got} == exact, x);
  }
  CHECK(math::from_fp16_bits(math::fp16_bits(65519.99f)) == 65504);
  CHECK(std::isinf(math::from_fp16_bits(math::fp16_bits(65520))));
}

TEST_CASE("math: what is not a number or infinite stays so when it is rounded") {
  const float infinite = std::numeric_limits<float>::infinity();
  for (const float x : {infinite, -infinite, std::numeric_limits<float>::quiet_NaN(),
                        std::bit_cast<float>(0x7f800001u), std::bit_cast<float>(0xffffffffu)}) {
    for (const float rounded : {math::tf32_rounded(x), math::lower_of_pair(math::bf16_bits(x)),
                                math::from_fp16_bits(math::fp16_bits(x))}) {
      CHECK(std::isnan(rounded) == std::isnan(x));
      if (!std::isnan(x)) CHECK(rounded == x);
    }
  }
}
