#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <effnet/data/batch_request.hpp>
#include <effnet/nn/trained_tensors.hpp>
#include <effnet/train/training_options.hpp>

#include "recipe_defaults.hpp"

namespace example {

/// What a complete recipe means on a number of pictures: which step sees what, and how it is made.
class run_plan {
 public:
  /// `recipe` with its batch. Throws `setting_error` where there would be no step.
  run_plan(training_recipe recipe, std::int64_t images)
      : recipe_(std::move(recipe)), images_(images) {
    schedule_ = {.stages = recipe_.schedule,
                 .mode = detail::mode_of(recipe_.mode),
                 .total_steps = 0,
                 .seed = *recipe_.seed};
    schedule_.check();
    schedule_.total_steps = std::max<std::int64_t>(
        1, static_cast<std::int64_t>(*recipe_.epochs * static_cast<double>(images) / mean_batch()));
    if (schedule_.total_steps > most_steps)
      throw effnet::setting_error(effnet::sentence(
          "a run of ", schedule_.total_steps, " steps is too long; ", most_steps, " are possible"));
    first_samples_.reserve(static_cast<std::size_t>(schedule_.total_steps) + 1);
    std::int64_t next = 0;
    for (std::int64_t step = 0; step < schedule_.total_steps; ++step) {
      first_samples_.push_back(next);
      next += stage(step).batch(*recipe_.batch);
    }
    first_samples_.push_back(next);
  }

  const training_recipe& recipe() const { return recipe_; }
  const effnet::progressive_schedule& schedule() const { return schedule_; }
  std::int64_t steps() const { return schedule_.total_steps; }
  std::int64_t images() const { return images_; }
  effnet::training_stage stage(std::int64_t step) const { return schedule_.at(step); }
  /// Epochs that are seen once `steps` are done.
  double epoch(std::int64_t steps) const {
    return static_cast<double>(first_samples_[static_cast<std::size_t>(steps)]) /
           static_cast<double>(images_);
  }
  /// Images of a step.
  int batch(std::int64_t step) const { return static_cast<int>(stage(step).batch(*recipe_.batch)); }

  effnet::learning_rate rate() const {
    const double batch = mean_batch(), epochs = *recipe_.epochs;
    effnet::learning_rate rate{.base = *recipe_.lr,
                               .batch = static_cast<double>(*recipe_.batch),
                               .steps_per_epoch = static_cast<double>(images_) / batch,
                               .total_steps = steps(),
                               .decay = decay(),
                               .warmup_epochs = *recipe_.warmup};
    rate.factor_epochs *= epochs / effnet::imagenet.epochs;
    return rate;
  }

  /// All but the weights of the classes.
  effnet::training_options options(const effnet::network_spec& spec) const {
    const bool is_v1 =
        detail::is_published(recipe_.preset) && effnet::detail::find_v2(spec) == nullptr;
    effnet::training_options options{
        .rate = rate(),
        .average = {.decay = *recipe_.ema},
        .averaged = *recipe_.ema > 0,
        .decayed = is_v1 ? effnet::decay_set::all_but_batch_norm : effnet::decay_set::kernels,
        .clip = *recipe_.clip,
        .accumulation = *recipe_.accumulation,
        .loss = recipe_.loss == "sigmoid" ? effnet::loss_kind::sigmoid : effnet::loss_kind::softmax,
        .label_smoothing = static_cast<float>(*recipe_.label_smoothing),
        .class_weights = {},
        .layer_decay = *recipe_.layer_decay,
        .seed = *recipe_.seed};
    return options;
  }

  effnet::training_settings network_settings() const {
    return {.bn_momentum = static_cast<float>(*recipe_.bn_momentum),
            .frozen_stages = *recipe_.freeze_stages,
            .frozen_batch_norm = *recipe_.freeze_bn,
            .recompute_blocks = *recipe_.recompute};
  }

  /// What the loader makes for a step; nothing after the last.
  std::optional<effnet::batch_request> request(std::int64_t step) const {
    if (step >= steps()) return std::nullopt;
    return effnet::batch_request{.step = step,
                                 .first_sample = first_samples_[static_cast<std::size_t>(step)],
                                 .count = batch(step),
                                 .look = look(stage(step))};
  }

  /// How training pictures of a stage are made.
  effnet::sample_look look(const effnet::training_stage& stage) const {
    effnet::sample_look look{.size = stage.size};
    look.whole = recipe_.crop == "whole";
    look.crop = recipe_.crop == "v2"   ? effnet::v2_crop()
                : recipe_.crop == "v1" ? effnet::v1_crop(stage.size)
                                       : effnet::torchvision_crop();
    look.crop.smallest_area = *recipe_.smallest_area;
    look.flip = *recipe_.flip;
    const auto& names = effnet::sample_augmentation_names;
    look.augment = static_cast<effnet::sample_augmentation>(
        std::ranges::find(names, recipe_.augment) - names.begin());
    look.rule = recipe_.augment_rule == "standard" ? effnet::augment_rule::standard
                                                   : effnet::augment_rule::released;
    look.magnitude = stage.rand_augment;
    look.random_erasing = stage.random_erasing;
    look.mixup = stage.mixup;
    look.cutmix = stage.cutmix;
    return look;
  }

  /// The stages whose images have a size and batch of their own, by number; none that no step has.
  std::vector<std::size_t> used_stages() const {
    std::vector<bool> seen(schedule_.stages.size());
    for (std::int64_t step = 0; step < steps(); ++step) seen[schedule_.stage_at(step)] = true;
    std::vector<std::size_t> used;
    for (std::size_t i = 0; i < seen.size(); ++i)
      if (seen[i]) used.push_back(i);
    return used;
  }

 private:
  static constexpr std::int64_t most_steps = 20'000'000;

  /// Images of a step, on average over the stages, which have equal numbers of steps.
  double mean_batch() const {
    if (schedule_.mode == effnet::progressive_mode::fixed)
      return static_cast<double>(recipe_.schedule.back().batch(*recipe_.batch));
    double sum = 0;
    for (const effnet::training_stage& stage : recipe_.schedule)
      sum += static_cast<double>(stage.batch(*recipe_.batch));
    return sum / static_cast<double>(recipe_.schedule.size());
  }

  effnet::decay_rule decay() const {
    if (recipe_.decay == "cosine") return effnet::decay_rule::cosine;
    if (recipe_.decay == "linear") return effnet::decay_rule::linear;
    return recipe_.decay == "constant" ? effnet::decay_rule::constant
                                       : effnet::decay_rule::exponential;
  }

  training_recipe recipe_;
  std::int64_t images_;
  effnet::progressive_schedule schedule_;
  std::vector<std::int64_t> first_samples_;
};

}  // namespace example
