#pragma once

#include <effnet/train/resume.hpp>

#include "../temporary_folder.hpp"
#include "gpu_checks.hpp"

// Whole training steps on a device, beside the reference: accumulation, clipping, class weights,
// every optimizer, and a checkpoint in the middle.
namespace effnet::testing {

inline network_spec trained_table() {
  return {
      .name = "trained",
      .stem = 8,
      .stages = {fused_mbconv{.stride = 2, .expand = 2, .in = 8, .out = 8},
                 mbconv{.repeats = 2, .kernel = 5, .expand = 2, .in = 8, .out = 8, .se = 0.25f}},
      .head = 16,
      .classes = 5};
}

/// Six pictures with their targets, in a backend's memory.
template <training_backend B>
struct training_pictures {
  explicit training_pictures(const B& on)
      : shape{6, 33, 40, 3}, images(on, oracle_images(shape)), targets(on, shares()) {}

  step_batch batch() const {
    return {.images = {images.data(), shape},
            .targets = targets.data(),
            .dropout = 0.2f,
            .stochastic_depth = 0.2f};
  }
  static std::vector<float> shares() {
    std::vector<float> of(30);
    for (std::size_t n = 0; n < 6; ++n) of[n * 5 + n % 5] = 1;
    return of;
  }

  shape4 shape;
  device_vector<B> images, targets;
};

template <class Rule, training_backend B>
trainer<training_network<B>, Rule> trainer_on(const B& on, const Rule& rule) {
  const training_options options{
      .rate = {.base = 0.02, .decay = decay_rule::constant, .warmup_epochs = 0},
      .clip = 0.5,
      .accumulation = 2,
      .class_weights = {1, 2, 1, 0.5f, 1}};
  return trainer{
      oracle_weights(trained_table(), convention_for(convention_name::tf, trained_table())), rule,
      options, on};
}

inline double largest_error(const weights& got, const weights& expected) {
  double worst = 0;
  for (std::size_t i = 0; i < expected.tensors.size(); ++i) {
    const raw_tensor &a = got.tensors[i], &b = expected.tensors[i];
    if (b.data == nullptr || b.type != dtype::f32) continue;
    const auto floats = [](const raw_tensor& t) {
      const auto* first = reinterpret_cast<const float*>(t.data);
      return std::vector<float>(first, first + t.elements());
    };
    worst = worse(worst, largest_error(floats(a), floats(b)));
  }
  return worst;
}

template <class Rule, training_backend B>
void check_training_with(const B& on, const Rule& rule, double tolerance = 1e-4) {
  CAPTURE(Rule::name);
  const reference_training_backend judge;
  auto got = trainer_on(on, rule);
  auto expected = trainer_on(judge, rule);
  const training_pictures pictures(on);
  const training_pictures pictures_here(judge);
  for (int n = 0; n < 4; ++n) {
    const step_report report = got.step(pictures.batch());
    const step_report wanted = expected.step(pictures_here.batch());
    CHECK(report.loss == doctest::Approx(wanted.loss).epsilon(tolerance));
    CHECK(report.gradient_norm == doctest::Approx(wanted.gradient_norm).epsilon(10 * tolerance));
  }
  CHECK(largest_error(got.current(), expected.current()) < 10 * tolerance);
  CHECK(largest_error(got.averaged(), expected.averaged()) < 10 * tolerance);

  // Taken up from a file it goes on with the same bits.
  const temporary_folder folder;
  save_checkpoint(folder / "checkpoint", got);
  auto again = trainer_on(on, rule);
  resume(again, read_checkpoint(folder / "checkpoint"));
  CHECK(again.step(pictures.batch()).loss == got.step(pictures.batch()).loss);
  CHECK(largest_error(again.current(), got.current()) == 0);
  CHECK(largest_error(again.averaged(), got.averaged()) == 0);
}

template <training_backend B>
void check_training(const B& on) {
  check_training_with(on, sgd{.nesterov = true, .weight_decay = 1e-4});
  check_training_with(on, rmsprop{.weight_decay = 1e-4});
  // With a small epsilon it makes whole steps of gradients that are zero but for rounding.
  check_training_with(on, adamw{.epsilon = 1e-3});
}

}  // namespace effnet::testing
