#include <doctest/doctest.h>

#include <effnet/arch/models.hpp>
#include <effnet/train/run_presets.hpp>
#include <effnet/train/training_run.hpp>

namespace {
using namespace effnet;

run_settings staged(progressive_mode mode, float first_factor = 1) {
  run_settings s{.epochs = 5, .batch = 10, .mode = mode};
  s.stages = interpolated_stages({.size = 32, .batch_factor = first_factor},
                                 {.size = 64, .rand_augment = 3, .mixup = 0.2f}, 3);
  return s;
}

/// Adds up what every step sees.
void check_samples(const training_run& run) {
  std::int64_t samples = 0;
  for (std::int64_t step = 0; step < run.total_steps(); ++step) {
    const auto request = run.request(step);
    REQUIRE(request);
    REQUIRE(request->first_sample == samples);
    REQUIRE(request->count == run.batch_at(step));
    REQUIRE(request->step == step);
    const training_stage stage = run.schedule().at(step);
    REQUIRE(request->look.size == stage.size);
    REQUIRE(request->look.mixup == stage.mixup);
    samples += request->count;
  }
  CHECK(run.samples_before(run.total_steps()) == samples);
  CHECK_FALSE(run.request(run.total_steps()));
  CHECK_FALSE(run.request(-1));
  const double expected = run.settings().epochs * static_cast<double>(run.images());
  CHECK(static_cast<double>(samples) == doctest::Approx(expected).epsilon(0.05));
}
}  // namespace

TEST_CASE("train: a run sees whole batches of all its epochs, and at least its fewest steps") {
  run_settings s{.epochs = 8, .batch = 16};
  CHECK(training_run(s, 260).total_steps() == 130);
  CHECK(training_run(s, 234).total_steps() == 117);
  CHECK(training_run(s, 1).total_steps() == 1);
  s.min_steps = 500;
  CHECK(training_run(s, 260).total_steps() == 500);
}

TEST_CASE("train: the samples of a step are those after the steps before, in every mode") {
  for (std::size_t mode = 0; mode < progressive_mode_names.size(); ++mode)
    for (float factor : {1.0f, 3.0f}) {
      CAPTURE(progressive_mode_names[mode]);
      CAPTURE(factor);
      check_samples(training_run(staged(static_cast<progressive_mode>(mode), factor), 777));
    }
  run_settings longer = staged(progressive_mode::random_resize, 2);
  longer.epochs = 100;
  check_samples(training_run(longer, 777));
}

TEST_CASE("train: the rows of a schedule are its stages with their steps and rates") {
  run_settings s = staged(progressive_mode::progressive, 2);
  s.decay = decay_rule::constant;
  s.warmup_epochs = 0;
  s.base_rate = 2.56;
  s.stages[0].learning_rate_factor = 2;
  const training_run run(s, 600);
  const auto rows = run.rows();
  REQUIRE(rows.size() == 3);
  CHECK(run.total_steps() == 200);  // 600 * 5 / 15
  CHECK(rows[0].first == 0);
  CHECK(rows[0].last == 65);
  CHECK(rows[1].first == 66);
  CHECK(rows[2].last == 199);
  CHECK(rows[0].batch == 20);
  CHECK(rows[2].batch == 10);
  CHECK(rows[0].first_rate == doctest::Approx(0.2));
  CHECK(rows[2].last_rate == doctest::Approx(0.1));
  CHECK(rows[2].stage.size == 64);
  s.mode = progressive_mode::fixed;
  CHECK(training_run(s, 600).rows().size() == 1);
  s.mode = progressive_mode::random_resize;
  CHECK(training_run(s, 600).rows()[0].stage.rand_augment == 3);
  CHECK(training_run(s, 600).rows()[0].stage.size == 32);
}

TEST_CASE("train: the options of a run carry its settings, and an average suited to its length") {
  run_settings s{.epochs = 8, .batch = 16, .clip = 2, .layer_decay = 0.5, .seed = 7};
  const training_options options = training_run(s, 260).options();
  CHECK(options.average.decay == doctest::Approx(1 - 10.0 / 130));
  CHECK(options.clip == 2);
  CHECK(options.layer_decay == 0.5);
  CHECK(options.seed == 7);
  CHECK(options.rate.total_steps == 130);
  CHECK(options.rate.steps_per_epoch == 16.25);
  s.ema_decay = 0.99;
  CHECK(training_run(s, 260).options().average.decay == 0.99);
  CHECK(suited_ema_decay(1) == 0);
  CHECK(suited_ema_decay(10'000'000) == 0.9999);
}

TEST_CASE("train: settings of a run that make no sense are refused") {
  const auto refused = [](auto change) {
    run_settings s;
    change(s);
    CHECK_THROWS_AS(training_run(s, 100), error);
  };
  refused([](run_settings& s) { s.epochs = 0; });
  refused([](run_settings& s) { s.epochs = 1e30; });
  refused([](run_settings& s) { s.batch = 0; });
  refused([](run_settings& s) { s.stages.clear(); });
  refused([](run_settings& s) { s.stages[0].dropout = 1; });
  refused([](run_settings& s) { s.stages[0].size = 100'000; });
  refused([](run_settings& s) { s.stages[0].batch_factor = 1e9f; });
  refused([](run_settings& s) { s.ema_decay = 1; });
  refused([](run_settings& s) { s.accumulation = 33; });
  refused([](run_settings& s) { s.base_rate = -1; });
  CHECK_THROWS_AS(training_run(run_settings{}, 0), setting_error);
}

TEST_CASE("train: fine-tuning a few hundred photos warms up for at most a twentieth of its steps") {
  for (std::int64_t images : {20, 234, 260, 2000}) {
    const training_run run(finetune_settings(b0), images);
    const training_options options = run.options();
    CHECK(options.rate.warmup_steps() * 20 <= run.total_steps());
    CHECK(run.settings().network.frozen_batch_norm);
    CHECK(run.rows().size() == 1);
    CHECK(run.rows()[0].stage.size == 224);
  }
  CHECK(training_run(finetune_settings(b0), 260).total_steps() == 130);
}

TEST_CASE("train: training from nothing grows images and regularization") {
  const run_settings s = scratch_settings(v2_b0, 128);
  REQUIRE(s.stages.size() == 4);
  CHECK(s.stages.front().size == 55);
  CHECK(s.stages.back().size == 128);
  CHECK(s.look.augment == sample_augmentation::none);
  CHECK(scratch_settings(v2_s).look.augment == sample_augmentation::rand_augment);
  CHECK(scratch_settings(v2_b0, 128, 1).mode == progressive_mode::fixed);
  CHECK(scratch_settings(v2_b0, 32).stages.front().size == 32);
}

TEST_CASE("train: published recipes become settings") {
  const progressive_schedule schedule =
      make_progressive_schedule(v2_s, {.preset = progressive_preset::automl});
  const run_settings s = published_settings(imagenet, v2_s, schedule);
  CHECK(s.batch == 4096);
  CHECK(s.optimizer.kind == optimizer_kind::rmsprop);
  CHECK(s.optimizer.weight_decay == 1e-5);
  CHECK(s.look.augment == sample_augmentation::rand_augment);
  CHECK(training_run(s, 1'256'144).total_steps() == 107'336);
  CHECK(training_run(s, 1'256'144).options().rate == imagenet.rate(1'256'144));
  const run_settings v1 =
      published_settings(imagenet_v1, b0, make_progressive_schedule(b0, {.total_steps = 1}));
  CHECK(v1.look.augment == sample_augmentation::auto_augment);
  CHECK(v1.look.crop.covered == 0.1);
  CHECK(v1.decayed == decay_set::all_but_batch_norm);
  const run_settings large =
      published_settings(imagenet21k, v2_s, make_progressive_schedule(v2_s, {.total_steps = 1}));
  CHECK(large.stages[0].stochastic_depth == 0);
  CHECK(large.stages[0].dropout == 0);
}
