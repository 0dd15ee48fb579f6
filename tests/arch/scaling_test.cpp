#include <doctest/doctest.h>

#include <effnet/arch/resnet_tables.hpp>
#include <effnet/arch/scaling.hpp>
#include <effnet/arch/v1_tables.hpp>
#include <effnet/arch/validate.hpp>

using namespace effnet;

TEST_CASE(
    "arch: the rounding guard decides 16 channels at width 1.2 and nothing else of the family") {
  CHECK(scaled_channels(16, 1.2, channel_rounding::guarded) == 24);
  CHECK(scaled_channels(16, 1.2, channel_rounding::unguarded) == 16);
  for (double width : {1.0, 1.1, 1.2, 1.4, 1.6, 1.8, 2.0, 2.2, 4.3})
    for (int channels : {16, 24, 32, 40, 48, 80, 96, 112, 192, 320, 1280})
      if (!(width == 1.2 && channels == 16))
        CHECK(scaled_channels(channels, width, channel_rounding::guarded) ==
              scaled_channels(channels, width, channel_rounding::unguarded));
  CHECK(scaled_channels(2, 1.0, channel_rounding::unguarded) == 8);
}

TEST_CASE("arch: repeats round up") {
  CHECK(scaled_repeats(1, 1.0) == 1);
  CHECK(scaled_repeats(3, 1.1) == 4);
  CHECK(scaled_repeats(4, 3.1) == 13);
  CHECK(scaled_repeats(5, 2.2) == 11);
}

TEST_CASE("arch: without the guard B3 is the network of automl's own test") {
  constexpr network_spec unguarded = compound_scaled(
      b0, {.width = 1.2, .depth = 1.4, .resolution = 300, .rounding = channel_rounding::unguarded});
  CHECK(count_parameters(unguarded) + count_bn_statistics(unguarded) == 12'314'268);
}

TEST_CASE("arch: a network without a head has none after scaling") {
  const network_spec wider = compound_scaled(resnet50, {.width = 1.5, .depth = 1.2});
  CHECK(wider.head == 0);
  CHECK(wider.features() == 3072);
  CHECK(wider.stages[2].repeats == 8);
  CHECK(first_violation(wider).rule == spec_rule::none);
}

TEST_CASE("arch: the published constants nearly double the cost per step") {
  constexpr compound_constants published;
  CHECK(published.flops_ratio() == doctest::Approx(1.92).epsilon(0.001));
  CHECK(published.holds_flops_constraint());
  CHECK_FALSE(compound_constants{.alpha = 1.4, .beta = 1.2, .gamma = 1.2}.holds_flops_constraint());
  const scaling twice = compound_scaling(published, 2, 224);
  CHECK(twice.depth == doctest::Approx(1.44));
  CHECK(twice.width == doctest::Approx(1.21));
  CHECK(twice.resolution == 296);
}

TEST_CASE("arch: scaling by powers multiplies the cost as the constraint says") {
  const network_spec scaled = compound_scaled(b0, compound_scaling({}, 3));
  const double ratio = static_cast<double>(count_macs(scaled, scaled.eval_size)) /
                       static_cast<double>(count_macs(b0, 224));
  CHECK(ratio == doctest::Approx(1.92 * 1.92 * 1.92).epsilon(0.25));  // rounding of both
}
