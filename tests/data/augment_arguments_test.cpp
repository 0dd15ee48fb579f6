#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include <effnet/data/augment_arguments.hpp>

using namespace effnet;

TEST_CASE("data: magnitudes mean to every operation what the released code makes of them") {
  struct row {
    double magnitude, degrees, slope, pixels, far_pixels, factor;
    int bits, threshold, added, half_side;
  };
  for (const row& expected : {row{5, 15, 0.15, 50, 125, 1.0, 2, 128, 55, 20},
                              row{10, 30, 0.3, 100, 250, 1.9, 4, 0, 110, 40},
                              row{15, 45, 0.45, 150, 375, 2.8, 6, 128, 165, 60},
                              row{20, 60, 0.6, 200, 500, 3.7, 8, 0, 220, 80}}) {
    const double m = expected.magnitude;
    CAPTURE(m);
    CHECK(rotate_degrees(m) == doctest::Approx(expected.degrees));
    CHECK(shear_slope(m) == doctest::Approx(expected.slope));
    CHECK(translate_pixels(m) == doctest::Approx(expected.pixels));
    CHECK(translate_pixels(m, 250) == doctest::Approx(expected.far_pixels));
    CHECK(enhance_factor(m) == doctest::Approx(expected.factor));
    CHECK(posterize_bits(m) == expected.bits);
    CHECK(solarize_threshold(m) == expected.threshold);
    CHECK(solarize_added(m) == expected.added);
    CHECK(cutout_half_side(m) == expected.half_side);
  }
}

TEST_CASE("data: the factor of magnitude 5 is exactly 1, so that nothing changes") {
  CHECK(static_cast<float>(enhance_factor(5)) == 1.0f);
}

TEST_CASE("data: fractional magnitudes are truncated only where an integer is needed") {
  CHECK(rotate_degrees(7.5) == doctest::Approx(22.5));
  CHECK(posterize_bits(7.4) == 2);
  CHECK(posterize_bits(7.5) == 3);
  CHECK(solarize_threshold(7.5) == 192);
  CHECK(solarize_added(7.5) == 82);
}

TEST_CASE("data: posterize keeps between 1 and 8 bits") {
  CHECK(posterize_bits(0) == 1);
  CHECK(posterize_bits(2) == 1);
  CHECK(posterize_bits(28) == 8);
}

TEST_CASE("data: the standard rule clamps magnitudes to 10 and does not wrap thresholds") {
  CHECK(effective_magnitude(15, augment_rule::standard) == 10);
  CHECK(effective_magnitude(15, augment_rule::released) == 15);
  CHECK(effective_magnitude(7.5, augment_rule::standard) == 7.5);
  CHECK(solarize_threshold(10, augment_rule::standard) == 256);
  CHECK(solarize_threshold(5, augment_rule::standard) == 128);
}

TEST_CASE("data: magnitudes that mean nothing are refused") {
  for (double m : {-0.1, 1000.1, std::nan(""), std::numeric_limits<double>::infinity()}) {
    CHECK_THROWS_AS(rotate_degrees(m), error);
    CHECK_THROWS_AS(posterize_bits(m), error);
    CHECK_THROWS_AS(effective_magnitude(m, augment_rule::standard), error);
  }
}
