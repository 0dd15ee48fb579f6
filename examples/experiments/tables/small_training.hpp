#pragma once

#include <string>
#include <utility>
#include <vector>

#include <effnet/core/error.hpp>
#include <effnet/train/progressive_presets.hpp>

#include "experiments/scale.hpp"
#include "experiments/trial.hpp"

namespace example {

/// A training as the experiments have it unless they say otherwise: the recipe for small sets below
/// full scale, the papers' at full scale (table 6 for V2-S, M and L, one size for all else), with
/// `options` of `train` besides.
inline training small_training(const scale& at, const effnet::network_spec& network, int size,
                               const by_scale<int>& epochs, std::vector<std::string> options) {
  training made{.network = network, .size = size, .epochs = at.pick(epochs)};
  const bool in_table_6 =
      effnet::default_progressive_preset(network) == effnet::progressive_preset::paper;
  made.options = {"--preset", !at.is_full() ? "scratch" : in_table_6 ? "slides" : "fixed"};
  // A curve of some ten points.
  const double every = made.epochs / 10.0;
  made.options.insert(made.options.end(),
                      {"--evaluate-every", effnet::sentence(every < 1 ? 1.0 : every)});
  if (at.name == scale_name::smoke) made.options.insert(made.options.end(), {"--batch", "16"});
  made.options.insert(made.options.end(), options.begin(), options.end());
  return made;
}

/// Options for RandAugment on images that are a third as large as the published ones, or so: its
/// translations reach a third as far. At full scale the presets have it.
inline std::vector<std::string> small_rand_augment(const scale& at, int magnitude) {
  if (at.is_full()) return {};
  return {"--augment",       "rand_augment", "--augment-rule", "released",
          "--augment-reach", "0.33",         "--rand-augment", std::to_string(magnitude)};
}

/// One list of options after another.
inline std::vector<std::string> joined(std::vector<std::string> first,
                                       const std::vector<std::string>& then) {
  first.insert(first.end(), then.begin(), then.end());
  return first;
}

}  // namespace example
