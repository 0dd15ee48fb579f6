// Architecture search: for now, algorithms side by side on rewards with a known best candidate.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include <effnet/search.hpp>

#include "chosen_model.hpp"
#include "program.hpp"
#include "progress_bar.hpp"
#include "search/tabular_study.hpp"

namespace {

effnet::search_space chosen_space(const std::string& name, const std::string& model) {
  const bool is_v2 = name == "v2";
  const std::string skeleton = !model.empty() ? model
                               : is_v2        ? "efficientnetv2_s"
                                              : "efficientnet_b0";
  const effnet::network_spec spec = example::choose_model(skeleton).spec;
  return is_v2 ? effnet::v2_space(spec) : effnet::mnasnet_space(spec);
}

}  // namespace

int main(int argc, char** argv) {
  example::program search(
      "search", "Searches network architectures as EfficientNet and EfficientNetV2 were found.",
      "  search tabular\n"
      "  search tabular --space mnasnet --algorithm rl --trials 2000 --seeds 10");
  search.options.require_subcommand(1);
  CLI::App& tabular = *search.options.add_subcommand(
      "tabular", "Compares algorithms on made-up rewards with a known best candidate");
  std::string space = "v2", model;
  std::vector<std::string> algorithms;
  int trials = 1000, seeds = 30;
  bool json = false, quiet = false;
  example::add_choice(tabular, "--space", space, {"v2", "mnasnet"},
                      "Search space: EfficientNetV2's (default) or MnasNet's");
  tabular
      .add_option("--model", model,
                  "Skeleton: name of a network or FILE.json (default: efficientnetv2_s, for "
                  "mnasnet efficientnet_b0)")
      ->type_name("M");
  tabular.add_option("--algorithm", algorithms, "Those to compare (default: all)")
      ->check(CLI::IsMember({"random", "evolution", "rl"}).description(""))
      ->type_name("random|evolution|rl");
  tabular.add_option("--trials", trials, "Candidates a run (default 1000)")
      ->check(example::between(1, 1'000'000))
      ->type_name("N");
  tabular.add_option("--seeds", seeds, "Runs an algorithm (default 30)")
      ->check(example::between(1, 10'000))
      ->type_name("N");
  tabular.add_flag("--json", json, "Print JSON instead of a table");
  tabular.add_flag("--quiet", quiet, "No progress");

  return search.run(argc, argv, [&] {
    Eigen::setNbThreads(1);  // the controller's matrices are too small to be shared
    const effnet::search_space of = chosen_space(space, model);
    example::tabular_study study(of, static_cast<std::size_t>(trials), seeds);
    const auto wanted = [&](std::string_view name) {
      return algorithms.empty() || std::ranges::find(algorithms, name) != algorithms.end();
    };
    const auto runs =
        static_cast<std::size_t>(seeds) *
        (static_cast<std::size_t>(wanted("random")) + wanted("evolution") + wanted("rl"));
    example::progress_bar progress("runs", runs, !quiet);
    if (wanted("random"))
      study.run([&](std::uint64_t seed) { return effnet::random_search(of, seed); }, progress);
    if (wanted("evolution"))
      study.run([&](std::uint64_t seed) { return effnet::evolution(of, seed); }, progress);
    if (wanted("rl"))
      study.run([&](std::uint64_t seed) { return effnet::reinforcement(of, seed); }, progress);
    progress.clear();
    if (json)
      std::printf("%s\n", study.json().dump(2).c_str());
    else
      study.print();
    return example::succeeded;
  });
}
