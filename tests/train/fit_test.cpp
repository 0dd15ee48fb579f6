#include <doctest/doctest.h>

#include <cstring>

#include <effnet/cpu/cpu_training_backend.hpp>
#include <effnet/train/fit.hpp>
#include <effnet/train/resume.hpp>

#include "../temporary_folder.hpp"
#include "toy_network.hpp"

namespace {
using namespace effnet;
using namespace effnet::testing;

/// Pictures of one colour with some noise; the class decides the colour.
class coloured_set {
 public:
  explicit coloured_set(std::size_t count = 30, std::size_t broken = 99)
      : count_(count), broken_(broken) {}
  std::size_t count() const { return count_; }
  const std::vector<std::string>& classes() const { return classes_; }
  int label(std::size_t i) const { return static_cast<int>(i % 3); }
  std::string name(std::size_t i) const { return std::to_string(i); }
  effnet::image image(std::size_t i) const {
    if (i == broken_) throw image_error("number " + std::to_string(i) + " is broken");
    effnet::image made = make_image(40, 36);
    for (std::size_t k = 0; k < made.pixels.size(); ++k)
      made.pixels[k] = static_cast<std::uint8_t>((k % 3 == i % 3 ? 200 : 30) +
                                                 static_cast<int>(40 * uniform(i, k)));
    return made;
  }

 private:
  std::size_t count_, broken_;
  std::vector<std::string> classes_ = {"red", "green", "blue"};
};

run_settings short_run(progressive_mode mode, float first_batch_factor = 1) {
  run_settings s{.epochs = 2, .batch = 5, .base_rate = 0.2, .seed = 4, .mode = mode};
  s.stages = interpolated_stages(
      {.size = 32, .batch_factor = first_batch_factor},
      {.size = 40, .mixup = 0.2f, .dropout = 0.2f, .stochastic_depth = 0.2f}, 3);
  return s;
}

auto trainer_of(const training_run& run) {
  return trainer{initial_weights(toy_table(), 5), rmsprop{}, run.options(), cpu_training_backend{}};
}

fit_options options_of(const training_run& run, int threads) {
  return {.loader = {.threads = threads, .prefetch = 2, .seed = run.settings().seed}};
}

template <class Trainer>
std::string bytes_in(Trainer& t) {
  std::string bytes;
  detail::for_each_part(t, [&](const std::string&, const tensor_spec&, std::span<float> floats) {
    bytes.append(reinterpret_cast<const char*>(floats.data()), floats.size_bytes());
  });
  return bytes;
}

bool always(const training_progress&) {
  return true;
}
}  // namespace

TEST_CASE("train: a run that is taken up anywhere has the same bits, with any loader threads") {
  const coloured_set set;
  const temporary_folder folder;
  for (std::size_t mode = 0; mode < progressive_mode_names.size(); ++mode)
    for (float factor : {1.0f, 2.0f}) {
      CAPTURE(progressive_mode_names[mode]);
      const training_run run(short_run(static_cast<progressive_mode>(mode), factor), 30);
      auto whole = trainer_of(run);
      CHECK(fit(whole, set, run, options_of(run, 1), always).finished);
      CHECK(whole.steps_done() == run.total_steps());
      for (int threads : {1, 2, 4}) {
        auto first = trainer_of(run), second = trainer_of(run);
        fit_options some = options_of(run, threads);
        some.stop_after = 2 + threads;  // mid-epoch, and in different stages
        CHECK_FALSE(fit(first, set, run, some, always).finished);
        save_checkpoint(folder / "last.ckpt", first);
        CHECK(resume(second, read_checkpoint(folder / "last.ckpt")).empty());
        CHECK(fit(second, set, run, options_of(run, threads), always).finished);
        CHECK(bytes_in(second) == bytes_in(whole));
      }
    }
}

TEST_CASE("train: progress tells of steps, stages, speed and what is left") {
  const coloured_set set;
  run_settings settings = short_run(progressive_mode::progressive, 2);
  settings.epochs = 2.4;
  const training_run run(settings, 30);
  REQUIRE(run.total_steps() == 9);
  trainer t{toy_network(), sgd{}, run.options()};
  std::vector<training_progress> seen;
  std::vector<std::int64_t> checkpoints;
  fit_options options = options_of(run, 1);
  options.checkpoint_every = 4;
  fit(
      t, set, run, options,
      [&](const training_progress& now) {
        seen.push_back(now);
        return true;
      },
      [&] { checkpoints.push_back(t.steps_done()); });
  CHECK(checkpoints == std::vector<std::int64_t>{4, 8});
  REQUIRE(seen.size() == 9);
  for (std::size_t i = 0; i < 9; ++i) {
    CHECK(seen[i].step == static_cast<std::int64_t>(i) + 1);
    CHECK(seen[i].total == 9);
    CHECK(seen[i].stage == i / 3);
    CHECK(seen[i].size == std::array{32, 36, 40}[i / 3]);
    CHECK(seen[i].images_per_second > 0);
    CHECK(seen[i].waited_share >= 0);
    CHECK(seen[i].waited_share <= 1);
    CHECK(seen[i].work_done > (i > 0 ? 0 : -1));
    CHECK((seen[i].seconds_left > 0) == (i < 8));
  }
  CHECK(seen[0].batch == 10);
  CHECK(seen[2].epoch == doctest::Approx(1));
  CHECK(seen[8].work_done == 1);
  CHECK(t.network().seen[8].stochastic_depth == 0.2f);
  CHECK(t.network().seen[8].dropout == 0.2f);
  CHECK(t.network().seen[8].step == 8);
}

TEST_CASE("train: training stops where it is told to, and a finished run stays as it is") {
  const coloured_set set;
  const training_run run(short_run(progressive_mode::fixed), 30);
  trainer t{toy_network(), sgd{}, run.options()};
  const fit_report stopped =
      fit(t, set, run, options_of(run, 1), [](const auto& now) { return now.step < 3; });
  CHECK_FALSE(stopped.finished);
  CHECK(t.steps_done() == 3);
  fit_options until = options_of(run, 1);
  until.stop_after = 3;
  CHECK_FALSE(fit(t, set, run, until, always).finished);
  CHECK(t.steps_done() == 3);
  CHECK(fit(t, set, run, options_of(run, 1), always).finished);
  const std::string before = bytes_in(t);
  CHECK(fit(t, set, run, options_of(run, 1), always).finished);
  CHECK(bytes_in(t) == before);
}

TEST_CASE("train: broken pictures are counted and reported") {
  const coloured_set set(30, 7);
  const training_run run(short_run(progressive_mode::fixed), 30);
  trainer t{toy_network(), sgd{}, run.options()};
  std::size_t broken = 0;
  const fit_report report = fit(t, set, run, options_of(run, 1), [&](const auto& now) {
    broken = now.broken;
    return true;
  });
  CHECK(report.finished);
  CHECK(report.broken == 1);
  CHECK(broken == 1);
  REQUIRE(report.warnings.size() == 1);
  CHECK(report.warnings[0] == "number 7 is broken");
}

TEST_CASE("train: a set that the run or the network does not fit is refused") {
  const training_run run(short_run(progressive_mode::fixed), 30);
  trainer t{toy_network(), sgd{}, run.options()};
  CHECK_THROWS_WITH_AS(fit(t, coloured_set(29), run, options_of(run, 1), always),
                       doctest::Contains("planned for 30 images, but the set has 29"),
                       setting_error);
  network_spec four = toy_table();
  four.classes = 4;
  trainer other{toy_network({}, false, four), sgd{}, run.options()};
  CHECK_THROWS_WITH_AS(fit(other, coloured_set(), run, options_of(run, 1), always),
                       doctest::Contains("the set has 3 classes, but the network 4"),
                       setting_error);
}

TEST_CASE("train: the time left counts on later stages to be slower") {
  run_settings s{.epochs = 4, .batch = 10, .mode = progressive_mode::progressive};
  s.stages = interpolated_stages({.size = 32}, {.size = 64}, 2);
  const training_run run(s, 100);
  cost_model cost;
  cost.add(32, 1, 0.25);
  CHECK(detail::seconds_of(run, run.rows(), cost, 0) == doctest::Approx(20 * 10 * (0.25 + 1)));
  CHECK(detail::seconds_of(run, run.rows(), cost, 30) == doctest::Approx(10 * 10 * 1));
  CHECK(detail::seconds_of(run, run.rows(), cost, 40) == 0);
  s.mode = progressive_mode::random_resize;
  const training_run drawn(s, 100);
  CHECK(detail::seconds_of(drawn, drawn.rows(), cost, 20) ==
        doctest::Approx(20 * 10 * (0.25 + 1) / 2));
}
