#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string_view>

#include <effnet/arch/v2_tables.hpp>
#include <effnet/train/progressive.hpp>

namespace effnet {

/// Published progressive schedules. Paper and released code differ.
enum class progressive_preset {
  fixed,   ///< one size from start to end
  paper,   ///< table 6 of arXiv 2104.00298: V2-S, M and L
  slides,  ///< the same with mixup of V2-L up to 0.4 instead of 0.5
  automl,  ///< google/automl efficientnetv2 (main.py, effnetv2_configs.py): every V2
};
/// The presets' names, by their number.
inline constexpr std::array<std::string_view, 4> progressive_preset_names = {"fixed", "paper",
                                                                             "slides", "automl"};

struct progressive_options {
  progressive_preset preset = progressive_preset::fixed;
  progressive_mode mode = progressive_mode::progressive;
  int stages = 4;
  std::int64_t total_steps = 0;
  std::uint64_t seed = 0;
  int size = 0;      ///< last image size; 0: the preset's
  int min_size = 0;  ///< first image size; 0: the preset's, or in proportion to `size`
};

namespace detail {

/// One V2 network: the strongest regularization of paper and released code. A paper size of 0: not
/// in the paper's table. RandAugment of 0: AutoAugment, which has no magnitude to schedule.
struct v2_regularization {
  const network_spec* table;
  int paper_size;
  float paper_rand_augment, paper_mixup, slides_mixup, paper_dropout;
  float automl_rand_augment, automl_mixup;
};
inline constexpr std::array<v2_regularization, 8> v2_regularizations = {{
    {&v2_b0, 0, 0, 0, 0, 0, 0, 0},
    {&v2_b1, 0, 0, 0, 0, 0, 0, 0},
    {&v2_b2, 0, 0, 0, 0, 0, 0, 0},
    {&v2_b3, 0, 0, 0, 0, 0, 0, 0},
    {&v2_s, 300, 15, 0, 0, 0.3f, 10, 0},
    {&v2_m, 380, 20, 0.2f, 0.2f, 0.4f, 15, 0.2f},
    {&v2_l, 380, 25, 0.5f, 0.4f, 0.5f, 20, 0.5f},
    {&v2_xl, 0, 0, 0, 0, 0, 20, 0.5f},
}};

/// The V2 network with the same layers up to classes and input planes, or null: a table of one's
/// own may have any name.
inline const v2_regularization* find_v2(const network_spec& spec) {
  for (const v2_regularization& row : v2_regularizations)
    if (spec.stages == row.table->stages && spec.stem == row.table->stem &&
        spec.stem_kernel == row.table->stem_kernel && spec.head == row.table->head &&
        spec.act == row.table->act)
      return &row;
  return nullptr;
}

constexpr int smallest_first_size = 32;

/// Where training starts if it is to end at `size` instead of the preset's own: in proportion.
inline double first_size(const progressive_options& how, double proportional, int size) {
  if (how.min_size > 0) return how.min_size;
  return std::min<double>(std::max<double>(proportional, smallest_first_size), size);
}

inline void check(const progressive_options& how) {
  if (how.size < 0 || how.min_size < 0)
    throw setting_error(sentence("image sizes from ", how.min_size, " to ", how.size,
                                 " pixels were asked for; sizes are above 0 (0: the preset's)"));
  if (how.stages < 1)
    throw setting_error(sentence("progressive learning in ", how.stages,
                                 " stages was asked for; it takes at least 1"));
}

/// Table 6: from 128 pixels, RandAugment 5, dropout 0.1 and no mixup, by algorithm 1. Another last
/// size S starts at S * 128 / 300.
inline std::vector<training_stage> paper_stages(const v2_regularization& v2,
                                                const progressive_options& how) {
  const int size = how.size > 0 ? how.size : v2.paper_size;
  const double proportional = size == v2.paper_size ? 128 : size * 128.0 / 300;
  training_stage first{.size = static_cast<int>(std::lround(first_size(how, proportional, size))),
                       .rand_augment = 5,
                       .dropout = 0.1f,
                       .stochastic_depth = 0.2f};
  training_stage last = first;
  last.size = size;
  last.rand_augment = v2.paper_rand_augment;
  last.mixup = how.preset == progressive_preset::slides ? v2.slides_mixup : v2.paper_mixup;
  last.dropout = v2.paper_dropout;
  return interpolated_stages(first, last, how.stages);
}

/// The last stage of the released code: dropout is the network's in every stage (the ramp is
/// computed there and deleted), and so is the survival probability of 0.8.
inline training_stage automl_last(const v2_regularization& v2, const network_spec& spec) {
  return {.size = v2.table->train_size,
          .rand_augment = v2.automl_rand_augment,
          .mixup = v2.automl_mixup,
          .cutmix = v2.automl_mixup,
          .dropout = spec.dropout,
          .stochastic_depth = 0.2f};
}

/// Sizes int(128 + (S - 128) * (i + 1) / M): the first stage is already above 128. Another last
/// size changes all in proportion, unless the first would be below 32 or another is asked for: then
/// sizes are evenly spaced from there.
inline std::vector<training_stage> automl_stages(const v2_regularization& v2,
                                                 const network_spec& spec,
                                                 const progressive_options& how) {
  training_stage last = automl_last(v2, spec), first = last;
  first.rand_augment = std::min(5.0f, last.rand_augment);
  first.mixup = first.cutmix = 0;
  const int own = last.size, size = how.size > 0 ? how.size : own;
  std::vector<training_stage> stages = interpolated_stages(first, last, how.stages);
  const auto proportional = [&](std::int64_t after) {
    const std::int64_t weight = 128 * (how.stages - after) + own * after;
    return static_cast<int>(size * weight / (std::int64_t{own} * how.stages));  // without rounding
  };
  const int start = static_cast<int>(first_size(how, proportional(1), size));
  for (int i = 0; i < how.stages; ++i)
    stages[static_cast<std::size_t>(i)].size =
        start == proportional(1) ? proportional(i + 1)
                                 : static_cast<int>(spaced(start, size, i, how.stages));
  return stages;
}

[[noreturn]] inline void refuse(progressive_preset preset, const network_spec& spec) {
  const bool released = preset == progressive_preset::automl;
  throw spec_error(sentence("preset '", progressive_preset_names[static_cast<std::size_t>(preset)],
                            "' says nothing about network '", std::string_view(spec.name), "': ",
                            released
                                ? "the released code schedules the EfficientNetV2 networks only"
                                : "table 6 of the paper lists EfficientNetV2-S, M and L only",
                            "; use preset ", !released && find_v2(spec) ? "'automl', " : "",
                            "'fixed' or 'scratch', or stages of your own"));
}

}  // namespace detail

/// What a network is trained with unless another preset is named: the paper's where it is in the
/// paper's table, the released code's for other V2 networks, `fixed` for all else.
inline progressive_preset default_progressive_preset(const network_spec& spec) {
  const detail::v2_regularization* v2 = detail::find_v2(spec);
  if (!v2) return progressive_preset::fixed;
  return v2->paper_size > 0 ? progressive_preset::paper : progressive_preset::automl;
}

/// The schedule of a preset for a network. Networks are known by their layers, so that other class
/// counts and names change nothing. Throws `spec_error` where the preset says nothing about the
/// network, `setting_error` for sizes or stages without sense.
inline progressive_schedule make_progressive_schedule(const network_spec& spec,
                                                      const progressive_options& how) {
  detail::check(how);
  const detail::v2_regularization* v2 = detail::find_v2(spec);
  progressive_schedule schedule{
      .stages = {}, .mode = how.mode, .total_steps = how.total_steps, .seed = how.seed};
  switch (how.preset) {
    case progressive_preset::fixed:
      schedule.stages = {
          v2 ? detail::automl_last(*v2, spec)
             : training_stage{.dropout = spec.dropout, .stochastic_depth = 1 - spec.survival}};
      schedule.stages[0].size = how.size > 0 ? how.size : spec.train_size;
      schedule.mode = progressive_mode::fixed;
      break;
    case progressive_preset::paper:
    case progressive_preset::slides:
      if (!v2 || v2->paper_size == 0) detail::refuse(how.preset, spec);
      schedule.stages = detail::paper_stages(*v2, how);
      break;
    case progressive_preset::automl:
      if (!v2) detail::refuse(how.preset, spec);
      schedule.stages = detail::automl_stages(*v2, spec, how);
      break;
  }
  if (how.preset != progressive_preset::fixed && how.min_size > schedule.stages.back().size)
    throw setting_error(sentence("training cannot start at ", how.min_size, " pixels and end at ",
                                 schedule.stages.back().size,
                                 "; choose a smaller first or a larger last size"));
  schedule.check();
  return schedule;
}

}  // namespace effnet
