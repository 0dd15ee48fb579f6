#include <doctest/doctest.h>

#include <effnet/arch/convention_presets.hpp>
#include <effnet/arch/models.hpp>

using namespace effnet;

TEST_CASE("arch: tf checkpoints pad as TensorFlow, evaluate as timm lists") {
  const convention b3_rule = convention_for(convention_name::tf, b3);
  CHECK(b3_rule.padding == padding_rule::tf_same);
  CHECK(b3_rule.bn_eps == 1e-3f);
  CHECK(b3_rule.input.resize == 331);  // floor(300 / 0.904)
  CHECK(convention_for(convention_name::tf, b0).input.resize == 256);
  CHECK(convention_for(convention_name::tf, b5).input.resize == 488);  // floor(456 / 0.934)
  const input_rule s = convention_for(convention_name::tf, v2_s).input;
  CHECK(s.crop == crop_rule::center);
  CHECK(s.resize == 384);
  CHECK(s.mean[0] == 127.5f);
  CHECK(convention_for(convention_name::tf, v2_m).input.crop == crop_rule::squash);
  CHECK(convention_for(convention_name::tf, v2_b1).input.mean[0] == 123.675f);
}

TEST_CASE("arch: timm's own checkpoints see the sizes that it tests them at") {
  const auto input = [](const network_spec& s) {
    return convention_for(convention_name::timm, s).input;
  };
  struct row {
    const network_spec* spec;
    int size, resize;
  };
  for (const row& at :
       {row{&b0, 224, 256}, row{&b1, 256, 256}, row{&b2, 288, 288}, row{&b3, 320, 320},
        row{&b4, 384, 384}, row{&b6, 528, 560}, row{&v2_s, 384, 384}, row{&v2_l, 480, 480},
        row{&lite0, 224, 256}, row{&resnet50, 288, 288}, row{&b4_fused_1_3, 380, 412}}) {
    CAPTURE(at.spec->name.text);
    CHECK(input(*at.spec).size == at.size);
    CHECK(input(*at.spec).resize == at.resize);
    CHECK(input(*at.spec).filter == interpolation::bicubic);
    CHECK(input(*at.spec).mean[0] == 123.675f);
  }
  CHECK(convention_for(convention_name::timm, v2_s).bn_eps == 1e-5f);
}

TEST_CASE("arch: torchvision's sizes, filters and eps are those of its weight enums") {
  const auto rule = [](const network_spec& s) {
    return convention_for(convention_name::torchvision, s);
  };
  CHECK(rule(b4).bn_eps == 1e-5f);
  CHECK(rule(b5).bn_eps == 1e-3f);
  CHECK(rule(v2_s).bn_eps == 1e-3f);
  CHECK(rule(b1).input.resize == 256);
  CHECK(rule(b2).input.size == 288);
  CHECK(rule(b3).input.resize == 320);
  CHECK(rule(b7).input.resize == 600);
  CHECK(rule(v2_m).input.filter == interpolation::bilinear);
  CHECK(rule(v2_l).input.filter == interpolation::bicubic);
  CHECK(rule(v2_l).input.mean[2] == 127.5f);
  CHECK(rule(resnet50).input.resize == 256);
  CHECK(rule(resnet50).padding == padding_rule::symmetric);
}

TEST_CASE("arch: Lite takes (x - 127) / 128 of the central crop") {
  const convention rule = convention_for(convention_name::lite, lite0);
  CHECK(rule.input == input_rule{.size = 224,
                                 .resize = 256,
                                 .crop = crop_rule::center_nearest,
                                 .filter = interpolation::bicubic,
                                 .mean = {127, 127, 127},
                                 .deviation = {128, 128, 128}});
  CHECK(rule.padding == padding_rule::tf_same);
}

TEST_CASE("arch: conventions and filters are found by name") {
  CHECK(find_convention("keras") == convention_name::keras);
  CHECK_FALSE(find_convention("caffe").has_value());
  CHECK(find_interpolation("lanczos") == interpolation::lanczos);
  CHECK_FALSE(find_interpolation("").has_value());
}
