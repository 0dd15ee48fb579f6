#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>

#include <effnet/train/progressive_presets.hpp>
#include <effnet/train/recipe.hpp>
#include <effnet/train/run_settings.hpp>

namespace effnet {

/// A published recipe with a schedule of `make_progressive_schedule`, as the settings of a run.
inline run_settings published_settings(const recipe& from, const network_spec& spec,
                                       const progressive_schedule& schedule) {
  run_settings s{.preset = std::string(from.name),
                 .epochs = from.epochs,
                 .min_steps = from.min_steps,
                 .batch = from.batch,
                 .optimizer = {.weight_decay = from.weight_decay},
                 .base_rate = from.base_rate,
                 .decay = from.decay,
                 .warmup_epochs = from.warmup_epochs,
                 .ema_decay = from.ema_decay,
                 .decayed = from.decayed,
                 .label_smoothing = from.label_smoothing,
                 .mode = schedule.mode,
                 .stages = schedule.stages};
  for (training_stage& stage : s.stages) {
    if (from.dropout) stage.dropout = *from.dropout;
    if (from.survival != recipe{}.survival) stage.stochastic_depth = 1 - from.survival;
    if (from.augment != augmentation::of_network)
      stage.rand_augment = stage.mixup = stage.cutmix = 0;
  }
  const detail::v2_regularization* v2 = detail::find_v2(spec);
  switch (from.augment) {
    case augmentation::none:
      break;
    case augmentation::finetune:
      s.look.augment = sample_augmentation::finetune;
      break;
    case augmentation::of_network:
      s.look.augment = v2 && s.stages.back().rand_augment > 0 ? sample_augmentation::rand_augment
                                                              : sample_augmentation::auto_augment;
      break;
  }
  s.look.labels = cutmix_labels::by_mean_area;
  s.look.filter = interpolation::tf_bilinear;
  if (!v2) {
    s.look.crop = v1_crop(s.stages.back().size);
    s.look.filter = interpolation::bicubic;
  }
  return s;
}

/// Fine-tuning that needs no attention on a few hundred photos: a network with trained weights and
/// a new classifier. One image size; cautious crops and flips and nothing else, which keeps what
/// few photos show; a warm-up of a twentieth of the run; AdamW, since RMSProp as TensorFlow starts
/// it needs about a hundred steps before its rate is what it is told. The rate falls by a fifth a
/// block towards the stem, whose filters are right already: with a tenth a run of twice the rate
/// goes astray for long, and it may come from nothing but twice the batch.
///
/// Batch norm uses the statistics that come with the weights and does not move them, so that
/// training and evaluation compute the same: those of 16 images are noise, and a short run does not
/// average it away. (Lite0 on 1,330 photos of five flowers at 128 pixels: 91 to 92 % of the others
/// right, 86 % with statistics of the batch.)
inline run_settings finetune_settings(const network_spec& spec, int size = 0) {
  run_settings s{
      .preset = "finetune",
      .epochs = 8,
      .batch = 16,
      .optimizer = {.kind = optimizer_kind::adamw, .weight_decay = 0.01, .epsilon = 1e-8},
      .base_rate = 0.016,
      .decay = decay_rule::cosine,
      .warmup_epochs = 0.4,
      .layer_decay = 0.8,
      .network = {.frozen_batch_norm = true},
      .mode = progressive_mode::fixed,
      .stages = {
          {.size = size > 0 ? size : finetune_size(spec.eval_size), .dropout = spec.dropout}}};
  s.look.crop.smallest_area = 0.5;
  return s;
}

/// Training from nothing on a small set (thousands of images): four stages from 128 / 300 of the
/// last size, with regularization that grows from none. RandAugment is left out below 160 pixels:
/// its translations are in pixels, and move small images away.
inline run_settings scratch_settings(const network_spec& spec, int size = 0, int stages = 4) {
  const int last_size = size > 0 ? size : spec.train_size;
  const int first_size =
      std::min(last_size, std::max(32, static_cast<int>(std::lround(last_size * 128.0 / 300))));
  const training_stage first{.size = first_size, .dropout = 0.1f};
  const training_stage last{.size = last_size,
                            .rand_augment = last_size < 160 ? 0.0f : 10.0f,
                            .mixup = 0.2f,
                            .dropout = 0.2f,
                            .stochastic_depth = 0.1f};
  run_settings s{
      .preset = "scratch",
      .epochs = 40,
      .batch = 64,
      .optimizer = {.kind = optimizer_kind::adamw, .weight_decay = 0.05, .epsilon = 1e-8},
      .base_rate = 0.008,
      .decay = decay_rule::cosine,
      .warmup_epochs = 2,
      .network = {.bn_momentum = 0.1f},
      .mode = stages > 1 ? progressive_mode::progressive : progressive_mode::fixed,
      .stages = interpolated_stages(first, last, stages)};
  s.look.crop.smallest_area = 0.25;
  s.look.augment =
      last.rand_augment > 0 ? sample_augmentation::rand_augment : sample_augmentation::none;
  s.look.rule = augment_rule::standard;
  return s;
}

}  // namespace effnet
