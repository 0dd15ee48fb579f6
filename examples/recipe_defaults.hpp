#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <effnet/train/progressive_presets.hpp>
#include <effnet/train/recipe.hpp>

#include "program.hpp"
#include "training_recipe.hpp"

namespace example {

namespace detail {

template <class Value>
void fill(std::optional<Value>& field, Value value) {
  if (!field) field = value;
}
inline void fill(std::string& field, std::string_view value) {
  if (field.empty()) field = value;
}

inline bool is_published(const std::string& preset) {
  return preset != "scratch" && preset != "finetune";
}

/// What the papers trained with. Their warm-up and the steps of their decay are parts of 350
/// epochs; shorter runs have the same parts of theirs.
inline void fill_published(training_recipe& r, const effnet::network_spec& spec) {
  const effnet::recipe& base = effnet::imagenet;
  const effnet::detail::v2_regularization* v2 = effnet::detail::find_v2(spec);
  const bool is_v1 = std::string_view(spec.name).starts_with("efficientnet_b") ||
                     std::string_view(spec.name).starts_with("efficientnet_l2");
  fill(r.epochs, base.epochs);
  fill(r.optimizer, "rmsprop");
  fill(r.lr, base.base_rate);
  fill(r.decay, "exponential");
  fill(r.warmup, std::min(base.warmup_epochs, *r.epochs / 20));
  fill(r.weight_decay, base.weight_decay);
  fill(r.ema, base.ema_decay);
  fill(r.label_smoothing, static_cast<double>(base.label_smoothing));
  fill(r.augment, v2 != nullptr && v2->automl_rand_augment > 0 ? "rand_augment"
                  : v2 != nullptr || is_v1                     ? "auto_augment"
                                                               : "none");
  fill(r.augment_rule, "released");
  fill(r.crop, v2 != nullptr ? "v2" : "v1");
  fill(r.bn_momentum, 0.0);
}

/// For a network that starts at random on a few thousand pictures.
inline void fill_scratch(training_recipe& r) {
  fill(r.epochs, 30.0);
  fill(r.optimizer, "adamw");
  fill(r.lr, 0.008);
  fill(r.decay, "cosine");
  fill(r.warmup, *r.epochs / 20);
  fill(r.weight_decay, 0.02);
  fill(r.ema, 0.999);
  fill(r.label_smoothing, 0.1);
  fill(r.augment, "rand_augment");
  fill(r.augment_rule, "standard");
  fill(r.crop, "torchvision");
  fill(r.smallest_area, 0.25);
  fill(r.bn_momentum, 0.1);
}

/// For a network that knows pictures and sees a few hundred new ones: batch norm keeps the
/// statistics of the many that it was trained on.
inline void fill_finetune(training_recipe& r) {
  fill(r.epochs, 8.0);
  fill(r.optimizer, "adamw");
  fill(r.lr, 0.004);
  fill(r.decay, "cosine");
  fill(r.warmup, *r.epochs / 20);
  fill(r.weight_decay, 0.01);
  fill(r.ema, 0.99);
  fill(r.label_smoothing, 0.1);
  fill(r.augment, "none");
  fill(r.augment_rule, "standard");
  fill(r.crop, "torchvision");
  fill(r.smallest_area, 0.4);
  fill(r.bn_momentum, 0.0);
  fill(r.freeze_bn, true);
}

inline int scratch_first_size(int size) {
  return std::min(size, std::max(32, static_cast<int>(std::lround(size * 128.0 / 300))));
}

inline std::vector<effnet::training_stage> own_stages(const training_recipe& r,
                                                      const effnet::network_spec& spec) {
  const bool transfers = r.preset == "finetune";
  effnet::training_stage last{
      .size = r.size.value_or(transfers ? effnet::finetune_size(spec.eval_size) : spec.train_size),
      .rand_augment = transfers ? 0.0f : 8.0f,
      .dropout = transfers ? spec.dropout : 0.2f,
      .stochastic_depth = 0.1f};
  last.size = std::max(last.size, 32);
  effnet::training_stage first = last;
  first.size = r.min_size.value_or(scratch_first_size(last.size));
  first.rand_augment = std::min(2.0f, last.rand_augment);
  first.dropout = last.dropout / 2;
  if (first.size > last.size)
    throw effnet::setting_error(effnet::sentence("training cannot start at ", first.size,
                                                 " pixels and end at ", last.size,
                                                 "; choose a smaller first or a larger last size"));
  return effnet::interpolated_stages(first, last, r.stages.value_or(transfers ? 1 : 4));
}

/// Leads a property from its first value to another last one. One that the preset never changes is
/// the new value throughout, unless it is off there.
inline void lead_to(std::vector<effnet::training_stage>& stages,
                    float effnet::training_stage::*property, std::optional<double> wanted) {
  if (!wanted) return;
  const float last = static_cast<float>(*wanted), from = stages.front().*property;
  const bool constant = from > 0 && from == stages.back().*property;
  const float first = constant ? last : std::min(from, last);
  const int count = static_cast<int>(stages.size());
  for (int i = 0; i < count; ++i)
    stages[static_cast<std::size_t>(i)].*property = static_cast<float>(
        effnet::detail::spaced(static_cast<double>(first), static_cast<double>(last), i, count));
}

inline effnet::progressive_preset preset_of(const std::string& name) {
  const auto& names = effnet::progressive_preset_names;
  return static_cast<effnet::progressive_preset>(std::ranges::find(names, name) - names.begin());
}
inline effnet::progressive_mode mode_of(const std::string& name) {
  const auto& names = effnet::progressive_mode_names;
  return static_cast<effnet::progressive_mode>(std::ranges::find(names, name) - names.begin());
}

inline std::vector<effnet::training_stage> stages_of(const training_recipe& r,
                                                     const effnet::network_spec& spec) {
  std::vector<effnet::training_stage> stages =
      is_published(r.preset)
          ? effnet::make_progressive_schedule(spec, {.preset = preset_of(r.preset),
                                                     .stages = r.stages.value_or(4),
                                                     .size = r.size.value_or(0),
                                                     .min_size = r.min_size.value_or(0)})
                .stages
          : own_stages(r, spec);
  using stage = effnet::training_stage;
  lead_to(stages, &stage::dropout, r.dropout);
  if (r.survival) lead_to(stages, &stage::stochastic_depth, 1 - *r.survival);
  lead_to(stages, &stage::mixup, r.mixup);
  lead_to(stages, &stage::cutmix, r.cutmix);
  lead_to(stages, &stage::rand_augment, r.rand_augment);
  lead_to(stages, &stage::random_erasing, r.random_erasing);
  return stages;
}

}  // namespace detail

/// The preset that a run has unless the user names one.
inline std::string default_preset(const training_recipe& recipe, const effnet::network_spec& spec) {
  if (!recipe.init.empty()) return "finetune";
  return std::string(effnet::progressive_preset_names[static_cast<std::size_t>(
      effnet::default_progressive_preset(spec))]);
}

/// Fills in what the user left open, from the preset; all but the batch. Throws `spec_error` for a
/// preset that says nothing about the network, `setting_error` for sizes without sense.
inline training_recipe complete_recipe(training_recipe r, const effnet::network_spec& spec) {
  using detail::fill;
  fill(r.preset, default_preset(r, spec));
  if (r.preset == "fixed" && r.stages.value_or(1) > 1)
    throw usage_error("preset fixed has one stage; for --stages choose --preset scratch");
  fill(r.mode, r.preset == "fixed" || (r.preset == "finetune" && r.stages.value_or(1) == 1)
                   ? "fixed"
                   : "progressive");
  if (r.schedule.empty()) r.schedule = detail::stages_of(r, spec);
  if (r.preset == "scratch")
    detail::fill_scratch(r);
  else if (r.preset == "finetune")
    detail::fill_finetune(r);
  else
    detail::fill_published(r, spec);
  if (r.schedule.back().rand_augment > 0 && r.rand_augment && r.augment == "none")
    r.augment = "rand_augment";
  fill(r.momentum, 0.9);
  fill(r.clip, 0.0);
  fill(r.loss, "softmax");
  fill(r.smallest_area, r.crop == "v2" ? 0.05 : 0.08);
  fill(r.flip, 0.5);
  fill(r.freeze_stages, 0);
  fill(r.freeze_bn, false);
  fill(r.layer_decay, 1.0);
  fill(r.accumulation, 1);
  fill(r.recompute, false);
  fill(r.deterministic, false);
  fill(r.seed, std::uint64_t{0});
  return r;
}

}  // namespace example
