#include <doctest/doctest.h>

#include <stdexcept>

#include <effnet/arch/fused_ablation.hpp>
#include <effnet/arch/resnet_tables.hpp>
#include <effnet/arch/v2_tables.hpp>
#include <effnet/arch/validate.hpp>

using namespace effnet;

TEST_CASE("arch: a table that does not chain is refused with stage, values and remedy") {
  network_spec spec = v2_s;
  spec.stages[2].in = 40;
  CHECK_THROWS_WITH_AS(
      validate(spec),
      "network 'efficientnetv2_s', stage 3: reads 40 channels, but the stage before "
      "it puts out 48; make 'in' equal to that",
      spec_error);
  spec = v2_s;
  spec.stem = 32;
  CHECK_THROWS_WITH_AS(validate(spec), doctest::Contains("but the stem puts out 32"), spec_error);
}

TEST_CASE("arch: a table takes no more stages than it holds, and says so") {
  stage_list full;
  for (int i = 0; i < stage_list::capacity; ++i) full.push_back(mbconv{.in = 8, .out = 8});
  CHECK_THROWS_AS(full.push_back(mbconv{.in = 8, .out = 8}), std::out_of_range);
  CHECK(full.count == stage_list::capacity);
}

TEST_CASE("arch: only stages that a table has can be fused") {
  CHECK_THROWS_WITH_AS(fuse_stages(b4, {.first = 6, .last = 8}),
                       "cannot fuse stages 6 to 8 of network 'efficientnet_b4', which has 7",
                       spec_error);
  CHECK_THROWS_AS(fuse_stages(b4, {.first = 0, .last = 1}), spec_error);
}

TEST_CASE("arch: every other rule has its sentence") {
  const auto broken = [](auto change) {
    network_spec spec = v2_s;
    change(spec);
    return first_violation(spec);
  };
  CHECK(broken([](auto& s) { s.stages = {}; }).rule == spec_rule::has_stages);
  CHECK(broken([](auto& s) { s.classes = 0; }).rule == spec_rule::positive);
  CHECK(broken([](auto& s) { s.stages[1].repeats = 0; }).stage == 2);
  CHECK(broken([](auto& s) { s.stages[1].kernel = 4; }).rule == spec_rule::odd_kernel);
  CHECK(broken([](auto& s) { s.stages[1].stride = 3; }).rule == spec_rule::stride);
  CHECK(broken([](auto& s) { s.survival = 0; }).rule == spec_rule::positive);
  network_spec spec = resnet50;
  spec.stages[0].se = 0.25f;
  CHECK(first_violation(spec).rule == spec_rule::bottleneck_width);
  CHECK_NOTHROW(validate(resnet50));
}
