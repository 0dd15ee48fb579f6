#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include <effnet/core/rng.hpp>
#include <effnet/train/setting_error.hpp>

namespace effnet {

/// What a training step looks like: the size of its images and how strongly it is regularized.
struct training_stage {
  int size = 224;              ///< image side, pixels
  float rand_augment = 0;      ///< RandAugment's magnitude, fractions allowed; 0: off
  float mixup = 0;             ///< alpha of the Beta distribution; 0: off
  float cutmix = 0;            ///< the same
  float dropout = 0;           ///< probability of dropping a feature before the classifier
  float stochastic_depth = 0;  ///< probability of dropping the last block; the first is always kept
  float random_erasing = 0;    ///< probability of erasing a rectangle of an image
  float batch_factor = 1;      ///< times the run's batch: small images leave memory for more
  float learning_rate_factor = 1;  ///< times the schedule's learning rate

  /// The run's batch times this stage's factor, to nearest, at least 1.
  std::int64_t batch(std::int64_t of_run) const {
    return std::max<std::int64_t>(
        std::llround(static_cast<double>(of_run) * static_cast<double>(batch_factor)), 1);
  }

  friend constexpr bool operator==(const training_stage&, const training_stage&) = default;
};

/// Which stage a step belongs to (EfficientNetV2, arXiv 2104.00298, section 4 and table 13).
enum class progressive_mode {
  progressive,             ///< one stage after the other
  resize_only,             ///< sizes one after the other, regularization always the last stage's
  random_resize,           ///< a size drawn in every step, regularization always the last stage's
  random_resize_adaptive,  ///< a size drawn in every step, and its stage's regularization
  fixed,                   ///< always the last stage
};
/// The modes' names, by their number.
inline constexpr std::array<std::string_view, 5> progressive_mode_names = {
    "progressive", "resize_only", "random_resize", "random_resize_adaptive", "fixed"};

/// Progressive learning as a value: the stages of a run, from weak to strong, and which step
/// belongs to which. Weights, optimizer state, averages and the step count carry over.
struct progressive_schedule {
  std::vector<training_stage> stages;
  progressive_mode mode = progressive_mode::progressive;
  std::int64_t total_steps = 0;
  std::uint64_t seed = 0;  ///< of the sizes that are drawn

  /// The first step after stage `index`: int((index + 1) / M * total_steps), as google/automl's
  /// main.py counts. It may fall inside an epoch.
  std::int64_t end_of(std::size_t index) const {
    const std::int64_t count = static_cast<std::int64_t>(stages.size());
    const std::int64_t ended = static_cast<std::int64_t>(index) + 1;
    // a total of q * count + r, so that the product cannot overflow
    return total_steps / count * ended + total_steps % count * ended / count;
  }

  /// The stage whose size step `step` has. Steps past the end belong to the last stage.
  std::size_t stage_at(std::int64_t step) const {
    if (stages.empty()) throw setting_error("a progressive schedule has no stages; give one");
    const std::size_t last = stages.size() - 1;
    switch (mode) {
      case progressive_mode::progressive:
      case progressive_mode::resize_only:
        for (std::size_t i = 0; i < last; ++i)
          if (step < end_of(i)) return i;
        return last;
      case progressive_mode::random_resize:
      case progressive_mode::random_resize_adaptive: {
        constexpr std::uint64_t purpose = 0x73697a65;  // "size": apart from the seed's other uses
        const double drawn = uniform(mix64(seed ^ purpose), static_cast<std::uint64_t>(step));
        return std::min(static_cast<std::size_t>(drawn * static_cast<double>(stages.size())), last);
      }
      case progressive_mode::fixed:
        return last;
    }
    return last;
  }

  /// Size and regularization of step `step`. Batch and learning rate go with the size.
  training_stage at(std::int64_t step) const { return as_used(stage_at(step)); }

  /// Stage `index` as steps of this mode see it.
  training_stage as_used(std::size_t index) const {
    const training_stage& sized = stages[index];
    if (mode != progressive_mode::resize_only && mode != progressive_mode::random_resize)
      return sized;
    training_stage mixed = stages.back();
    mixed.size = sized.size;
    mixed.batch_factor = sized.batch_factor;
    mixed.learning_rate_factor = sized.learning_rate_factor;
    return mixed;
  }

  /// Throws `setting_error` where a stage cannot be trained.
  void check() const {
    if (stages.empty()) throw setting_error("a progressive schedule has no stages; give one");
    if (total_steps < 0)
      throw setting_error(sentence("a progressive schedule has ", total_steps, " steps"));
    for (std::size_t i = 0; i < stages.size(); ++i) check(i);
  }

  friend bool operator==(const progressive_schedule&, const progressive_schedule&) = default;

 private:
  void check(std::size_t index) const {
    const training_stage& s = stages[index];
    const auto refuse = [&](std::string_view name, auto value, std::string_view expected) {
      throw setting_error(sentence("stage ", index + 1, " of ", stages.size(), ": ", name, " is ",
                                   value, "; it has to be ", expected));
    };
    if (s.size < 1) refuse("the image size", s.size, "at least 1");
    const auto not_negative = [&](std::string_view name, float value) {
      if (!(value >= 0 && std::isfinite(value))) refuse(name, value, "finite and at least 0");
    };
    not_negative("rand_augment", s.rand_augment);
    not_negative("mixup", s.mixup);
    not_negative("cutmix", s.cutmix);
    if (!(s.dropout >= 0 && s.dropout < 1)) refuse("dropout", s.dropout, "in [0, 1)");
    if (!(s.stochastic_depth >= 0 && s.stochastic_depth < 1))
      refuse("stochastic_depth", s.stochastic_depth, "in [0, 1)");
    if (!(s.random_erasing >= 0 && s.random_erasing <= 1))
      refuse("random_erasing", s.random_erasing, "in [0, 1]");
    if (!(s.batch_factor > 0 && std::isfinite(s.batch_factor)))
      refuse("batch_factor", s.batch_factor, "finite and above 0");
    if (!(s.learning_rate_factor > 0 && std::isfinite(s.learning_rate_factor)))
      refuse("learning_rate_factor", s.learning_rate_factor, "finite and above 0");
  }
};

namespace detail {

/// Point `index` of `count` evenly spaced ones from `first` to `last`, both exact; only `last`
/// where there is one.
inline double spaced(double first, double last, int index, int count) {
  return index + 1 >= count ? last : first + (last - first) * index / (count - 1);
}

}  // namespace detail

/// Algorithm 1 of EfficientNetV2: `count` stages from `first` to `last`, every property in equal
/// steps, sizes rounded to nearest; one stage is `last`. Throws `setting_error` for fewer.
inline std::vector<training_stage> interpolated_stages(const training_stage& first,
                                                       const training_stage& last, int count) {
  if (count < 1)
    throw setting_error(
        sentence("progressive learning in ", count, " stages was asked for; it takes at least 1"));
  std::vector<training_stage> stages(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    const auto between = [&](float training_stage::*property) {
      return static_cast<float>(detail::spaced(static_cast<double>(first.*property),
                                               static_cast<double>(last.*property), i, count));
    };
    stages[static_cast<std::size_t>(i)] = {
        .size = static_cast<int>(std::lround(detail::spaced(first.size, last.size, i, count))),
        .rand_augment = between(&training_stage::rand_augment),
        .mixup = between(&training_stage::mixup),
        .cutmix = between(&training_stage::cutmix),
        .dropout = between(&training_stage::dropout),
        .stochastic_depth = between(&training_stage::stochastic_depth),
        .random_erasing = between(&training_stage::random_erasing),
        .batch_factor = between(&training_stage::batch_factor),
        .learning_rate_factor = between(&training_stage::learning_rate_factor)};
  }
  return stages;
}

}  // namespace effnet
