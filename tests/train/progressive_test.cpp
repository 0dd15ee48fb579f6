#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <string>
#include <vector>

#include <effnet/train/progressive.hpp>

using namespace effnet;

namespace {

progressive_schedule four_stages(progressive_mode mode = progressive_mode::progressive,
                                 std::uint64_t seed = 0) {
  return {.stages = interpolated_stages({.size = 128, .rand_augment = 5, .dropout = 0.1f},
                                        {.size = 300, .rand_augment = 15, .dropout = 0.3f}, 4),
          .mode = mode,
          .total_steps = 107'336,
          .seed = seed};
}

}  // namespace

TEST_CASE("train: stages end at whole shares of the steps") {
  const progressive_schedule schedule = four_stages();
  CHECK(schedule.end_of(0) == 26'834);
  CHECK(schedule.end_of(1) == 53'668);
  CHECK(schedule.end_of(2) == 80'502);
  CHECK(schedule.end_of(3) == 107'336);
  CHECK(schedule.stage_at(0) == 0);
  CHECK(schedule.stage_at(26'833) == 0);
  CHECK(schedule.stage_at(26'834) == 1);
  CHECK(schedule.stage_at(53'668) == 2);
  CHECK(schedule.stage_at(80'501) == 2);
  CHECK(schedule.stage_at(80'502) == 3);
  CHECK(schedule.stage_at(107'335) == 3);
  CHECK(schedule.stage_at(1'000'000) == 3);
}

TEST_CASE("train: 350 epochs in four stages are 87, 88, 87 and 88") {
  progressive_schedule schedule = four_stages();
  schedule.total_steps = 350;
  CHECK(schedule.end_of(0) == 87);
  CHECK(schedule.end_of(1) == 175);
  CHECK(schedule.end_of(2) == 262);
  CHECK(schedule.end_of(3) == 350);
}

TEST_CASE("train: fewer steps than stages, and very many, keep their boundaries") {
  progressive_schedule schedule = four_stages();
  schedule.total_steps = 2;
  CHECK(schedule.stage_at(0) == 1);
  CHECK(schedule.stage_at(1) == 3);
  schedule.total_steps = INT64_MAX;
  CHECK(schedule.end_of(1) == INT64_MAX / 2);
  CHECK(schedule.end_of(3) == INT64_MAX);
}

TEST_CASE("train: every property is interpolated in equal steps") {
  const training_stage first{.size = 100, .mixup = 0, .batch_factor = 4};
  const training_stage last{.size = 201,
                            .rand_augment = 9,
                            .mixup = 0.3f,
                            .cutmix = 0.6f,
                            .dropout = 0.3f,
                            .stochastic_depth = 0.15f,
                            .random_erasing = 0.25f,
                            .batch_factor = 1,
                            .learning_rate_factor = 0.4f};
  const std::vector<training_stage> stages = interpolated_stages(first, last, 4);
  REQUIRE(stages.size() == 4);
  CHECK(stages.front() == first);
  CHECK(stages.back() == last);
  CHECK(stages[1].size == 134);  // 133.67
  CHECK(stages[2].size == 167);  // 167.33
  CHECK(stages[1].rand_augment == doctest::Approx(3));
  CHECK(stages[1].mixup == doctest::Approx(0.1));
  CHECK(stages[1].cutmix == doctest::Approx(0.2));
  CHECK(stages[1].dropout == doctest::Approx(0.1));
  CHECK(stages[2].stochastic_depth == doctest::Approx(0.1));
  CHECK(stages[2].random_erasing == doctest::Approx(0.5 / 3));
  CHECK(stages[1].batch_factor == doctest::Approx(3));
  CHECK(stages[1].learning_rate_factor == doctest::Approx(0.8));
  CHECK(stages[1].batch(32) == 96);
  CHECK(training_stage{.batch_factor = 0.01f}.batch(32) == 1);
}

TEST_CASE("train: one stage has the final values, none is refused") {
  const training_stage first{.size = 128}, last{.size = 300, .dropout = 0.3f};
  CHECK(interpolated_stages(first, last, 1) == std::vector{last});
  CHECK_THROWS_AS(interpolated_stages(first, last, 0), setting_error);
  CHECK_THROWS_AS(progressive_schedule{}.at(0), setting_error);
}

TEST_CASE("train: resizing only keeps the final regularization") {
  const progressive_schedule schedule = four_stages(progressive_mode::resize_only);
  CHECK(schedule.at(0).size == 128);
  CHECK(schedule.at(0).rand_augment == 15);
  CHECK(schedule.at(0).dropout == 0.3f);
  CHECK(schedule.at(26'834).size == 185);
  CHECK(schedule.at(107'335) == schedule.stages[3]);
}

TEST_CASE("train: batch and learning rate go with the size that is trained") {
  progressive_schedule schedule = four_stages(progressive_mode::resize_only);
  schedule.stages[0].batch_factor = 4;
  schedule.stages[0].learning_rate_factor = 2;
  CHECK(schedule.at(0).batch_factor == 4);
  CHECK(schedule.at(0).learning_rate_factor == 2);
  CHECK(schedule.at(30'000).batch_factor == 1);
}

TEST_CASE("train: the fixed mode trains the last stage only") {
  const progressive_schedule schedule = four_stages(progressive_mode::fixed);
  for (std::int64_t step : {0, 30'000, 107'335}) CHECK(schedule.at(step) == schedule.stages[3]);
}

TEST_CASE("train: random sizes occur equally often and regularization adapts on request") {
  const progressive_schedule plain = four_stages(progressive_mode::random_resize, 7);
  const progressive_schedule adaptive = four_stages(progressive_mode::random_resize_adaptive, 7);
  std::array<int, 4> seen{};
  for (std::int64_t step = 0; step < 40'000; ++step) {
    const std::size_t drawn = plain.stage_at(step);
    ++seen[drawn];
    if (adaptive.stage_at(step) != drawn) FAIL("the modes draw different sizes at ", step);
    if (adaptive.at(step) != adaptive.stages[drawn]) FAIL("not adaptive at ", step);
    if (plain.at(step).rand_augment != 15 || plain.at(step).size != plain.stages[drawn].size)
      FAIL("not the final regularization at ", step);
  }
  // 4 standard deviations of a fair draw
  for (int count : seen) CHECK(std::abs(count - 10'000) < 4 * std::sqrt(40'000 * 0.1875));
}

TEST_CASE("train: a drawn size depends on seed and step only") {
  const progressive_schedule one = four_stages(progressive_mode::random_resize, 1);
  const progressive_schedule two = four_stages(progressive_mode::random_resize, 2);
  int same = 0;
  for (std::int64_t step = 0; step < 1'000; ++step)
    same += one.stage_at(step) == two.stage_at(step);
  CHECK(same < 400);
  CHECK(one.stage_at(123) == four_stages(progressive_mode::random_resize, 1).stage_at(123));
}

TEST_CASE("train: stages without sense are refused by number and name") {
  progressive_schedule schedule = four_stages();
  CHECK_NOTHROW(schedule.check());
  const auto complaint = [&] {
    try {
      schedule.check();
    } catch (const setting_error& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  schedule.stages[1].dropout = 1;
  CHECK(complaint() == "stage 2 of 4: dropout is 1; it has to be in [0, 1)");
  schedule = four_stages();
  schedule.stages[3].size = 0;
  CHECK(complaint() == "stage 4 of 4: the image size is 0; it has to be at least 1");
  schedule = four_stages();
  schedule.stages[0].mixup = NAN;
  CHECK(complaint() == "stage 1 of 4: mixup is nan; it has to be finite and at least 0");
  schedule = {};
  CHECK(complaint() == "a progressive schedule has no stages; give one");
}

TEST_CASE("train: modes have names") {
  CHECK(progressive_mode_names[static_cast<std::size_t>(progressive_mode::progressive)] ==
        "progressive");
  CHECK(
      progressive_mode_names[static_cast<std::size_t>(progressive_mode::random_resize_adaptive)] ==
      "random_resize_adaptive");
  CHECK(progressive_mode_names[static_cast<std::size_t>(progressive_mode::fixed)] == "fixed");
}
