#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <effnet/io/atomic_file.hpp>

#include "experiments/claim_table.hpp"
#include "experiments/experiment_set.hpp"
#include "html_page.hpp"
#include "line_chart.hpp"
#include "make_folder.hpp"
#include "output_file.hpp"

namespace example {

/// "3 of 12 trials are missing: no fused, seed 1; ..."
inline std::string missing_text(const experiment_state& of, std::size_t trials) {
  constexpr std::size_t most = 6;
  if (of.missing.empty()) return "";
  std::string text = effnet::sentence(of.missing.size(), " of ", trials, " trials are missing: ");
  for (std::size_t i = 0; i < std::min(most, of.missing.size()); ++i)
    text += (i > 0 ? "; " : "") + of.missing[i];
  return text + (of.missing.size() > most ? "; and so on" : "");
}

/// The page of a set: all verdicts first, then a section an experiment.
class set_report {
 public:
  explicit set_report(const set_options& set) : set_(set) {
    for (experiment& one : all_experiments(set)) {
      experiment_state state = state_of(one, set);
      entries_.push_back({std::move(one), std::move(state)});
    }
  }

  void write(const std::string& path) const {
    html_page page("The papers' tables and figures, run again");
    page.add("<p>" + escaped(introduction()) + "</p>\n<p>" + escaped(rules()) + "</p>\n");
    if (set_.scale == "mini") page.add("<p>" + escaped(recipe()) + "</p>\n");
    page.add("<div class=tiles>\n");
    constexpr verdict all[] = {verdict::holds, verdict::contradicted, verdict::not_resolved,
                               verdict::missing};
    for (const verdict one : all)
      page.tile(std::to_string(count(one)), effnet::sentence("claims: ", text_of(one)));
    page.add("</div>\n<h2>What the papers say, and what came out</h2>\n");
    page.add(claims().html());
    for (const entry& one : entries_) add(page, one);
    page.write(path);
  }

  /// The table of all claims, in Markdown.
  void write_claims(const std::string& path) const {
    effnet::atomic_file to(path);
    to.write(claims().markdown());
    to.commit();
  }

  /// Each chart as an SVG file, named after its experiment and title.
  void write_figures(const std::filesystem::path& folder) const {
    for (const entry& one : entries_)
      for (const line_chart& chart : one.state.says.charts()) {
        const std::string name = effnet::sentence(one.of.name, "_", chart.title());
        effnet::atomic_file to((folder / (folder_name(name) + ".svg")).string());
        to.write(chart.svg_file());
        to.commit();
      }
  }

  /// A line an experiment that is not whole.
  std::string missing() const {
    std::string text;
    for (const entry& one : entries_)
      if (!one.state.missing.empty())
        text += effnet::sentence(one.of.name, ": ", missing_text(one.state, one.of.trials.size()),
                                 "\n");
    return text;
  }

 private:
  struct entry {
    experiment of;
    experiment_state state;
  };

  std::string introduction() const {
    std::set<std::string> machines;
    for (const entry& one : entries_)
      machines.insert(one.state.machines.begin(), one.state.machines.end());
    std::string on;
    for (const std::string& machine : machines) on += (on.empty() ? "" : "; ") + machine;
    return effnet::sentence(
        "EfficientNet and EfficientNetV2, scale ", set_.scale, set_.data.empty() ? "" : ", on ",
        set_.data.empty() ? "" : set_name(set_.data), on.empty() ? "" : "; ", on,
        ". ± is the standard deviation over the seeds in tables, and the standard error of "
        "differences and ratios.");
  }
  static std::string rules() {
    return "A claim about accuracy holds or is contradicted where paired seeds (or networks) "
           "differ by more than two standard errors in the mean (which three seeds also do by "
           "chance in one case of six), else it is not resolved, as it always is with one seed: "
           "--seeds adds some. Less accurate by no more than a point is so where two standard "
           "errors are within it. A claim about time is resolved where the ratio is further from 1 "
           "than a twentieth and than two standard errors of seeds or rounds, of a single pair "
           "than a quarter. Claims about sizes are counted.";
  }
  /// How small trainings differ from the published ones.
  static std::string recipe() {
    return "Unless said otherwise the small trainings are by AdamW with a cosine decay in batches "
           "of 64, crops of at least a quarter of the picture, mixup up to 0.2, and no more "
           "augmentation, instead of RMSProp with a staircase in batches of 4096, with "
           "RandAugment or AutoAugment; short trainings bear less regularization than long ones.";
  }
  std::size_t count(verdict of) const {
    std::size_t found = 0;
    for (const entry& one : entries_)
      found +=
          static_cast<std::size_t>(std::ranges::count(one.state.says.claims(), of, &claim::result));
    return found;
  }
  claim_table claims() const {
    claim_table table(true);
    for (const entry& one : entries_)
      for (const claim& says : one.state.says.claims()) table.add(one.of.name, says);
    return table;
  }
  void add(html_page& page, const entry& one) const {
    page.add(effnet::sentence("<h2 id=", one.of.name, ">", escaped(one.of.title), "</h2>\n<p>",
                              escaped(one.of.source), ". "));
    if (set_.scale == "mini") page.add(escaped(one.of.differs));
    if (set_.scale == "smoke") page.add("A look at whether all runs: nothing is learned.");
    page.add("</p>\n");
    const std::string lacks = missing_text(one.state, one.of.trials.size());
    if (!lacks.empty()) page.add("<p class=bad>" + escaped(lacks) + ".</p>\n");
    if (one.state.machines.size() > 1)
      page.add("<p class=bad>Not all trials ran on one machine; times do not compare.</p>\n");
    page.add(one.state.says.html());
  }

  const set_options& set_;
  std::vector<entry> entries_;
};

/// Where a report goes. Empty: the page to report.html of the set, the others nowhere.
struct report_files {
  std::string page;     ///< HTML, all in one file
  std::string claims;   ///< Markdown
  std::string figures;  ///< a folder of SVG files
};

/// Writes the report of a set, whole or not, and says what is missing.
inline void report_experiments(const set_options& given, report_files to) {
  const set_options set = whole_options(given);
  if (!std::filesystem::is_directory(set.out))
    throw effnet::file_error(effnet::sentence(
        "there is no folder ", effnet::path_in_quotes(set.out), "; 'experiments run' makes it"));
  if (to.page.empty()) to.page = (std::filesystem::path(set.out) / "report.html").string();
  for (const std::string* file : {&to.page, &to.claims}) require_writable(*file);
  if (!to.figures.empty()) make_folder(to.figures);
  const set_report report(set);
  report.write(to.page);
  if (!to.claims.empty()) report.write_claims(to.claims);
  if (!to.figures.empty()) report.write_figures(to.figures);
  std::printf("%s%s\n", report.missing().c_str(), to.page.c_str());
}

}  // namespace example
