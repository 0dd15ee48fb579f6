#pragma once

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <effnet/nn/adapted_weights.hpp>
#include <effnet/torch.hpp>
#include <effnet/train/recipe.hpp>
#include <effnet/train/run_settings.hpp>

#include "chosen_model.hpp"
#include "image_options.hpp"
#include "training/run_recipe.hpp"

namespace example {

/// What training starts from, before it is known which classes the data have: weights of `--init`,
/// or nothing but the table and its convention.
inline effnet::weights untrained_or_loaded(const run_recipe& recipe) {
  const effnet::named_model model = choose_model(recipe.model);
  effnet::read_options options;
  options.model_family = model.family;
  if (!recipe.convention.empty()) options.convention = effnet::find_convention(recipe.convention);
  if (recipe.init.empty()) {
    const auto family =
        options.convention.value_or(model.family.value_or(effnet::convention_name::tf));
    return {.spec = model.spec,
            .rule = effnet::convention_for(family, model.spec),
            .tensors = {},
            .labels = {}};
  }
  const effnet::state_dict file = effnet::read_state_dict(recipe.init);
  return effnet::weights_from(file, effnet::spec_for_file(file, model.spec), options);
}

/// How pictures are prepared for evaluation: as the network's authors do, but where training ends
/// at another size than the table's, at a size in the same proportion to it.
inline effnet::input_rule evaluation_rule(effnet::input_rule rule, const effnet::network_spec& spec,
                                          const effnet::run_settings& settings) {
  const int last = settings.stages.back().size;
  const int usual =
      settings.preset == "finetune" ? effnet::finetune_size(spec.eval_size) : spec.train_size;
  if (std::abs(last - usual) * 50 <= usual) return rule;  // the paper's 380 is the table's 384
  const double scale = static_cast<double>(last) / usual;
  const auto scaled = [&](int pixels) {
    return std::max(32, static_cast<int>(std::lround(pixels * scale)));
  };
  rule.size = scaled(rule.size);
  rule.resize = scaled(rule.resize);
  return rule;
}

/// Weights for the classes of the data. A classifier that was trained for the same ones stays.
inline effnet::weights start_weights(const effnet::weights& from,
                                     const std::vector<std::string>& classes,
                                     const effnet::run_settings& settings) {
  const int count = static_cast<int>(classes.size());
  effnet::weights made;
  if (from.tensors.empty()) {
    made = effnet::initial_weights(effnet::with_classes(from.spec, count), settings.seed);
    made.rule = from.rule;
    made.labels = classes;
  } else if (from.spec.classes == count && (from.labels.empty() || from.labels == classes)) {
    made = from;
    made.labels = classes;
  } else {
    made = effnet::with_new_classifier(from, count, classes, settings.seed);
  }
  if (made.spec.in_channels != 3) made = effnet::with_new_planes(made, 3);
  made.rule.input = evaluation_rule(made.rule.input, made.spec, settings);
  return made;
}

}  // namespace example
