// The tables and figures of the papers, run again on this machine.

#include "experiments/list_command.hpp"
#include "experiments/run_command.hpp"
#include "experiments/set_report.hpp"
#include "program.hpp"
#include "short_spins.hpp"

int main(int argc, char** argv) {
  using namespace example;
  program experiments("experiments",
                      "Runs the papers' tables and figures again, at a size that fits the machine "
                      "or the published one.",
                      "  experiments list\n"
                      "  experiments run --scale smoke --data shapes:200x48\n"
                      "  experiments run progressive --data photos/train.tar --budget 45\n"
                      "  experiments report --data photos/train.tar\n"
                      "  experiments run --scale full --dry-run");
  use_short_spins(argv);
  experiments.options.require_subcommand(1);
  set_options listing, reporting;
  run_set_options running;
  report_files files;
  CLI::App& of_list =
      *experiments.options.add_subcommand("list", "Says what there is, and how far it is");
  add_set_options(of_list, listing);
  CLI::App& of_run = *experiments.options.add_subcommand("run", "Runs what has not been run yet");
  add_run_set(of_run, running);
  CLI::App& of_report = *experiments.options.add_subcommand(
      "report", "Writes a page about a set, whole or not, and says what is missing");
  add_set_options(of_report, reporting);
  of_report.add_option("--page", files.page, "The page (default report.html in --out)")
      ->type_name("FILE");
  of_report
      .add_option("--claims", files.claims, "Where to leave the table of claims as Markdown too")
      ->type_name("FILE");
  of_report.add_option("--figures", files.figures, "Where to leave each chart as an SVG file too")
      ->type_name("DIR");

  return experiments.run(argc, argv, [&] {
    if (of_run.parsed()) return run_experiments(experiments, running);
    if (of_list.parsed()) list_experiments(listing);
    if (of_report.parsed()) report_experiments(reporting, files);
    return exit_status::succeeded;
  });
}
