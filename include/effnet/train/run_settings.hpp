#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <effnet/data/sample_look.hpp>
#include <effnet/nn/trained_tensors.hpp>
#include <effnet/train/named_values.hpp>
#include <effnet/train/optimizer.hpp>
#include <effnet/train/progressive.hpp>
#include <effnet/train/training_options.hpp>

namespace effnet {

enum class optimizer_kind { sgd, rmsprop, adamw };

/// The optimizer of a run and its settings; each kind reads its own.
struct optimizer_settings {
  optimizer_kind kind = optimizer_kind::rmsprop;
  double weight_decay = 1e-5;
  double momentum = 0.9;              ///< sgd, rmsprop
  bool nesterov = false;              ///< sgd
  double decay = 0.9;                 ///< rmsprop
  double epsilon = 0.001;             ///< rmsprop, adamw
  double beta1 = 0.9, beta2 = 0.999;  ///< adamw

  friend bool operator==(const optimizer_settings&, const optimizer_settings&) = default;
};

/// Everything that decides what a training run computes, beside network, start and data: enough to
/// repeat it. A plain value; presets fill it, and any part may be changed.
struct run_settings {
  std::string preset = {};  ///< where the values came from
  double epochs = 30;
  std::int64_t min_steps = 0;  ///< of a run on few images
  std::int64_t batch = 32;
  optimizer_settings optimizer = {};
  // Learning rate: see `learning_rate`.
  double base_rate = 0.016;  ///< for a batch of 256
  decay_rule decay = decay_rule::cosine;
  double warmup_epochs = 1;
  double factor = 0.97, factor_epochs = 2.4;  ///< of the exponential decay
  double floor = 0;
  // Moving average.
  bool averaged = true, ema_warm_up = true;
  double ema_decay = 0;  ///< 0: suited to the number of steps, see `suited_ema_decay`
  // Steps: see `training_options`.
  decay_set decayed = decay_set::kernels;
  double clip = 0;
  int accumulation = 1;
  loss_kind loss = loss_kind::softmax;
  float label_smoothing = 0.1f;
  std::vector<float> class_weights = {};
  double layer_decay = 1;
  std::uint64_t seed = 0;
  training_settings network = {};
  // Images.
  progressive_mode mode = progressive_mode::fixed;
  std::vector<training_stage> stages = {training_stage{}};
  /// What all stages share; what a `training_stage` says stands there.
  sample_look look = {};
  /// Batches from which batch norm's statistics are estimated anew at the end; 0: they stay.
  int estimate_batches = 0;
};

inline constexpr std::array<std::string_view, 3> optimizer_names = {"sgd", "rmsprop", "adamw"};
inline constexpr std::array<std::string_view, 4> decay_rule_names = {"constant", "exponential",
                                                                     "cosine", "linear"};
inline constexpr std::array<std::string_view, 2> decay_set_names = {"all_but_batch_norm",
                                                                    "kernels"};
inline constexpr std::array<std::string_view, 2> loss_names = {"softmax", "sigmoid"};
inline constexpr std::array<std::string_view, 2> running_variance_names = {"unbiased", "biased"};
inline constexpr std::array<std::string_view, 2> augment_rule_names = {"released", "standard"};
inline constexpr std::array<std::string_view, 2> crop_sampling_names = {"tensorflow",
                                                                        "torchvision"};
inline constexpr std::array<std::string_view, 3> crop_fallback_names = {"whole", "centre",
                                                                        "nearest_aspect"};
inline constexpr std::array<std::string_view, 2> cutmix_label_names = {"by_own_area",
                                                                       "by_mean_area"};
inline constexpr std::array<std::string_view, 5> interpolation_names = {
    "nearest", "bilinear", "bicubic", "lanczos", "tf_bilinear"};

namespace detail {

template <class Visitor>
void visit_settings(Visitor& visit, optimizer_settings& s) {
  visit.choice("kind", s.kind, optimizer_names);
  visit("weight_decay", s.weight_decay);
  visit("momentum", s.momentum);
  visit("nesterov", s.nesterov);
  visit("decay", s.decay);
  visit("epsilon", s.epsilon);
  visit("beta1", s.beta1);
  visit("beta2", s.beta2);
}

template <class Visitor>
void visit_settings(Visitor& visit, training_settings& s) {
  visit("bn_momentum", s.bn_momentum);
  visit.choice("variance", s.variance, running_variance_names);
  visit("frozen_stages", s.frozen_stages);
  visit("frozen_batch_norm", s.frozen_batch_norm);
  visit("recompute_blocks", s.recompute_blocks);
}

template <class Visitor>
void visit_settings(Visitor& visit, training_stage& s) {
  visit("size", s.size);
  visit("rand_augment", s.rand_augment);
  visit("mixup", s.mixup);
  visit("cutmix", s.cutmix);
  visit("dropout", s.dropout);
  visit("stochastic_depth", s.stochastic_depth);
  visit("random_erasing", s.random_erasing);
  visit("batch_factor", s.batch_factor);
  visit("learning_rate_factor", s.learning_rate_factor);
}

template <class Visitor>
void visit_settings(Visitor& visit, random_crop_settings& s) {
  visit.choice("sampling", s.sampling, crop_sampling_names);
  visit("smallest_area", s.smallest_area);
  visit("largest_area", s.largest_area);
  visit("smallest_aspect", s.smallest_aspect);
  visit("largest_aspect", s.largest_aspect);
  visit("covered", s.covered);
  visit("attempts", s.attempts);
  visit.choice("fallback", s.fallback, crop_fallback_names);
  visit("centre_share", s.centre_share);
}

/// What the stages say of a look is left out.
template <class Visitor>
void visit_settings(Visitor& visit, sample_look& s) {
  visit.within("crop", [&] { visit_settings(visit, s.crop); });
  visit("whole", s.whole);
  visit.choice("filter", s.filter, interpolation_names);
  visit("flip", s.flip);
  visit.choice("augment", s.augment, sample_augmentation_names);
  visit.choice("rule", s.rule, augment_rule_names);
  visit("layers", s.layers);
  visit("reach", s.reach);
  visit.choice("labels", s.labels, cutmix_label_names);
}

template <class Visitor>
void visit_settings(Visitor& visit, run_settings& s) {
  visit("preset", s.preset);
  visit("epochs", s.epochs);
  visit("min_steps", s.min_steps);
  visit("batch", s.batch);
  visit.within("optimizer", [&] { visit_settings(visit, s.optimizer); });
  visit("base_rate", s.base_rate);
  visit.choice("decay", s.decay, decay_rule_names);
  visit("warmup_epochs", s.warmup_epochs);
  visit("factor", s.factor);
  visit("factor_epochs", s.factor_epochs);
  visit("floor", s.floor);
  visit("averaged", s.averaged);
  visit("ema_warm_up", s.ema_warm_up);
  visit("ema_decay", s.ema_decay);
  visit.choice("decayed", s.decayed, decay_set_names);
  visit("clip", s.clip);
  visit("accumulation", s.accumulation);
  visit.choice("loss", s.loss, loss_names);
  visit("label_smoothing", s.label_smoothing);
  visit.list("class_weights", s.class_weights, [&](float& weight) { visit("weight", weight); });
  visit("layer_decay", s.layer_decay);
  visit("seed", s.seed);
  visit.within("network", [&] { visit_settings(visit, s.network); });
  visit.choice("mode", s.mode, progressive_mode_names);
  visit.list("stages", s.stages, [&](training_stage& stage) { visit_settings(visit, stage); });
  visit.within("look", [&] { visit_settings(visit, s.look); });
  visit("estimate_batches", s.estimate_batches);
}

}  // namespace detail

/// All settings by name.
inline named_values values_of(run_settings settings) {
  settings_writer writer;
  detail::visit_settings(writer, settings);
  return std::move(writer.values);
}

/// `base` with the values that are given. Throws `setting_error` for a name that is no setting and
/// for a value of the wrong kind. Whether values make sense together, `training_run` finds out.
inline run_settings settings_from(const named_values& values, run_settings base = {}) {
  settings_reader reader(values);
  detail::visit_settings(reader, base);
  reader.finish();
  return base;
}

/// Calls `use(rule)` with the run's optimizer: `sgd`, `rmsprop` or `adamw`.
template <class Use>
decltype(auto) with_optimizer(const optimizer_settings& s, Use&& use) {
  switch (s.kind) {
    case optimizer_kind::sgd:
      return use(
          sgd{.momentum = s.momentum, .nesterov = s.nesterov, .weight_decay = s.weight_decay});
    case optimizer_kind::adamw:
      return use(adamw{.beta1 = s.beta1,
                       .beta2 = s.beta2,
                       .epsilon = s.epsilon,
                       .weight_decay = s.weight_decay});
    case optimizer_kind::rmsprop:
      break;
  }
  return use(rmsprop{.decay = s.decay,
                     .momentum = s.momentum,
                     .epsilon = s.epsilon,
                     .weight_decay = s.weight_decay});
}

}  // namespace effnet
