// How the networks are found: architecture search, search algorithms side by side, step times from
// blocks, and compound scaling.

#include <iostream>

#include "program.hpp"
#include "search/compare_command.hpp"
#include "search/report_command.hpp"
#include "search/run_command.hpp"
#include "search/scale_command.hpp"
#include "search/steps_command.hpp"
#include "search/tabular_command.hpp"
#include "search/task_trainer.hpp"
#include "short_spins.hpp"

int main(int argc, char** argv) {
  using namespace example;
  program search(
      "search", "Searches network architectures as EfficientNet and EfficientNetV2 were found.",
      "  search run --data shapes:2000x48 --model efficientnetv2_b0 --width 0.5 --journal a.jsonl\n"
      "  search run --resume --journal a.jsonl --trials 80\n"
      "  search tabular --space mnasnet --algorithm rl --trials 2000 --seeds 10\n"
      "  search steps --model my_skeleton.json --size 64\n"
      "  search scale --model efficientnet_b0\n"
      "  search scale --alpha 1.3 --beta 1.05 --gamma 1.18 --cpp > family.hpp");
  use_short_spins(argv);
  search.options.require_subcommand(1);
  run_search_options running;
  tabular_options tabular;
  compare_options comparing;
  report_options reporting;
  step_options steps;
  scale_options scaling;
  CLI::App& of_run = *search.options.add_subcommand(
      "run", "Searches: networks are proposed, trained for a short time, and learned from");
  add_run_search(of_run, running);
  CLI::App& of_compare =
      *search.options.add_subcommand("compare",
                                     "Trains the best network of a search for longer, beside "
                                     "all-MBConv and all-Fused-MBConv ones");
  add_compare(of_compare, comparing);
  CLI::App& of_report =
      *search.options.add_subcommand("report", "Writes a page about searches, from their journals");
  add_report(of_report, reporting);
  CLI::App& of_worker =
      *search.options.add_subcommand("worker", "Trains what it is told")->group("");
  CLI::App& of_tabular = *search.options.add_subcommand(
      "tabular", "Compares algorithms on made-up rewards with a known best candidate");
  add_tabular(of_tabular, tabular);
  CLI::App& of_steps = *search.options.add_subcommand(
      "steps",
      "Compares step times that are summed up block by block with those of whole networks");
  add_steps(of_steps, steps);
  CLI::App& of_scale = *search.options.add_subcommand(
      "scale",
      "Scales a network by compound constants, given or searched for: depth, width and image size");
  add_scale(of_scale, scaling);

  return search.run(argc, argv, [&] {
    if (of_run.parsed()) return run_search(search, of_run, running);
    if (of_compare.parsed()) return compare_found(search, comparing);
    if (of_report.parsed()) write_search_report(reporting);
    if (of_worker.parsed()) train_tasks(std::cin, std::cout);
    if (of_tabular.parsed()) compare_algorithms(of_tabular, tabular);
    if (of_steps.parsed()) time_steps(steps);
    if (of_scale.parsed()) return scale(search, of_scale, scaling);
    return exit_status::succeeded;
  });
}
