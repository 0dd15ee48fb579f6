#pragma once

#include <vector>

#include <effnet/train/fit.hpp>

#include "input_checks.hpp"
#include "training_checks.hpp"

namespace effnet::testing {

/// The same backend, which takes the images that the processor makes.
template <training_backend B>
struct given_images : B {
  using B::B;
  using batch_uploads = void;

  given_images(const B& on) : B(on) {}
  given_images with_threads(int threads) const { return B::with_threads(threads); }
};

/// Losses of all steps, and how many pictures could not be read after each.
struct fitted {
  std::vector<double> losses;
  std::vector<std::size_t> broken;
  fit_report report;
};

/// A short run with all that can happen to a picture; it may be taken up after `first` steps.
template <training_backend B, data_set Set>
fitted fit_on(const B& on, const Set& set, sample_augmentation augment,
              std::int64_t stopped_after = 0) {
  run_settings settings{.epochs = 2, .batch = 5, .base_rate = 0.2, .seed = 4};
  settings.stages = interpolated_stages({.size = 24, .rand_augment = 3},
                                        {.size = 33,
                                         .rand_augment = 7,
                                         .mixup = 0.2f,
                                         .cutmix = 0.5f,
                                         .dropout = 0.2f,
                                         .stochastic_depth = 0.2f,
                                         .random_erasing = 0.5f},
                                        3);
  settings.look.augment = augment;
  const training_run run(settings, static_cast<std::int64_t>(set.count()));
  const network_spec spec{
      .name = "small",
      .stem = 4,
      .stages = {mbconv{.stride = 2, .expand = 2, .in = 4, .out = 4, .se = 0.25f}},
      .head = 8,
      .classes = 3};
  fitted made;
  const auto note = [&](const training_progress& now) {
    made.losses.push_back(now.loss);
    made.broken.push_back(now.broken);
    return now.step != stopped_after;
  };
  trainer trained{initial_weights(spec, 5), rmsprop{}, run.options(), on};
  const fit_options options{.loader = {.threads = 2, .prefetch = 2}};
  made.report = fit(trained, set, run, options, note);
  if (stopped_after > 0) made.report = fit(trained, set, run, options, note);
  return made;
}

/// Pictures of which one cannot be read.
struct broken_picture : odd_pictures {
  effnet::image image(std::size_t i) const {
    if (i == 11) throw image_error("number 11 is broken");
    return odd_pictures::image(i);
  }
};

/// A run is the same run where the device makes the images.
template <uploads_batches B>
void check_fit(const B& on, sample_augmentation augment = sample_augmentation::none) {
  static_assert(!uploads_batches<given_images<B>>);
  const broken_picture set;
  const fitted expected = fit_on(given_images<B>(on), set, augment), got = fit_on(on, set, augment);
  CHECK(got.losses.size() == 9);
  CHECK(got.losses == expected.losses);
  CHECK(got.broken == expected.broken);
  CHECK(got.report.broken == 1);
  CHECK(got.report.warnings == expected.report.warnings);
  CHECK(fit_on(on, set, augment, 4).losses == expected.losses);
}

}  // namespace effnet::testing
