#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <effnet/train/run_presets.hpp>

#include "program.hpp"
#include "training/run_options.hpp"
#include "training/run_recipe.hpp"

namespace example {

namespace detail {

template <class Enum, std::size_t Count>
void choose(Enum& to, const std::string& word, const std::array<std::string_view, Count>& names) {
  const auto found = std::ranges::find(names, word);
  if (found != names.end()) to = static_cast<Enum>(found - names.begin());
}
template <class Value, class Given>
void choose(Value& to, const std::optional<Given>& given) {
  if (given) to = static_cast<Value>(*given);
}

/// A published recipe, with the stages of progressive learning.
inline effnet::run_settings published(effnet::progressive_preset preset,
                                      const effnet::network_spec& spec, const run_options& given) {
  const bool is_v2 = effnet::detail::find_v2(spec) != nullptr;
  const effnet::recipe& recipe = is_v2 ? effnet::imagenet : effnet::imagenet_v1;
  effnet::run_settings s = effnet::published_settings(
      recipe, spec,
      effnet::make_progressive_schedule(spec, {.preset = preset,
                                               .stages = given.stages.value_or(4),
                                               .size = given.size.value_or(0),
                                               .min_size = given.min_size.value_or(0)}));
  if (preset == effnet::progressive_preset::fixed && given.stages.value_or(1) > 1)
    throw usage_error("preset fixed has one stage; --preset scratch has several for any network");
  s.preset = effnet::progressive_preset_names[static_cast<std::size_t>(preset)];
  return s;
}

inline effnet::run_settings preset_settings(const std::string& preset,
                                            const effnet::network_spec& spec,
                                            const run_options& given) {
  if (preset == "scratch" || preset == "finetune") {
    const int size = given.size.value_or(0);
    return preset == "scratch" ? effnet::scratch_settings(spec, size, given.stages.value_or(4))
                               : effnet::finetune_settings(spec, size);
  }
  const auto& names = effnet::progressive_preset_names;
  const auto at = std::ranges::find(names, preset) - names.begin();
  return published(static_cast<effnet::progressive_preset>(at), spec, given);
}

/// Leads a property from its first value to another last one. One that never changes is the new
/// value throughout, unless it was off.
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

inline void choose_sizes(std::vector<effnet::training_stage>& stages, const run_options& given) {
  const bool as_it_is = given.size.value_or(stages.back().size) == stages.back().size &&
                        given.min_size.value_or(stages.front().size) == stages.front().size;
  if (as_it_is) return;
  const int last = given.size.value_or(stages.back().size);
  const int first = given.min_size.value_or(
      std::min(last, std::max(32, static_cast<int>(std::lround(double(stages.front().size) * last /
                                                               stages.back().size)))));
  if (first > last)
    throw usage_error(effnet::sentence("training cannot start at ", first, " pixels and end at ",
                                       last, ": choose another --size or --min-size"));
  const int count = static_cast<int>(stages.size());
  for (int i = 0; i < count; ++i)
    stages[static_cast<std::size_t>(i)].size =
        static_cast<int>(std::lround(effnet::detail::spaced(first, last, i, count)));
}

inline void choose_stages(effnet::run_settings& s, const run_options& given, bool of_preset) {
  using stage = effnet::training_stage;
  if (given.stages && static_cast<std::size_t>(*given.stages) != s.stages.size())
    s.stages =
        effnet::interpolated_stages(stage(s.stages.front()), stage(s.stages.back()), *given.stages);
  const bool grows = !given.mode.empty() && given.mode != "fixed";
  const int only = given.size.value_or(s.stages.front().size);
  if (s.stages.size() == 1 && (grows || given.min_size.value_or(only) != only))
    throw usage_error(effnet::sentence("preset '", s.preset, "' has one stage, so that ",
                                       grows ? "--mode " + given.mode : "--min-size",
                                       " changes nothing: add --stages 4, or choose --preset "
                                       "scratch"));
  const bool published = s.preset != "scratch" && s.preset != "finetune";
  if (!of_preset || !published) choose_sizes(s.stages, given);  // those have rules of their own
  lead_to(s.stages, &stage::dropout, given.dropout);
  if (given.survival) lead_to(s.stages, &stage::stochastic_depth, 1 - *given.survival);
  lead_to(s.stages, &stage::mixup, given.mixup);
  lead_to(s.stages, &stage::cutmix, given.cutmix);
  lead_to(s.stages, &stage::rand_augment, given.rand_augment);
  lead_to(s.stages, &stage::random_erasing, given.random_erasing);
  choose(s.mode, given.mode, effnet::progressive_mode_names);
}

inline void choose_look(effnet::run_settings& s, const run_options& given) {
  if (given.crop == "v2") s.look.crop = effnet::v2_crop();
  if (given.crop == "v1") s.look.crop = effnet::v1_crop(s.stages.back().size);
  if (given.crop == "torchvision") s.look.crop = effnet::torchvision_crop();
  if (!given.crop.empty()) s.look.whole = given.crop == "whole";
  choose(s.look.crop.smallest_area, given.smallest_area);
  choose(s.look.flip, given.flip);
  if (given.rand_augment.value_or(0) > 0 && s.look.augment == effnet::sample_augmentation::none)
    s.look.augment = effnet::sample_augmentation::rand_augment;
  choose(s.look.augment, given.augment, effnet::sample_augmentation_names);
  choose(s.look.rule, given.augment_rule, effnet::augment_rule_names);
  choose(s.look.reach, given.augment_reach);
}

/// A run of another length has the same parts of its own for warm-up and decay.
inline void choose_epochs(effnet::run_settings& s, const run_options& given) {
  const double part = given.epochs.value_or(s.epochs) / s.epochs;
  s.warmup_epochs *= part;
  s.factor_epochs *= part;
  choose(s.epochs, given.epochs);
  choose(s.warmup_epochs, given.warmup);
}

inline void choose_optimizer(effnet::run_settings& s, const run_options& given) {
  const effnet::optimizer_kind before = s.optimizer.kind;
  choose(s.optimizer.kind, given.optimizer, effnet::optimizer_names);
  if (s.optimizer.kind != before) {
    s.optimizer.epsilon = s.optimizer.kind == effnet::optimizer_kind::adamw ? 1e-8 : 1e-3;
    s.optimizer.weight_decay = s.optimizer.kind == effnet::optimizer_kind::adamw ? 0.01 : 1e-5;
    s.optimizer.nesterov = s.optimizer.kind == effnet::optimizer_kind::sgd;
  }
  choose(s.optimizer.momentum, given.momentum);
  choose(s.optimizer.weight_decay, given.weight_decay);
  choose(s.base_rate, given.lr);
  choose(s.decay, given.decay, effnet::decay_rule_names);
  choose(s.clip, given.clip);
  choose(s.loss, given.loss, effnet::loss_names);
  choose(s.label_smoothing, given.label_smoothing);
  if (given.ema) s.averaged = *given.ema > 0, s.ema_decay = *given.ema;
  choose(s.accumulation, given.accumulation);
  choose(s.layer_decay, given.layer_decay);
  choose_epochs(s, given);
  choose(s.seed, given.seed);
}

inline void choose_network(effnet::training_settings& s, const run_options& given) {
  choose(s.bn_momentum, given.bn_momentum);
  choose(s.frozen_stages, given.freeze_stages);
  choose(s.frozen_batch_norm, given.freeze_bn);
  choose(s.recompute_blocks, given.recompute);
}

}  // namespace detail

/// A batch that was given as a number; nothing for "auto" or where none was given.
inline std::optional<std::int64_t> given_batch(const run_options& given) {
  if (given.batch.empty() || given.batch == "auto" || given.batch == "auto-per-stage")
    return std::nullopt;
  std::int64_t batch = 0;
  const char* const end = given.batch.data() + given.batch.size();
  const auto read = std::from_chars(given.batch.data(), end, batch);
  if (read.ec != std::errc() || read.ptr != end || batch < 1 || batch > 1'000'000)
    throw usage_error(effnet::sentence("--batch is '", given.batch,
                                       "', expected a number from 1 to 1000000, auto or "
                                       "auto-per-stage"));
  return batch;
}

/// The preset of a run that does not name one.
inline std::string default_preset(const std::string& init, const effnet::network_spec& spec) {
  if (!init.empty()) return "finetune";
  const auto preset = static_cast<std::size_t>(effnet::default_progressive_preset(spec));
  return std::string(effnet::progressive_preset_names[preset]);
}

/// The settings of a run: what the user gave; else what `base` has, a recipe's, unless another
/// preset is given; else the preset's. A batch of 0 is still to be chosen, as are the weights of
/// classes. Throws `spec_error` for a preset that says nothing about the network, `setting_error`
/// or `usage_error` for what makes no sense.
inline effnet::run_settings chosen_settings(const run_options& given, const run_recipe* base,
                                            const std::string& init,
                                            const effnet::network_spec& spec) {
  const bool of_preset = base == nullptr || !given.preset.empty();
  effnet::run_settings s =
      of_preset ? detail::preset_settings(
                      given.preset.empty() ? default_preset(init, spec) : given.preset, spec, given)
                : base->settings;
  detail::choose_stages(s, given, of_preset);
  detail::choose_look(s, given);
  detail::choose_optimizer(s, given);
  detail::choose_network(s.network, given);
  detail::choose(s.estimate_batches, given.estimate_bn);
  detail::choose(s.batch, given_batch(given));
  return s;
}

}  // namespace example
