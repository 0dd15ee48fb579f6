// How the networks are found: search algorithms side by side on rewards with a known best
// candidate, and compound scaling.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include <effnet/cpu_training.hpp>
#include <effnet/search.hpp>

#include "chosen_model.hpp"
#include "program.hpp"
#include "progress_bar.hpp"
#include "search/scaled_family.hpp"
#include "search/step_study.hpp"
#include "search/tabular_study.hpp"
#include "short_spins.hpp"

namespace {

struct space_options {
  std::string name = "v2", model;

  effnet::search_space space() const {
    const bool is_v2 = name == "v2";
    const std::string skeleton = !model.empty() ? model
                                 : is_v2        ? "efficientnetv2_s"
                                                : "efficientnet_b0";
    const effnet::network_spec spec = example::choose_model(skeleton).spec;
    return is_v2 ? effnet::v2_space(spec) : effnet::mnasnet_space(spec);
  }
};

void add_space_options(CLI::App& app, space_options& chosen) {
  example::add_choice(app, "--space", chosen.name, {"v2", "mnasnet"},
                      "Search space: EfficientNetV2's (default) or MnasNet's");
  app.add_option("--model", chosen.model,
                 "Skeleton: name of a network or FILE.json (default: efficientnetv2_s, for mnasnet "
                 "efficientnet_b0)")
      ->type_name("M");
}

struct tabular_options {
  space_options space;
  std::vector<std::string> algorithms;
  int trials = 1000, seeds = 30;
  bool json = false, quiet = false;
};

void add_tabular(CLI::App& app, tabular_options& chosen) {
  add_space_options(app, chosen.space);
  app.add_option("--algorithm", chosen.algorithms, "Those to compare (default: all)")
      ->check(CLI::IsMember({"random", "evolution", "rl"}).description(""))
      ->type_name("random|evolution|rl");
  app.add_option("--trials", chosen.trials, "Candidates a run (default 1000)")
      ->check(example::between(1, 1'000'000))
      ->type_name("N");
  app.add_option("--seeds", chosen.seeds, "Runs an algorithm (default 30)")
      ->check(example::between(1, 10'000))
      ->type_name("N");
  app.add_flag("--json", chosen.json, "Print JSON instead of a table");
  app.add_flag("--quiet", chosen.quiet, "No progress on stderr");
}

void compare(const tabular_options& chosen) {
  Eigen::setNbThreads(1);  // the controller's matrices are too small to be shared
  const effnet::search_space of = chosen.space.space();
  example::tabular_study study(of, static_cast<std::size_t>(chosen.trials), chosen.seeds);
  const auto wanted = [&](std::string_view name) {
    return chosen.algorithms.empty() ||
           std::ranges::find(chosen.algorithms, name) != chosen.algorithms.end();
  };
  const int algorithms = wanted("random") + wanted("evolution") + wanted("rl");
  example::progress_bar progress("runs", static_cast<std::size_t>(chosen.seeds * algorithms),
                                 !chosen.quiet);
  if (wanted("random"))
    study.run([&](std::uint64_t seed) { return effnet::random_search(of, seed); }, progress);
  if (wanted("evolution"))
    study.run([&](std::uint64_t seed) { return effnet::evolution(of, seed); }, progress);
  if (wanted("rl"))
    study.run([&](std::uint64_t seed) { return effnet::reinforcement(of, seed); }, progress);
  progress.clear();
  chosen.json ? void(std::printf("%s\n", study.json().dump(2).c_str())) : study.print();
}

struct step_options {
  space_options space;
  int size = 64, networks = 30, threads = 0;
  std::uint64_t seed = 0;
  effnet::step_timing timing;
  bool json = false, quiet = false;
};

void add_steps(CLI::App& app, step_options& chosen) {
  add_space_options(app, chosen.space);
  app.add_option("--size", chosen.size, "Image side in pixels (default 64)")
      ->check(example::between(32, 1024))
      ->type_name("N");
  app.add_option("--batch", chosen.timing.batch, "Images a step (default 16)")
      ->check(example::between(2, 4096))
      ->type_name("N");
  app.add_option("--networks", chosen.networks, "To be drawn (default 30)")
      ->check(example::between(2, 10'000))
      ->type_name("N");
  app.add_option("--seed", chosen.seed, "They are drawn by")->type_name("N");
  app.add_option("--threads", chosen.threads, "Threads (default: all)")
      ->check(example::between(1, 1024))
      ->type_name("N");
  app.add_flag("--json", chosen.json, "Print JSON, with the time of every shape");
  app.add_flag("--quiet", chosen.quiet, "No progress on stderr");
}

void time_steps(const step_options& chosen) {
  const effnet::search_space of = chosen.space.space();
  example::step_study study(of, chosen.size, chosen.timing);
  study.run(chosen.networks, chosen.seed, effnet::cpu_training_backend(chosen.threads),
            !chosen.quiet);
  chosen.json ? void(std::printf("%s\n", study.json().dump(2).c_str())) : study.print();
}

struct scale_options {
  std::string model = "efficientnet_b0";
  effnet::nonuniform_scaling by{.constants = {}, .most_size = 1 << 20, .late_depth = 1};
  int most_phi = 7;
  bool json = false, cpp = false;
};

void add_scale(CLI::App& app, scale_options& chosen) {
  app.add_option("--model", chosen.model,
                 "What is scaled: name of a network or FILE.json (default: efficientnet_b0)")
      ->type_name("M");
  app.add_option("--alpha", chosen.by.constants.alpha, "Depth grows by this (default 1.2)")
      ->type_name("A");
  app.add_option("--beta", chosen.by.constants.beta, "Width grows by this (default 1.1)")
      ->type_name("B");
  app.add_option("--gamma", chosen.by.constants.gamma, "Image size grows by this (default 1.15)")
      ->type_name("G");
  app.add_option("--most-size", chosen.by.most_size,
                 "Image sides end here; EfficientNetV2's at 480 (default: they grow on)")
      ->check(example::between(32, 1 << 20))
      ->type_name("N");
  app.add_option("--late-depth", chosen.by.late_depth,
                 "The last two stages grow deeper by this besides, as EfficientNetV2's (default 1)")
      ->check(CLI::Range(1.0, 4.0).description(""))
      ->type_name("D");
  app.add_option("--phi", chosen.most_phi, "The largest exponent (default 7)")
      ->check(example::between(1, 12))
      ->type_name("N");
  app.add_flag("--json", chosen.json, "Print JSON instead of a table");
  app.add_flag("--cpp", chosen.cpp, "Print the networks' tables as C++");
}

void scale(const scale_options& chosen) {
  if (chosen.json && chosen.cpp) throw example::usage_error("--json and --cpp exclude each other");
  const example::scaled_family family(example::choose_model(chosen.model).spec, chosen.by,
                                      chosen.most_phi);
  if (chosen.json)
    std::printf("%s\n", family.json().dump(2).c_str());
  else
    chosen.cpp ? void(std::fputs(family.code().c_str(), stdout)) : family.print();
}

}  // namespace

int main(int argc, char** argv) {
  example::program search(
      "search", "Searches network architectures as EfficientNet and EfficientNetV2 were found.",
      "  search tabular --space mnasnet --algorithm rl --trials 2000 --seeds 10\n"
      "  search steps --model my_skeleton.json --size 64\n"
      "  search scale --model efficientnet_b0\n"
      "  search scale --alpha 1.3 --beta 1.05 --gamma 1.18 --cpp > family.hpp");
  example::use_short_spins(argv);
  search.options.require_subcommand(1);
  tabular_options tabular;
  step_options steps;
  scale_options scaling;
  CLI::App& of_tabular = *search.options.add_subcommand(
      "tabular", "Compares algorithms on made-up rewards with a known best candidate");
  add_tabular(of_tabular, tabular);
  CLI::App& of_steps = *search.options.add_subcommand(
      "steps",
      "Compares step times that are summed up block by block with those of whole networks");
  add_steps(of_steps, steps);
  CLI::App& of_scale = *search.options.add_subcommand(
      "scale", "Scales a network by compound constants: depth, width and image size together");
  add_scale(of_scale, scaling);

  return search.run(argc, argv, [&] {
    if (of_tabular.parsed()) compare(tabular);
    if (of_steps.parsed()) time_steps(steps);
    if (of_scale.parsed()) scale(scaling);
    return example::succeeded;
  });
}
