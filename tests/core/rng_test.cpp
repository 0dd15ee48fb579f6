#include <doctest/doctest.h>

#include <effnet/core/rng.hpp>

using namespace effnet;

TEST_CASE("core: mix64 is splitmix64's published sequence") {
  // The first outputs of splitmix64 seeded with 1234567 (state advances by the golden gamma).
  constexpr std::uint64_t gamma = 0x9E3779B97F4A7C15u;
  static_assert(mix64(1234567) == 6457827717110365317u);
  static_assert(mix64(1234567 + gamma) == 3203168211198807973u);
  CHECK(mix64(1234567 + 2 * gamma) == 9817491932198370423u);
}

TEST_CASE("core: uniform numbers fill [0, 1) evenly and differ by stream") {
  double sum = 0, largest = 0;
  for (std::uint64_t k = 0; k < 10000; ++k) {
    const double u = uniform(3, k);
    sum += u;
    largest = u > largest ? u : largest;
  }
  CHECK(sum / 10000 == doctest::Approx(0.5).epsilon(0.02));
  CHECK(largest < 1.0);
  CHECK(uniform(3, 0) != uniform(4, 0));
}
