#pragma once

#include <string>

#include <effnet/arch/scaling.hpp>
#include <effnet/search/spaces.hpp>

#include "chosen_model.hpp"
#include "program.hpp"
#include "search/search_settings.hpp"

namespace example {

/// Options that choose a network, and how wide and deep it is.
struct skeleton_options {
  std::string model;
  double width = 1, depth = 1;

  effnet::network_spec skeleton() const {
    const effnet::network_spec spec = choose_model(model).spec;
    if (width == 1 && depth == 1) return spec;
    return effnet::compound_scaled(spec, {.width = width,
                                          .depth = depth,
                                          .resolution = spec.eval_size,
                                          .train_resolution = spec.train_size,
                                          .dropout = spec.dropout});
  }
};

inline void add_skeleton_options(CLI::App& app, skeleton_options& chosen, const std::string& text) {
  app.add_option("--model", chosen.model, text)->type_name("M");
  app.add_option("--width", chosen.width, "Its channels are scaled by this (default 1)")
      ->check(CLI::Range(0.05, 8.0).description(""))
      ->type_name("W");
  app.add_option("--depth", chosen.depth, "Its layers are scaled by this (default 1)")
      ->check(CLI::Range(0.05, 8.0).description(""))
      ->type_name("D");
}

/// Options that choose a search space.
struct space_options {
  std::string name = "v2";
  skeleton_options on;

  effnet::network_spec skeleton() const {
    skeleton_options chosen = on;
    if (chosen.model.empty()) chosen.model = name == "v2" ? "efficientnetv2_s" : "efficientnet_b0";
    return chosen.skeleton();
  }
  effnet::search_space space() const { return space_of(name, skeleton()); }
};

inline void add_space_options(CLI::App& app, space_options& chosen) {
  add_choice(app, "--space", chosen.name, {"v2", "mnasnet"},
             "Search space: EfficientNetV2's (default) or MnasNet's");
  add_skeleton_options(app, chosen.on,
                       "Skeleton: name of a network or FILE.json (default: efficientnetv2_s, for "
                       "mnasnet efficientnet_b0)");
}

}  // namespace example
