#pragma once

#include <string>
#include <utility>
#include <vector>

#include "experiments/verdict.hpp"
#include "html_page.hpp"

namespace example {

/// Claims with their verdicts, for a page or a text in Markdown.
class claim_table {
 public:
  /// With the experiment of each in front, where there are several.
  explicit claim_table(bool has_experiments) : has_experiments_(has_experiments) {}

  void add(std::string experiment, claim of) {
    rows_.push_back({std::move(experiment), std::move(of)});
  }

  std::string html() const {
    std::string all = effnet::sentence("<div class=wide><table><tr>",
                                       has_experiments_ ? "<th>experiment</th>" : "");
    for (const char* title : titles) all += effnet::sentence("<th>", title, "</th>");
    all += "</tr>\n";
    for (const auto& [experiment, of] : rows_) {
      all += "<tr>";
      if (has_experiments_)
        all += effnet::sentence("<td><a href=\"#", experiment, "\">", experiment, "</a></td>");
      for (const std::string* cell : {&of.sentence, &of.published, &of.measured})
        all += "<td>" + escaped(*cell) + "</td>";
      const char* look = of.result == verdict::holds          ? " class=good"
                         : of.result == verdict::contradicted ? " class=bad"
                                                              : "";
      all += effnet::sentence("<td", look, ">", text_of(of.result), "</td></tr>\n");
    }
    return all + "</table></div>\n";
  }
  /// Always with the experiments.
  std::string markdown() const {
    std::string all = "| experiment |";
    for (const char* title : titles) all += effnet::sentence(" ", title, " |");
    all += "\n|---|---|---|---|---|\n";
    for (const auto& [experiment, of] : rows_)
      all += effnet::sentence("| `", experiment, "` | ", of.sentence, " | ", of.published, " | ",
                              of.measured, " | ", text_of(of.result), " |\n");
    return all;
  }

 private:
  struct row {
    std::string experiment;
    claim of;
  };
  static constexpr const char* titles[] = {"claim", "published", "measured here", "verdict"};

  bool has_experiments_;
  std::vector<row> rows_;
};

}  // namespace example
