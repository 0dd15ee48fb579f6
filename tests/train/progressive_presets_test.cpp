#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <effnet/arch/fused_ablation.hpp>
#include <effnet/arch/lite_tables.hpp>
#include <effnet/arch/models.hpp>
#include <effnet/arch/resnet_tables.hpp>
#include <effnet/train/progressive_presets.hpp>

using namespace effnet;
using enum progressive_preset;

namespace {

std::vector<training_stage> stages_of(const network_spec& spec, progressive_preset preset,
                                      progressive_options how = {}) {
  how.preset = preset;
  how.total_steps = 107'336;
  return make_progressive_schedule(spec, how).stages;
}

std::vector<int> sizes_of(const std::vector<training_stage>& stages) {
  std::vector<int> sizes;
  for (const training_stage& stage : stages) sizes.push_back(stage.size);
  return sizes;
}

using sizes = std::vector<int>;

void check_property(const std::vector<training_stage>& stages, float training_stage::*property,
                    const std::vector<double>& expected) {
  REQUIRE(stages.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CAPTURE(i);
    CHECK(static_cast<double>(stages[i].*property) == doctest::Approx(expected[i]).epsilon(1e-6));
  }
}

std::string refusal(const network_spec& spec, progressive_preset preset) {
  try {
    stages_of(spec, preset);
  } catch (const spec_error& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("train: the paper's table 6 for V2-S") {
  const auto s = stages_of(v2_s, paper);
  CHECK(sizes_of(s) == sizes{128, 185, 243, 300});
  check_property(s, &training_stage::rand_augment, {5, 25.0 / 3, 35.0 / 3, 15});
  check_property(s, &training_stage::mixup, {0, 0, 0, 0});
  check_property(s, &training_stage::cutmix, {0, 0, 0, 0});
  check_property(s, &training_stage::dropout, {0.1, 0.5 / 3, 0.7 / 3, 0.3});
  check_property(s, &training_stage::stochastic_depth, {0.2, 0.2, 0.2, 0.2});
  check_property(s, &training_stage::random_erasing, {0, 0, 0, 0});
}

TEST_CASE("train: the paper's table 6 for V2-M") {
  const auto m = stages_of(v2_m, paper);
  CHECK(sizes_of(m) == sizes{128, 212, 296, 380});
  check_property(m, &training_stage::rand_augment, {5, 10, 15, 20});
  check_property(m, &training_stage::mixup, {0, 0.2 / 3, 0.4 / 3, 0.2});
  check_property(m, &training_stage::dropout, {0.1, 0.2, 0.3, 0.4});
}

TEST_CASE("train: the paper's table 6 for V2-L, and the slides' mixup") {
  const auto l = stages_of(v2_l, paper);
  CHECK(sizes_of(l) == sizes{128, 212, 296, 380});
  check_property(l, &training_stage::rand_augment, {5, 35.0 / 3, 55.0 / 3, 25});
  check_property(l, &training_stage::mixup, {0, 0.5 / 3, 1.0 / 3, 0.5});
  check_property(l, &training_stage::dropout, {0.1, 0.7 / 3, 1.1 / 3, 0.5});
  auto other = stages_of(v2_l, slides);
  check_property(other, &training_stage::mixup, {0, 0.4 / 3, 0.8 / 3, 0.4});
  for (std::size_t i = 0; i < 4; ++i) other[i].mixup = l[i].mixup;
  CHECK(other == l);
  CHECK(stages_of(v2_m, slides) == stages_of(v2_m, paper));
}

TEST_CASE("train: the released code's sizes for every V2") {
  CHECK(sizes_of(stages_of(v2_b0, automl)) == sizes{144, 160, 176, 192});
  CHECK(sizes_of(stages_of(v2_b1, automl)) == sizes{144, 160, 176, 192});
  CHECK(sizes_of(stages_of(v2_b2, automl)) == sizes{148, 168, 188, 208});
  CHECK(sizes_of(stages_of(v2_b3, automl)) == sizes{156, 184, 212, 240});
  CHECK(sizes_of(stages_of(v2_s, automl)) == sizes{171, 214, 257, 300});
  CHECK(sizes_of(stages_of(v2_m, automl)) == sizes{192, 256, 320, 384});
  CHECK(sizes_of(stages_of(v2_l, automl)) == sizes{192, 256, 320, 384});
  CHECK(sizes_of(stages_of(v2_xl, automl)) == sizes{192, 256, 320, 384});
}

TEST_CASE("train: the released code's regularization for every V2") {
  check_property(stages_of(v2_s, automl), &training_stage::rand_augment,
                 {5, 20.0 / 3, 25.0 / 3, 10});
  check_property(stages_of(v2_m, automl), &training_stage::rand_augment,
                 {5, 25.0 / 3, 35.0 / 3, 15});
  for (const network_spec* large : {&v2_l, &v2_xl}) {
    check_property(stages_of(*large, automl), &training_stage::rand_augment, {5, 10, 15, 20});
    check_property(stages_of(*large, automl), &training_stage::mixup, {0, 0.5 / 3, 1.0 / 3, 0.5});
    check_property(stages_of(*large, automl), &training_stage::dropout, {0.4, 0.4, 0.4, 0.4});
  }
  check_property(stages_of(v2_m, automl), &training_stage::mixup, {0, 0.2 / 3, 0.4 / 3, 0.2});
  check_property(stages_of(v2_m, automl), &training_stage::dropout, {0.3, 0.3, 0.3, 0.3});
  check_property(stages_of(v2_s, automl), &training_stage::mixup, {0, 0, 0, 0});
  check_property(stages_of(v2_s, automl), &training_stage::dropout, {0.2, 0.2, 0.2, 0.2});
  for (const network_spec* small : {&v2_b0, &v2_b1, &v2_b2, &v2_b3}) {  // AutoAugment
    check_property(stages_of(*small, automl), &training_stage::rand_augment, {0, 0, 0, 0});
    check_property(stages_of(*small, automl), &training_stage::mixup, {0, 0, 0, 0});
  }
  for (const network_spec* spec : {&v2_b0, &v2_b1, &v2_b2, &v2_b3, &v2_s, &v2_m, &v2_l, &v2_xl}) {
    const auto stages = stages_of(*spec, automl);
    check_property(stages, &training_stage::stochastic_depth, {0.2, 0.2, 0.2, 0.2});
    for (const training_stage& stage : stages) CHECK(stage.cutmix == stage.mixup);
  }
}

TEST_CASE("train: a preset in one stage trains with the final values") {
  CHECK(stages_of(v2_m, paper, {.stages = 1}) == std::vector{stages_of(v2_m, paper).back()});
  CHECK(stages_of(v2_s, automl, {.stages = 1}) == std::vector{stages_of(v2_s, automl).back()});
}

TEST_CASE("train: the fixed preset has one size for every network") {
  for (const network_spec* spec : models) {
    const progressive_schedule schedule = make_progressive_schedule(*spec, {});
    CHECK(schedule.stages.size() == 1);
    CHECK(schedule.at(0).size == spec->train_size);
    CHECK(schedule.at(0).dropout == spec->dropout);
    CHECK(schedule.at(0).stochastic_depth == doctest::Approx(1 - spec->survival));
  }
  CHECK(stages_of(v2_m, fixed) == std::vector{stages_of(v2_m, automl).back()});
  CHECK(stages_of(b4, fixed, {.size = 96})[0].size == 96);
  CHECK(stages_of(b4, fixed)[0].rand_augment == 0);
}

TEST_CASE("train: what has no published schedule defaults to fixed") {
  for (const network_spec* spec : {&b0, &b7, &l2, &lite0, &lite4, &resnet50, &b4_fused_1_3})
    CHECK(default_progressive_preset(*spec) == fixed);
  for (const network_spec* spec : {&v2_s, &v2_m, &v2_l})
    CHECK(default_progressive_preset(*spec) == paper);
  for (const network_spec* spec : {&v2_b0, &v2_b3, &v2_xl})
    CHECK(default_progressive_preset(*spec) == automl);
}

TEST_CASE("train: a preset that says nothing about a network is refused with the alternatives") {
  CHECK(refusal(b0, paper) ==
        "preset 'paper' says nothing about network 'efficientnet_b0': table 6 of the paper lists "
        "EfficientNetV2-S, M and L only; use preset 'fixed' or 'scratch', or stages of your own");
  CHECK(refusal(v2_b0, paper) ==
        "preset 'paper' says nothing about network 'efficientnetv2_b0': table 6 of the paper lists "
        "EfficientNetV2-S, M and L only; use preset 'automl', 'fixed' or 'scratch', or stages of "
        "your own");
  for (const network_spec* spec : {&b4, &lite2, &resnet50, &b4_fused_1_3}) {
    CHECK(refusal(*spec, paper) != "");
    CHECK(refusal(*spec, slides) != "");
    CHECK(refusal(*spec, automl) != "");
  }
  CHECK(refusal(v2_xl, slides) != "");
  network_spec own = v2_s;
  own.stages[3].repeats = 5;
  CHECK(refusal(own, paper) != "");
}

TEST_CASE("train: other classes, planes and names leave a network what it is") {
  network_spec renamed = with_in_channels(with_classes(v2_s, 10), 1);
  renamed.name = "mine";
  CHECK(stages_of(renamed, paper) == stages_of(v2_s, paper));
}

TEST_CASE("train: another last size moves the first one along") {
  CHECK(sizes_of(stages_of(v2_s, paper, {.size = 150})) == sizes{64, 93, 121, 150});
  CHECK(sizes_of(stages_of(v2_m, paper, {.size = 380})) == sizes{128, 212, 296, 380});
  CHECK(sizes_of(stages_of(v2_m, paper, {.size = 300})) == sizes{128, 185, 243, 300});
  CHECK(sizes_of(stages_of(v2_b0, automl, {.size = 96})) == sizes{72, 80, 88, 96});
  CHECK(sizes_of(stages_of(v2_s, automl, {.size = 100})) == sizes{57, 71, 85, 100});
}

TEST_CASE("train: proportional sizes have no rounding errors") {
  for (int size = 96; size <= 2'000; ++size) {
    const auto stages = stages_of(v2_b0, automl, {.stages = 3, .size = size});
    // 128 / 192 = 2 / 3, so that stage i is (6 + i + 1) / 9 of the last
    for (int i = 0; i < 3; ++i)
      if (stages[static_cast<std::size_t>(i)].size != size * (7 + i) / 9)
        FAIL("stage ", i, " of size ", size, ": ", stages[static_cast<std::size_t>(i)].size);
  }
}

TEST_CASE("train: the first size is at least 32 unless another is asked for") {
  CHECK(sizes_of(stages_of(v2_s, paper, {.size = 62})) == sizes{32, 42, 52, 62});
  CHECK(sizes_of(stages_of(v2_s, paper, {.size = 62, .min_size = 8})) == sizes{8, 26, 44, 62});
  CHECK(sizes_of(stages_of(v2_s, paper, {.size = 20})) == sizes{20, 20, 20, 20});
  CHECK(sizes_of(stages_of(v2_b0, automl, {.size = 36})) == sizes{32, 33, 34, 36});
  CHECK(sizes_of(stages_of(v2_b0, automl, {.size = 128, .min_size = 64})) ==
        sizes{64, 85, 106, 128});
}

TEST_CASE("train: sizes and stages without sense are refused") {
  CHECK_THROWS_AS(stages_of(v2_s, paper, {.size = 100, .min_size = 101}), setting_error);
  CHECK_THROWS_AS(stages_of(v2_s, automl, {.size = -1}), setting_error);
  CHECK_THROWS_AS(stages_of(v2_s, paper, {.stages = 0}), setting_error);
  CHECK_THROWS_AS(stages_of(v2_s, automl, {.stages = 0}), setting_error);
}

TEST_CASE("train: seed, mode and steps reach the schedule") {
  const progressive_schedule schedule =
      make_progressive_schedule(v2_s, {.preset = paper,
                                       .mode = progressive_mode::random_resize_adaptive,
                                       .total_steps = 107'336,
                                       .seed = 3});
  CHECK(schedule.mode == progressive_mode::random_resize_adaptive);
  CHECK(schedule.seed == 3);
  CHECK(schedule.end_of(0) == 26'834);
}
